import Foundation
import TestSupport

/// A headless Chromium (`browser.py`), and the page that it shows.
actor Browser {
    private let process: ChildProcess
    private var answered = 0
    private var complained = 0

    /// Screenshots and downloads go to `folder`.
    init(folder: String) async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let venv = ProcessInfo.processInfo.environment["CVR_TEST_VENV"] ?? Repository.path(".venv-test")
        process = try ChildProcess(
            "\(venv)/bin/python", [Repository.path("Tests/BrowserTests/browser.py"), folder])
        let _: String = try await answer(to: "the start", within: .seconds(60))
    }

    /// What the page complained of since it was asked last.
    func newComplaints() -> String {
        let lines = process.errors.lines
        defer { complained = lines.count }
        return lines.dropFirst(complained).joined(separator: "\n")
    }

    /// A page of its own, in a time zone of tzdata's; `scheme` is dark or light, scripts run in it first.
    func open(
        _ url: String, width: Int = 1280, height: Int = 800, scheme: String = "light", zone: String = "UTC",
        scripts: [String] = []
    ) async throws {
        try await tell([
            "open": .text(url), "width": .number(width), "height": .number(height), "scheme": .text(scheme),
            "zone": .text(zone), "scripts": .texts(scripts),
        ])
    }

    func value<Value: Decodable & Sendable>(_ script: String) async throws -> Value {
        try send(["evaluate": .text(script)])
        return try await answer(to: script, within: .seconds(60))
    }

    /// Runs a script for what it does.
    func run(_ script: String) async throws { try await tell(["evaluate": .text("() => { \(script) }")]) }

    /// Waits until a script's value is true.
    func until(_ script: String, within seconds: Int = 20) async throws {
        try await tell(["until": .text(script), "within": .number(seconds)])
    }

    func press(_ keys: String...) async throws { try await tell(["press": .texts(keys)]) }
    func move(x: Int, y: Int) async throws { try await tell(["move": .numbers([x, y])]) }
    /// One finger: `touchStart`, `touchMove`, or without a place `touchEnd`.
    func touch(_ what: String, at place: [Int] = []) async throws {
        try await tell(["touch": .text(what), "place": .numbers(place)])
    }
    /// `ROLE NAME` of all that is told to those who do not see the page.
    func tree() async throws -> [String] {
        try send(["tree": .text("all")])
        return try await answer(to: "the accessibility tree", within: .seconds(60))
    }
    func click(_ selector: String) async throws { try await tell(["click": .text(selector)]) }
    func fill(_ selector: String, _ text: String) async throws { try await tell(["fill": .texts([selector, text])]) }
    func shot(_ name: String) async throws { try await tell(["shot": .text(name)]) }

    /// Addresses whose answers have begun, or are waited for, and have not ended.
    func underWay() async throws -> [String] {
        try send(["underway": .text("")])
        return try await answer(to: "requests under way", within: .seconds(60))
    }

    /// Clicks, and waits for the file that comes of it.
    func download(_ selector: String) async throws -> String {
        try send(["download": .text(selector)])
        return try await answer(to: "a download", within: .seconds(90))
    }

    func stop() async {
        process.closeInput()
        await process.stop()
    }

    private enum Argument: Encodable {
        case text(String), number(Int), texts([String]), numbers([Int])

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let value): try container.encode(value)
            case .number(let value): try container.encode(value)
            case .texts(let value): try container.encode(value)
            case .numbers(let value): try container.encode(value)
            }
        }
    }

    private struct Answer<Value: Decodable>: Decodable {
        let value: Value?
        let error: String?
    }

    private struct Refused: Decodable {
        let error: String?
    }

    private func tell(_ command: KeyValuePairs<String, Argument>) async throws {
        try send(command)
        let line = try await line(after: command.first?.key ?? "", within: .seconds(60))
        if let error = try JSONDecoder().decode(Refused.self, from: line).error { throw missed("\(command)", error) }
    }

    /// The verb is the first member: that is what the other side goes by.
    private func send(_ command: KeyValuePairs<String, Argument>) throws {
        let members = try command.map { key, value in
            "\"\(key)\":" + String(decoding: try JSONEncoder().encode([value]).dropFirst().dropLast(), as: UTF8.self)
        }
        try process.send("{" + members.joined(separator: ",") + "}")
    }

    private func answer<Value: Decodable & Sendable>(to what: String, within limit: Duration) async throws -> Value {
        let line = try await line(after: what, within: limit)
        let answer = try JSONDecoder().decode(Answer<Value>.self, from: line)
        guard let value = answer.value else { throw missed(what, answer.error ?? "no value") }
        return value
    }

    private func line(after what: String, within limit: Duration) async throws -> Data {
        let line = try await process.output.first(from: answered, "an answer to \(what)", within: limit) { $0 }
        answered = line.index + 1
        return Data(line.found.utf8)
    }

    private func missed(_ what: String, _ error: String) -> Missed {
        Missed("\(what.prefix(300)): \(error)\n\(process.errors.text.suffix(2000))")
    }
}
