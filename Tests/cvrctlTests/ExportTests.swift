import Foundation
import Messages
import Testing

@Suite("cvrctl: export and play", .timeLimit(.minutes(1)))
struct ExportTests {
    private static let block = 16 << 20

    @Test("what was saved before is not fetched again, and the manifest tells what the file is")
    func resumed() async throws {
        let folder = try Folder()
        let first = try ScriptedFootage(folder, "v1", last: 1)
        #expect(try await export(folder, first).status == 1)
        first.end()
        #expect(!folder.has("clip.mp4") && folder.has("clip.mp4.part"))
        let second = try ScriptedFootage(folder, "v1")
        defer { second.end() }
        let outcome = try await export(folder, second, "--json")
        #expect(outcome.status == 0, "\(outcome)")
        let starts = folder.text("log").split(separator: "\n").map { $0.prefix { $0 != "-" } }
        #expect(starts == ["bytes=0", "bytes=\(Self.block)", "bytes=\(Self.block)", "bytes=\(2 * Self.block)"])
        let manifest = try JSONSerialization.jsonObject(with: folder.data("clip.mp4.json")) as? [String: Any]
        #expect(manifest?["sha256"] as? String == second.hash)
        #expect((manifest?["bytes"] as? Int) == (try folder.data("clip.mp4").count))
        #expect((manifest?["segments"] as? [[String: Any]])?.first?["checksum"] as? String == "01234567")
        #expect(outcome.output.split(separator: "\n").count == 4 && outcome.output.contains(second.hash))
        #expect(!folder.has("clip.mp4.part") && !folder.has("clip.mp4.part.json"))
        // What is done is not asked for again, and told as before; another version is not written over it.
        let again = try await export(folder, second, "--json")
        #expect(again.status == 0 && again.output.contains(second.hash), "\(again)")
        #expect(folder.text("log").split(separator: "\n").count == 4)
        let third = try ScriptedFootage(folder, "v2")
        defer { third.end() }
        #expect(try await export(folder, third).status == 5)
    }

    @Test("two versions of the footage are never mixed")
    func changed() async throws {
        let folder = try Folder()
        let first = try ScriptedFootage(folder, "v1", last: 1)
        #expect(try await export(folder, first).status == 1)
        first.end()
        let moving = try ScriptedFootage(folder, "moving")
        let outcome = try await export(folder, moving, "--json")
        moving.end()
        #expect(outcome.status == 1 && outcome.output.contains("footageChanged"), "\(outcome)")
        let second = try ScriptedFootage(folder, "v2")
        defer { second.end() }
        #expect(try await export(folder, second).status == 0)
        #expect(folder.text("log").split(separator: "\n").suffix(3).first?.hasPrefix("bytes=0-") == true)
    }

    @Test("a server that is away, and one that knows no such camera, are told apart")
    func unanswered() async throws {
        let folder = try Folder()
        let server = try ScriptedFootage(folder, "v1")
        let range = ["--from", "2026-01-02T03:00:00Z", "--to", "2026-01-02T03:00:30Z", "--json"]
        let unknown = try await ScriptedCvrd.cvrctl(["export", "yard", "--url", server.address] + range)
        #expect(unknown.status == 3 && unknown.output.contains("noSuchCamera"))
        server.end()
        let away = try await ScriptedCvrd.cvrctl(["export", "front", "--url", server.address] + range)
        #expect(away.status == 4 && away.output.contains("playbackUnavailable"))
        for address in [
            "front", "http://", "ftp://h", "http://u@h", "http://h/x?y", "http://h/x/../y", "http://h//x", "http:///x",
        ] {
            let wrong = try await ScriptedCvrd.cvrctl(["export", "front", "--url", address] + range)
            #expect(wrong.status == 2, "\(address): \(wrong)")
        }
    }

    @Test("an export goes through a proxy that has the server below a path")
    func below() async throws {
        let folder = try Folder()
        let server = try ScriptedFootage(folder, "v1", path: "/site/cvr")
        defer { server.end() }
        let outcome = try await export(folder, server, "--json")
        #expect(outcome.status == 0 && outcome.output.contains(server.hash), "\(outcome)")
        let play = try await ScriptedCvrd.cvrctl(["play", "front", "--url", server.address + "/", "--json"])
        #expect(play.output == "{\"url\":\"\(server.address)/#cameras=front\"}\n")
    }

    @Test("play says where the page shows the camera")
    func play() async throws {
        let live = try await ScriptedCvrd.cvrctl(["play", "front", "--json"])
        #expect(live.output == "{\"url\":\"http://127.0.0.1:8480/#cameras=front\"}\n")
        let at = try await ScriptedCvrd.cvrctl(
            ["play", "front", "--at", "2026-01-02T05:00:00+02:00", "--url", "https://box:1/", "--json"])
        #expect(at.output.contains("https://box:1/#cameras=front&time=2026-01-02T03:00:00.000Z"))
        #expect(try await ScriptedCvrd.cvrctl(["play", "../x"]).status == 2)
    }

    @Test("play and export go to where cvrd says that cvr-playback is")
    func told() async throws {
        let host = ProcessInfo.processInfo.hostName
        for (listen, tls, address) in [
            ("127.0.0.1:9000", false, "http://127.0.0.1:9000"), ("[::1]:8480", false, "http://[::1]:8480"),
            ("192.0.2.7:443", true, "https://192.0.2.7:443"), ("0.0.0.0:8480", true, "https://\(host):8480"),
            ("[::]:8480", true, "https://\(host):8480"),
        ] {
            try await ScriptedCvrd.run(answering: Self.status(listen, tls: tls)) { cvrd in
                let live = try await cvrd.cvrctl("play", "front", "--json")
                #expect(live.output == "{\"url\":\"\(address)/#cameras=front\"}\n", "\(live)")
                let given = try await cvrd.cvrctl("play", "front", "--url", "http://[::1]:1", "--json")
                #expect(given.output == "{\"url\":\"http://[::1]:1/#cameras=front\"}\n", "\(given)")
            }
        }
        let folder = try Folder()
        let server = try ScriptedFootage(folder, "v1")
        defer { server.end() }
        let file = folder.path + "/clip.mp4"
        try await ScriptedCvrd.run(answering: Self.status(String(server.address.dropFirst("http://".count)))) { cvrd in
            let saved = try await cvrd.cvrctl(
                "export", "front", "--from", "2026-01-02T03:00:00Z", "--to", "2026-01-02T03:00:30Z", "--output",
                file)
            #expect(saved.status == 0, "\(saved)")
        }
        #expect(folder.text("clip.mp4.json").contains("\"source\":\"\(server.address)\""))
    }

    @Test("no address is printed of a server that is not there")
    func notServed() async throws {
        for (listen, state) in [(nil, "off"), ("127.0.0.1:8480", "away")] as [(String?, String)] {
            try await ScriptedCvrd.run(answering: Self.status(listen, state: state)) { cvrd in
                let none = try await cvrd.cvrctl("play", "front", "--json")
                #expect(none.status == 4 && none.output.contains("playbackUnavailable"), "\(state): \(none)")
                #expect(try await cvrd.cvrctl("play", "front", "--url", "http://[::1]:1").status == 0)
            }
        }
    }

    private static func status(_ listen: String?, tls: Bool = false, state: String = "running") -> Admin.Status {
        var playback = Admin.Playback(state: state)
        (playback.listen, playback.tls) = (listen, tls)
        return Admin.Status(version: "1", uptime: 1, cameras: [], sync: Admin.Sync(state: "idle"), playback: playback)
    }

    private func export(
        _ folder: Folder, _ server: ScriptedFootage, _ more: String...
    ) async throws -> ScriptedCvrd.Outcome {
        try await ScriptedCvrd.cvrctl(
            [
                "export", "front", "--from", "2026-01-02T03:00:00Z", "--to", "2026-01-02T03:00:30Z", "--url",
                server.address, "--output", folder.path + "/clip.mp4",
            ] + more)
    }
}

/// A folder of its own, gone with its owner.
private final class Folder {
    let path = FileManager.default.temporaryDirectory.path + "/export-\(UUID().uuidString)"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }

    // One that stays behind in the temporary directory harms no test.
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }

    func data(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: "\(path)/\(name)")) }

    /// Empty without such a file.
    func text(_ name: String) -> String { (try? String(decoding: data(name), as: UTF8.self)) ?? "" }
}

/// A cvr-playback that knows its answers by heart.
private final class ScriptedFootage {
    let address: String
    /// SHA-256 of its file.
    let hash: String
    private let process = Process()
    private let input = Pipe()

    init(_ folder: Folder, _ tag: String, last: Int = 100, path: String = "") throws {
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "footage.py").path
        process.arguments = [script, folder.path + "/log", tag, "\(last)", path]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        // Python may write the line in pieces.
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let piece = output.fileHandleForReading.availableData
            try #require(!piece.isEmpty, "footage.py ended")
            line += piece
        }
        let words = String(decoding: line, as: UTF8.self).split { " \n".contains($0) }
        address = "http://127.0.0.1:\(try #require(words.first))\(path)"
        hash = String(try #require(words.last))
    }

    func end() {
        // It ends by itself when its input does.
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
