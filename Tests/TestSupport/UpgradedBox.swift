package import Foundation
import Messages
import Testing

/// A box whose programs lie in a directory of its own, where a test installs another build.
package struct UpgradedBox: Sendable {
    package let box: Box
    package let cameras: [String]
    package var programs: String { "\(box.root)/programs" }

    package init(_ box: Box, _ cameras: [String]) async throws {
        (self.box, self.cameras) = (box, cameras)
        try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
        for name in ["cvrd", "cvr-ingest", "cvr-sync"] {
            try await copy("\(Repository.binaries)/\(name)", to: "\(programs)/\(name)")
        }
    }

    package func start(environment: [String: String] = [:]) async throws {
        try await box.start(environment: environment, programs: programs)
        try await box.until(cameras, are: "recording")
        for camera in cameras { try await box.untilStored(1, of: camera) }
    }

    /// The same code with another build id, as a package manager installs it: new files under the same names.
    package func installOtherBuild() async throws {
        let head = Data([4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4E, 0x55, 0])
        for name in ["cvr-sync", "cvr-ingest"] {
            var program = try Data(contentsOf: URL(filePath: "\(programs)/\(name)"))
            guard let note = program.range(of: head) else { throw Missed("\(name) has no build id") }
            program[note.upperBound] &+= 1
            try await install(program, as: name)
        }
    }

    package func install(_ program: Data, as name: String = "cvr-ingest") async throws {
        let path = "\(programs)/\(name)"
        try program.write(to: URL(filePath: path + ".bytes"))
        try await copy(path + ".bytes", to: path + ".new")
        guard rename(path + ".new", path) == 0 else { throw Missed("\(path) cannot be replaced") }
    }

    /// By a process of its own: a child that is just being started would else hold a file open that is written here, and
    /// what is open for writing cannot be executed.
    private func copy(_ from: String, to: String) async throws {
        let done = try await run("/usr/bin/install", ["-m", "755", from, to])
        guard done.ending == .exited(0) else { throw Missed("install \(from): \(done.errors)") }
    }

    /// Returns when cvrd has kept the build that records: its name in `status`.
    package func untilKept() async throws -> String {
        let build = try await box.status(of: cameras[0]).build
        let id = build.split(separator: "+").last ?? ""
        try await eventually("a kept build", within: .seconds(60)) {
            FileManager.default.fileExists(atPath: "\(box.root)/state/builds/\(id)/cvr-ingest") ? true : nil
        }
        return build
    }

    package func workers() throws -> [String: BoxProcess] {
        var found: [String: BoxProcess] = [:]
        for camera in cameras { found[camera] = try box.worker(of: camera) }
        return found
    }

    /// A segment more of each camera, whatever happened to it before.
    package func recordOn() async throws {
        try await box.until(cameras, are: "recording")
        for camera in cameras {
            let newest = try await box.segments(of: camera).count
            try await eventually("more of \(camera)", within: .seconds(40)) {
                try await box.segments(of: camera).filter { $0.state == "verified" }.count > newest ? true : nil
            }
        }
    }

    /// Every frame from the first to the last, over all sessions, against the clip that the camera loops.
    package func expectNoFrameLost(_ camera: String, allowsDuplicates: Bool = false) async throws {
        let recorded = try await RecordedCamera(camera, in: box)
        #expect(recorded.coverage?.percent == 100, "\(camera): \(String(describing: recorded.coverage))")
        let files = recorded.sessions.flatMap { TestBox.cached(camera, session: $0, in: box.root) }
        let footage = try await Footage(files, of: try await SourceClip("h264-video"), areOurs: false)
        #expect(footage.complaints.isEmpty)
        for track in footage.tracks {
            #expect(track.lost == 0 && track.foreign == 0, "\(camera): \(track)")
            if !allowsDuplicates { #expect(track.duplicated == 0, "\(camera): \(track)") }
        }
    }

    package func expectOneWorkerEach() {
        let workers = box.processes().filter { $0.program == "cvr-ingest" }
        #expect(
            workers.count == cameras.count && Set(workers.compactMap(\.camera)).count == cameras.count, "\(workers)")
    }
}
