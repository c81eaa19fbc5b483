package import Recording

/// What cvr-playback is told on its command line: nothing secret, and only what it must know before it shuts itself in.
package struct PlaybackArguments: Hashable, Sendable {
    /// How it is run, which says where its configuration comes from.
    package enum Setting: Hashable, Sendable {
        /// By cvrd, which tells the rest over the socket in `run`.
        case box(run: String, cache: String, state: String)
        /// By itself, with the store of one site; the paths are those of files.
        case alone(Replica)
    }

    package struct Replica: Hashable, Sendable {
        package var credential: String?
        package var certificate: String?
        package var key: String?
        package var access: String?

        package init(
            credential: String? = nil, certificate: String? = nil, key: String? = nil, access: String? = nil
        ) {
            self.credential = credential
            self.certificate = certificate
            self.key = key
            self.access = access
        }
    }

    /// What is wrong with a command line.
    package struct Mistake: Error, Hashable, Sendable {
        package var message: String
    }

    package static let synopsis = """
        usage: cvr-playback --store URL --listen ADDRESS:PORT [--credential FILE] [--access FILE]
                            [--tls-certificate FILE --tls-key FILE]
        """

    package static let usage = """
        \(synopsis)

        Serves the footage of one site from its store over HTTP: live and recorded video, the page, /metrics. Any number
        may serve the same store. On a recorder box cvrd starts it, with --run, --cache and --state.

          --store URL             file:///PATH/SITE, s3://BUCKET/PREFIX/SITE or azblob://ACCOUNT/CONTAINER/PREFIX/SITE
          --listen ADDRESS:PORT   a numeric address; other than 127.0.0.1 it needs --tls-certificate and --access
          --credential FILE       credential of the store, mode 0600
          --tls-certificate FILE  certificate with its chain (PEM)
          --tls-key FILE          its private key (PEM), mode 0600
          --access FILE           accounts, tokens and signing (JSON), mode 0600
          --version               print the version
          --help                  print this

        Exit codes: 0 stopped as told; 64 wrong usage; 69 the address cannot be listened at; 74 a file cannot be read or
        written; 75 to be started again: the configuration or a disk changed; 78 a file's contents are wrong.
        """

    package var store: StoreLocation
    package var listen: ListenAddress
    package var setting: Setting

    package init(_ arguments: some Sequence<String>) throws(Mistake) {
        var values = try Self.values(arguments)
        guard let url = values.removeValue(forKey: "--store") else { throw Mistake(message: "--store is missing") }
        do throws(StoreLocation.Mistake) { store = try StoreLocation(url) } catch {
            throw Mistake(message: "--store: \(error.message)")
        }
        guard let listen = values.removeValue(forKey: "--listen").flatMap({ ListenAddress($0) }) else {
            throw Mistake(message: "--listen is not a numeric address and port such as 127.0.0.1:8480")
        }
        self.listen = listen
        setting = try values["--run"] == nil ? .alone(Replica(values)) : Self.box(values)
    }

    /// Each option at most once, with a value.
    private static func values(_ arguments: some Sequence<String>) throws(Mistake) -> [String: String] {
        let known = [
            "--run", "--cache", "--state", "--store", "--listen", "--credential", "--access", "--tls-certificate",
            "--tls-key",
        ]
        var values: [String: String] = [:]
        var rest = arguments.makeIterator()
        while let option = rest.next() {
            guard known.contains(option) else { throw Mistake(message: "unknown argument \(option)") }
            guard let value = rest.next() else { throw Mistake(message: "\(option) needs a value") }
            guard values.updateValue(value, forKey: option) == nil else {
                throw Mistake(message: "\(option) is there twice")
            }
        }
        return values
    }

    private static func box(_ values: [String: String]) throws(Mistake) -> Setting {
        let paths = ["--run", "--cache", "--state"].compactMap { values[$0] }.filter { $0.hasPrefix("/") }
        guard values.count == 3, paths.count == 3 else {
            throw Mistake(message: "--run, --cache and --state belong together, are absolute paths and suffer no other")
        }
        return .box(run: paths[0], cache: paths[1], state: paths[2])
    }
}

extension PlaybackArguments.Replica {
    fileprivate init(_ values: [String: String]) throws(PlaybackArguments.Mistake) {
        self.init(
            credential: values["--credential"], certificate: values["--tls-certificate"], key: values["--tls-key"],
            access: values["--access"])
        guard values["--cache"] == nil, values["--state"] == nil else {
            throw PlaybackArguments.Mistake(message: "--cache and --state need --run")
        }
        guard (certificate == nil) == (key == nil) else {
            throw PlaybackArguments.Mistake(message: "--tls-certificate and --tls-key belong together")
        }
    }
}
