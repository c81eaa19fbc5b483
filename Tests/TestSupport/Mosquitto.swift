import Foundation
import Glibc

/// A real MQTT broker of this test process's own, at a port of this host; what it keeps outlives `stop`.
package final class Mosquitto: Sendable {
    package let port: Int
    package let folder: String
    private let child: ChildProcess

    /// With `password` only `cvr` may use it; `after` is one that was stopped, which this one goes on for, `port` one
    /// that is waited at already, and `lines` are more of its configuration.
    package init(
        password: String? = nil, certificate: Certificate? = nil, after: Mosquitto? = nil, port: Int? = nil,
        lines more: [String] = []
    ) async throws {
        self.port = try after?.port ?? port ?? freePort()
        folder = after?.folder ?? FileManager.default.temporaryDirectory.appending(path: "mosquitto-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var lines = [
            "listener \(self.port) 127.0.0.1", "persistence true", "persistence_location \(folder)/", "log_dest stderr",
            "log_type all", "max_queued_messages 0", "allow_anonymous \(password == nil)",
        ]
        lines += more
        // A broker that root starts goes on as another user, who could not write there.
        if geteuid() == 0 { lines.append("user root") }
        if let password {
            let file = folder + "/passwords"
            let made = try await run("/usr/bin/mosquitto_passwd", ["-c", "-b", file, "cvr", password])
            guard made.ending == .exited(0) else { throw Missed("mosquitto_passwd: \(made.errors)") }
            lines.append("password_file \(file)")
        }
        if let certificate { lines += ["certfile \(certificate.path)", "keyfile \(certificate.key)"] }
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: folder + "/mosquitto.conf"))
        child = try ChildProcess("/usr/sbin/mosquitto", ["-c", folder + "/mosquitto.conf"])
        _ = try await child.errors.first("mosquitto runs") { $0.contains("running") ? true : nil }
    }

    deinit { child.signal(SIGKILL) }

    /// Stops and continues it as it is: its kernel answers, it does not.
    package func freeze(_ isFrozen: Bool) { child.signal(isFrozen ? SIGSTOP : SIGCONT) }

    /// Ends it; sessions and what waits in them are kept.
    package func stop() async { await child.stop() }

    /// Who connects, and with what, as its log says.
    package var log: [String] { child.errors.lines }

    /// A subscriber, whose output has a line for each message: topic, a tab, and the payload.
    ///
    /// Its session is kept by name.
    package func subscribe(_ topics: [String], name: String, options: [String] = []) async throws -> ChildProcess {
        let subscriber = try ChildProcess(
            "/usr/bin/mosquitto_sub",
            ["-h", "127.0.0.1", "-p", "\(port)", "-i", name, "-c", "-q", "1", "-F", "%t\t%p"] + options
                + topics.flatMap { ["-t", $0] })
        _ = try await child.errors.first("\(name) is subscribed") {
            $0.contains("Sending SUBACK to \(name)") ? true : nil
        }
        return subscriber
    }

    /// Publishes each line as a message, by one client.
    package func publish(_ topic: String, lines: [String]) async throws {
        let done = try await run(
            "/usr/bin/mosquitto_pub", ["-h", "127.0.0.1", "-p", "\(port)", "-q", "1", "-t", topic, "-l"],
            input: lines.map { $0 + "\n" }.joined())
        guard done.ending == .exited(0) else { throw Missed("mosquitto_pub: \(done.errors)") }
    }

    /// Publishes a message and returns once the broker has it.
    package func publish(_ topic: String, _ payload: String, options: [String] = []) async throws {
        let done = try await run(
            "/usr/bin/mosquitto_pub",
            ["-h", "127.0.0.1", "-p", "\(port)", "-q", "1", "-t", topic, payload.isEmpty ? "-n" : "-s"] + options,
            input: payload)
        guard done.ending == .exited(0) else { throw Missed("mosquitto_pub: \(done.errors)") }
    }
}

/// A port of this host that nobody has at the moment.
package func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
            bind(descriptor, raw, size) == 0 && getsockname(descriptor, raw, &size) == 0
        }
    }
    guard isBound else { throw Missed("no free port: errno \(errno)") }
    return Int(in_port_t(bigEndian: address.sin_port))
}
