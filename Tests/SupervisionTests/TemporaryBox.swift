import Foundation
import Isolation
import Logging
import Messages
import Recording
import Supervision
import TestSupport
import Testing
import YAMLConfiguration

/// Directories of a box of its own, and scripted programs in the place of the real ones.
final class TemporaryBox: Sendable {
    let root: String

    init() throws {
        // Short: a Unix socket's path has at most 107 bytes.
        root = "/tmp/cvrd-test-\(UInt32.random(in: 0...UInt32.max))"
        try SmallFile.makeDirectory(root + "/bin")
        try script("cvr-ingest", ScriptedWorker.program())
        try script("cvr-sync", Self.silentSync)
    }

    /// Says who it is, and nothing more.
    private static let silentSync = """
        #!/usr/bin/python3
        import json, os, signal, sys
        start = int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19])
        boot = open("/proc/sys/kernel/random/boot_id").read().strip()
        with open(sys.argv[2] + "/state.json", "w") as file:
            json.dump({"pid": os.getpid(), "startTime": start, "bootID": boot}, file)
        signal.pause()
        """

    /// Whatever a test left, also standing still, runs no longer than its box.
    deinit {
        // What /proc does not list any more is gone, and a leftover in /tmp harms nothing.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = Int32(name), ProcessFacts.arguments(of: pid).contains(where: { $0.hasPrefix(root + "/") })
            else { continue }
            kill(pid, SIGKILL)
        }
        try? FileManager.default.removeItem(atPath: root)
    }

    func script(_ name: String, _ text: String) throws {
        try SmallFile.write(Array(text.utf8), to: "\(root)/bin/\(name)", mode: 0o700)
    }

    /// `cache` is one more setting of that section, `more` are further sections.
    func configure(
        _ cameras: String, cache: String = "localMediaCacheMaximumSizeMiB: 64", listen: String = "none",
        gateway: String? = nil, more: String = ""
    ) throws {
        let text = """
            runtime: { path: \(root)/run }
            state: { path: \(root)/state }
            cache: { path: \(root)/cache, \(cache) }
            store: { url: "file://\(root)/store" }
            playback: { listen: \(listen) }
            cameras: \(cameras)
            \(gateway.map { "gateway: \($0)" } ?? "")
            \(more)
            """
        try SmallFile.write(Array(text.utf8), to: "\(root)/cvr.yaml", mode: 0o600)
    }

    var files: ConfigurationFiles { ConfigurationFiles(mainPath: "\(root)/cvr.yaml") }

    func places() throws -> Places { Places(try files.load()) }

    /// There is none: boxes of scripts serve nothing unless they say so.
    static let noPlayback = "/nowhere/cvr-playback"

    /// `playback` is the program that serves.
    func supervisor(
        ratePatience: TimeSpan = .seconds(10), graphPatience: TimeSpan = .seconds(10),
        gateRound: TimeSpan = .milliseconds(100), windowPatience: TimeSpan = .seconds(30),
        lastWrites: TimeSpan = .seconds(5), messagePatience: TimeSpan = .seconds(8),
        playback: String = noPlayback
    ) throws -> Supervisor {
        Supervisor(
            try files.load(), files: files,
            surroundings: Supervisor.Surroundings(
                version: "test",
                programs: Programs(
                    ingest: "\(root)/bin/cvr-ingest", sync: "\(root)/bin/cvr-sync", playback: playback,
                    gateway: "\(Repository.binaries)/cvr-gateway"),
                credentialsDirectory: nil, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                ratePatience: ratePatience, graphPatience: graphPatience, gateRound: gateRound,
                windowPatience: windowPatience, lastWrites: lastWrites, messagePatience: messagePatience))
    }

    /// What the scripted worker of a camera says on each connection.
    func say(_ camera: String, _ messages: [IngestToSupervisor]) throws {
        try say(camera, messages.flatMap(\.frame))
    }

    /// From now on a camera's worker says of the windows that it hears that they are over, the first with `session`, the
    /// next with the next one; of each only when it hears of it for the `time`th time.
    ///
    /// `first` is said as its first session.
    func close(_ camera: String, from session: Int64, first: Int64? = nil, time: Int = 1) throws {
        let first = first.map { " \($0)" } ?? ""
        let text = #"{"session": \#(session), "time": \#(time), "first": "\#(first)"}"#
        try SmallFile.write(Array(text.utf8), to: "\(root)/bin/\(camera).over", mode: 0o600)
    }

    func say(_ camera: String, _ bytes: [UInt8]) throws {
        try SmallFile.write(bytes, to: "\(root)/bin/\(camera).frames", mode: 0o600)
    }
}

/// A worker in a process of its own: listens as a real one, says what it was given, and hangs up on later versions.
///
/// It reports as an event every message that it hears; told to stop, it exits 0. Its slot's lock file names it, SIGTERM
/// makes it leave last words, and its hello has its own pid in the place of `pidToCome`.
enum ScriptedWorker {
    static func program(version: UInt8 = Frame.version) -> String {
        "#!/usr/bin/python3\nversion = \(version)\n" + text
    }

    private static let text = #"""
        import json, os, signal, socket, sys
        arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
        camera, run = arguments["--camera"], arguments["--run"]
        me = {
            "pid": os.getpid(),
            "startTime": int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19]),
            "bootID": open("/proc/sys/kernel/random/boot_id").read().strip()}

        def write(path, what):
            with open(path + ".new", "w") as file:
                json.dump(what, file)
            os.rename(path + ".new", path)

        def leave(*_):
            if os.path.isdir(run):
                write(run + "/last-words.json", me | {"code": 74, "why": "the disk of " + camera})
            os._exit(74)

        signal.signal(signal.SIGTERM, leave)
        write(arguments["--cache"] + "/lock." + arguments["--slot"], me)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(run + "/worker.sock.new")
        listener.listen()
        os.rename(run + "/worker.sock.new", run + "/worker.sock")

        def text(value):
            return len(value).to_bytes(4, "big") + value

        def event(type, detail):
            return text(bytes([version, 7]) + text(type) + (0).to_bytes(8, "big") + text(detail.encode()))

        windows = {}

        def over(content):
            try:
                given = json.load(open(os.path.join(os.path.dirname(sys.argv[0]), camera + ".over")))
            except OSError:
                return b""
            id = content[6:6 + int.from_bytes(content[2:6], "big")].decode()
            windows[id] = windows.get(id, 0) + 1
            if windows[id] < given["time"]:
                return b""
            return event(b"windowClosed", f"{id} {given['session'] + list(windows).index(id)}{given['first']}")

        def converse(connection):
            frames = os.path.join(os.path.dirname(sys.argv[0]), camera + ".frames")
            pid_to_come = (\#(pidToCome)).to_bytes(8, "big")
            connection.sendall(open(frames, "rb").read().replace(pid_to_come, os.getpid().to_bytes(8, "big")))
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
                while len(received) >= 4 and len(received) - 4 >= int.from_bytes(received[:4], "big"):
                    length = int.from_bytes(received[:4], "big")
                    content, received = received[4:4 + length], received[4 + length:]
                    if content[0] > version:
                        return connection.close()
                    connection.sendall(event(b"heard", content.hex()))
                    if content[1] == 5:
                        connection.sendall(over(content))
                    if content[1] == 2:
                        os._exit(0)

        while True:
            connection, _ = listener.accept()
            try:
                converse(connection)
            except OSError:
                pass  # cvrd looked who is there, or left
        """#

    static let pidToCome: Int64 = 0x7069_6420_746F_2063

    static func hello(_ camera: String) throws -> IngestToSupervisor {
        let name = try #require(CameraName(camera))
        return .hello(WorkerIdentity(camera: name, slot: .a, pid: pidToCome, build: "test"))
    }

    /// The message behind a `heard` event.
    static func message(_ event: Listing.Event) throws -> SupervisorToIngest {
        var bytes: [UInt8] = []
        var rest = event.detail[...]
        while !rest.isEmpty {
            bytes.append(try #require(UInt8(rest.prefix(2), radix: 16)))
            rest = rest.dropFirst(2)
        }
        return try SupervisorToIngest(content: bytes)
    }
}

/// Takes events by type and camera; those that did not fit stay for later.
struct EventReader {
    private var waiting: [Listing.Event]
    private var iterator: AsyncStream<Listing.Event>.Iterator

    init(_ log: EventLog) {
        let (recent, later) = log.follow()
        waiting = recent
        iterator = later.makeAsyncIterator()
    }

    mutating func next(_ type: String, camera: String? = nil) async throws -> Listing.Event {
        while true {
            if let index = waiting.firstIndex(where: { $0.type == type && (camera == nil || $0.camera == camera) }) {
                return waiting.remove(at: index)
            }
            let next = await iterator.next()
            waiting.append(try #require(next, "no \(type) after \(waiting.map { "\($0.type): \($0.detail)" })"))
        }
    }
}

/// Waits for what never comes.
func untilCancelled() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    for await _ in stream {}
    continuation.finish()
}
