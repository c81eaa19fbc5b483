package import Recording

/// What cvr-gateway is told on its command line: nothing secret, and only what it must know before it shuts itself in.
package struct GatewayArguments: Hashable, Sendable {
    /// What is wrong with a command line.
    package struct Mistake: Error, Hashable, Sendable {
        package var message: String
    }

    package static let usage = """
        usage: cvr-gateway --run DIRECTORY [--listen ADDRESS:PORT]

        Lets programs on the network drive the media graphs of a recorder box, as Live Video Analytics' direct methods: over
        HTTP and MQTT; and sends them its events. cvrd starts it when cvr.yaml has gateway.

          --run DIRECTORY         where cvrd finds it
          --listen ADDRESS:PORT   a numeric address for HTTP; none without it
          --version               print the version
          --help                  print this

        Exit codes: 0 stopped as told; 64 wrong usage; 69 the address cannot be listened at; 74 a file cannot be read or
        written; 75 to be started again: the configuration or a file of the name service changed; 78 cvrd told what is wrong.
        """

    package var run: String
    package var listen: ListenAddress?

    package init(_ arguments: some Sequence<String>) throws(Mistake) {
        var values: [String: String] = [:]
        var rest = arguments.makeIterator()
        while let option = rest.next() {
            guard ["--run", "--listen"].contains(option) else { throw Mistake(message: "unknown argument \(option)") }
            guard let value = rest.next() else { throw Mistake(message: "\(option) needs a value") }
            guard values.updateValue(value, forKey: option) == nil else {
                throw Mistake(message: "\(option) is there twice")
            }
        }
        guard let run = values["--run"], run.hasPrefix("/") else {
            throw Mistake(message: "--run is missing, or no absolute path")
        }
        self.run = run
        guard let text = values["--listen"] else { return }
        guard let listen = ListenAddress(text) else {
            throw Mistake(message: "--listen is not a numeric address and port such as 127.0.0.1:8481")
        }
        self.listen = listen
    }
}
