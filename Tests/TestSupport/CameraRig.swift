package import Foundation

/// Simulated cameras (`contrib/camera/camera.py`), one RTSP port each.
package actor CameraRig {
    /// What one of the cameras is.
    package struct Camera: Sendable {
        package var name: String
        /// A name of `contrib/camera/clips.py`.
        package var clip: String
        package var options: [String]

        package init(_ name: String, clip: String, _ options: String...) {
            self.name = name
            self.clip = clip
            self.options = options
        }
    }

    /// Where a camera stands in one of its tracks.
    package struct Track: Decodable, Sendable {
        package let codec: String
        /// Units sent to clients so far.
        package let sent: Int
        /// Units in the clip.
        package let units: Int
        /// Index in the clip of the last unit that came due.
        package let last: Int
    }

    private struct Statistics: Decodable {
        let tracks: [Track]
    }

    package nonisolated let urls: [String: String]
    private let process: ChildProcess
    private var answered = 0

    /// Starts the cameras and returns when they serve.
    package init(_ cameras: [Camera]) async throws {
        let arguments = cameras.flatMap { camera in
            ["--camera", (["\(camera.name)=\(camera.clip)"] + camera.options).joined(separator: ",")]
        }
        process = try ChildProcess("/usr/bin/python3", [Repository.path("contrib/camera/camera.py")] + arguments)
        do {
            let ready = try await process.output.first("the cameras", within: .seconds(60)) { line in
                // Another line than the one looked for decodes to nothing.
                try? JSONDecoder().decode([String: [String: String]].self, from: Data(line.utf8))["ready"]
            }
            urls = ready.found
        } catch {
            process.signal(SIGKILL)
            throw Missed("\(error)\n\(process.errors.text)")
        }
    }

    package nonisolated func url(_ camera: String) throws -> String {
        guard let url = urls[camera] else { throw Missed("the rig has no camera \(camera)") }
        return url
    }

    /// Gives one of the commands that `camera.py --help` lists and waits for its answer.
    @discardableResult
    package func tell(_ command: String) async throws -> Data {
        try process.send(command)
        let answer = try await process.output.first(from: answered, "an answer to '\(command)'") { line in
            line.hasPrefix("{\"ok\"") || line.hasPrefix("{\"error\"") ? line : nil
        }
        answered = answer.index + 1
        guard answer.found.hasPrefix("{\"ok\"") else { throw Missed(answer.found) }
        return Data(answer.found.utf8)
    }

    package func tracks(of camera: String) async throws -> [Track] {
        try JSONDecoder().decode(Statistics.self, from: try await tell("stats \(camera)")).tracks
    }

    /// The number of lines that the cameras have printed: where to start looking for what happens next.
    package nonisolated var now: Int { process.output.lines.count }

    /// Waits for `connected`, `playing` or `closed` of a camera's client.
    package nonisolated func event(
        _ event: String, of camera: String, from index: Int = 0, within limit: Duration = .seconds(30)
    ) async throws {
        let line = "{\"event\": \"\(event)\", \"camera\": \"\(camera)\"}"
        _ = try await process.output.first(from: index, line, within: limit) { $0 == line ? true : nil }
    }

    /// How often a camera had one of these so far.
    package nonisolated func count(_ event: String, of camera: String) -> Int {
        let line = "{\"event\": \"\(event)\", \"camera\": \"\(camera)\"}"
        return process.output.lines.count { $0 == line }
    }

    package func stop() async {
        process.closeInput()
        await process.stop()
    }
}

/// Runs `body` with cameras that serve and a box, not started yet, that has each of them; whatever happens, nothing of
/// either runs afterwards.
///
/// `settings` changes the box's.
package func withCameras<Result: Sendable>(
    _ cameras: [CameraRig.Camera], sharedBy shared: Evidence? = nil, isolation: isolated (any Actor)? = #isolation,
    settings change: (inout BoxSettings) throws -> Void = { _ in },
    _ body: (Box, CameraRig) async throws -> Result
) async throws -> Result {
    let rig = try await CameraRig(cameras)
    do {
        var settings = BoxSettings(try cameras.map { .init($0.name, url: try rig.url($0.name)) })
        try change(&settings)
        let result = try await withBox(settings, sharedBy: shared) { try await body($0, rig) }
        await rig.stop()
        return result
    } catch {
        await rig.stop()
        throw error
    }
}

/// The checkout that the tests were built from.
package enum Repository {
    package static func path(_ relative: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: relative).path
    }

    /// The binaries under test.
    package static var binaries: String {
        ProcessInfo.processInfo.environment["CVR_TEST_BIN"] ?? path(".build/release")
    }
}
