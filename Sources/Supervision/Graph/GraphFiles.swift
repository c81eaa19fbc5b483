import FoundationEssentials
import Glibc
import JSON
package import MediaGraph
package import Recording
import Synchronization
import YAMLConfiguration

/// Media graphs on disk: `<state>/graph/{topologies,instances,recordings}/NAME.json`, names in lower case.
///
/// Whole files, written by rename; secrets are sealed. All of it blocks on the state's disk.
package struct GraphFiles: Sendable {
    /// What was found at a start.
    package struct Contents: Sendable {
        package var topologies: [Topology] = []
        package var instances: [Instance] = []
        /// By camera.
        package var chronicles: [String: Chronicle] = [:]
        /// What is no media graph, in words for an event each; the files are set aside.
        package var refused: [String] = []
        /// What cannot be read now, as `instances/front`, and why; the files are left as they are.
        package var unread: [String: String] = [:]
    }

    private enum Kind: String { case topologies, instances, recordings }

    /// Of the largest topology that a client may set, with what sealing adds.
    private static let limit = 4 << 20
    private static let keyName = "graph-key"

    private let places: Places
    private let credentials: CredentialFile
    private let key: GraphKey
    /// False while files wait that no key has opened: they may be another one's than what is found now, or would be made.
    private let takesNewKey: Bool

    package init(
        places: Places, credentials: CredentialFile, key: GraphKey = GraphKey(), takesNewKey: Bool = true
    ) {
        self.places = places
        self.credentials = credentials
        self.key = key
        self.takesNewKey = takesNewKey
    }

    // MARK: Reading

    /// Of `wanted` alone, where that is given: what could not be read before.
    package func load(only wanted: Set<String>? = nil) throws -> Contents {
        var contents = Contents()
        let seal = LazySeal(self, seals: false)
        for name in try names(.topologies, wanted) {
            guard let value = read(.topologies, name, seal, &contents, { try Topology(stored: $0, open: $1) }) else {
                continue
            }
            contents.topologies.append(value)
        }
        for name in try names(.instances, wanted) {
            guard let value = read(.instances, name, seal, &contents, { try Instance(stored: $0, open: $1) }) else {
                continue
            }
            contents.instances.append(value)
        }
        for name in try names(.recordings, wanted) {
            guard let value = read(.recordings, name, seal, &contents, { json, _ in try Chronicle(stored: json) })
            else {
                continue
            }
            contents.chronicles[name] = value
        }
        return contents
    }

    /// In alphabetical order; of a directory that is not there, none.
    private func names(_ kind: Kind, _ wanted: Set<String>?) throws(FileError) -> [String] {
        let path = directory(kind)
        guard let handle = opendir(path) else {
            if errno == ENOENT { return [] }
            throw FileError("open", path, errno, nextStep: "make it readable for cvrd")
        }
        defer { closedir(handle) }
        var found: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".json"), !name.hasPrefix(".") { found.append(String(name.dropLast(5))) }
        }
        return found.filter { wanted?.contains("\(kind.rawValue)/\($0)") != false }.sorted()
    }

    /// Nil for a file that is set aside, or that cannot be read now: the others are not to suffer from it.
    private func read<Value>(
        _ kind: Kind, _ name: String, _ seal: LazySeal, _ contents: inout Contents,
        _ make: (JSONValue, @escaping (String) throws -> Secret) throws -> Value
    ) -> Value? {
        let path = path(kind, name)
        seal.forgetFailure()
        do {
            guard let bytes = try SmallFile.read(path, limit: Self.limit) else { return nil }
            let json = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
            return try make(json) { try seal.open($0, for: "\(kind.rawValue)/\(name)") }
        } catch let error as FileError {
            contents.unread["\(kind.rawValue)/\(name)"] = "\(error), then run `cvrctl reload`"
            return nil
        } catch {
            // Whatever it was told as: without the key nothing is known of the file, and no other one says that it is damaged.
            if let failure = seal.failure {
                contents.unread["\(kind.rawValue)/\(name)"] = "\(failure)"
                return nil
            }
            let aside = path + ".refused"
            let isAside = SmallFile.setAside(path, as: aside)
            contents.refused.append(
                "\(path) cannot be used: \(Self.explain(error)). "
                    + (isAside
                        ? "It was set aside as \(aside): correct it, rename it back and restart cvrd, or set it anew"
                        : "Correct it and restart cvrd, or set it anew"))
            return nil
        }
    }

    private static func explain(_ error: any Error) -> String {
        switch error {
        case let error as GraphError: ([error.message] + error.details.map(\.message)).joined(separator: " ")
        case is DecodingError, is Chronicle.Unreadable: "it is not JSON of this kind"
        default: "\(error)"
        }
    }

    // MARK: Writing

    package func write(_ topology: Topology) throws {
        try write(.topologies, topology.name) { topology.json(.sealed($0)) }
    }

    package func write(_ instance: Instance) throws {
        try write(.instances, instance.name) { instance.json(.sealed($0)) }
    }

    /// Nothing to tell leaves no file.
    package func write(_ chronicle: Chronicle, of camera: CameraName) throws {
        guard !chronicle.isEmpty else {
            try SmallFile.makeDirectory(directory(.recordings))
            return try SmallFile.remove(path(.recordings, camera.text))
        }
        try write(.recordings, camera.text) { _ in chronicle.json }
    }

    package func remove(topology name: String) throws { try SmallFile.remove(path(.topologies, name)) }
    package func remove(instance name: String) throws { try SmallFile.remove(path(.instances, name)) }

    private func write(_ kind: Kind, _ name: String, _ json: (@escaping @Sendable (Secret) -> String) -> JSONValue)
        throws
    {
        let seal = LazySeal(self, seals: true)
        let text = json { seal.seal($0, for: "\(kind.rawValue)/\(name.lowercased())") }.text
        if let failure = seal.failure { throw failure }
        try SmallFile.makeDirectory(directory(kind))
        try SmallFile.write(Array("\(text)\n".utf8), to: path(kind, name), mode: 0o600)
    }

    private func directory(_ kind: Kind) -> String { "\(places.graph)/\(kind.rawValue)" }
    private func path(_ kind: Kind, _ name: String) -> String { "\(directory(kind))/\(name.lowercased()).json" }

    // MARK: Key

    /// The key is read, or made, when the first secret needs it.
    private final class LazySeal: Sendable {
        private struct State {
            var key: GraphKey.Known?
            var failure: (any Error)?
        }

        private let files: GraphFiles
        private let seals: Bool
        private let state = Mutex(State())

        init(_ files: GraphFiles, seals: Bool) {
            self.files = files
            self.seals = seals
        }

        /// Of sealing, which has no other way to say so, and of what does not open.
        var failure: (any Error)? { state.withLock { $0.failure } }

        func forgetFailure() { state.withLock { $0.failure = nil } }

        /// Empty after a failure.
        func seal(_ secret: Secret, for file: String) -> String {
            // `failure` has the reason.
            (try? use { try $0.seal(secret, for: file) }) ?? ""
        }

        func open(_ text: String, for file: String) throws -> Secret {
            try use { seal in
                do { return try seal.open(text, for: file) } catch {
                    throw Refusal(
                        code: "credential",
                        "what is secret in it does not open with the credential \(GraphFiles.keyName) of now",
                        nextStep: "Put back the one that it was and run `cvrctl reload`, or remove the file")
                }
            }
        }

        private func use<Value: Sendable>(_ body: (GraphSeal) throws -> Value) throws -> Value {
            try state.withLock { state in
                do {
                    let key = try state.key ?? (seals ? files.keyToSeal() : files.keyToOpen())
                    state.key = key
                    let value = try body(key.seal)
                    files.key.isRight(key)
                    return value
                } catch {
                    state.failure = error
                    throw error
                }
            }
        }
    }

    /// The one that has proven to be it, whatever the credential holds by now.
    private func keyToOpen() throws -> GraphKey.Known { try key.known ?? storedKey() }

    private func storedKey() throws -> GraphKey.Known { try GraphKey.Known(try credentials.read(Self.keyName)) }

    /// The one that all the rest is sealed with; a credential that was removed since is put back, and nothing is sealed
    /// beside another one, or the next cvrd could open nothing.
    private func keyToSeal() throws -> GraphKey.Known {
        let isMissing = credentials.lacks(Self.keyName)
        if let known = key.known {
            if isMissing { try store(known) }
            guard try storedKey().text == known.text else {
                throw Refusal(
                    code: "credential",
                    "the credential \(Self.keyName) is another one than media graphs are sealed with",
                    nextStep: "Put back the one that it was, or remove it: cvrd then puts its own back")
            }
            return known
        }
        guard takesNewKey else {
            _ = try storedKey()
            throw Refusal(
                code: "credential",
                "files of media graphs wait to be read, and nothing shows that the credential \(Self.keyName) is theirs",
                nextStep: "Make them readable or remove them, and run `cvrctl reload`; `cvrctl events` names them")
        }
        guard isMissing else { return try storedKey() }
        let made = try GraphKey.Known(GraphSeal.makeKey())
        try store(made)
        return made
    }

    private func store(_ key: GraphKey.Known) throws {
        try SmallFile.makeDirectory(places.credentials)
        try SmallFile.write(
            Array("\(key.text.revealed())\n".utf8), to: "\(places.credentials)/\(Self.keyName)", mode: 0o600)
    }
}
