import Foundation
import FragmentedMP4
import Messages
import Recording
import TestSupport

/// The disks of a box whose every process was killed at once while it recorded, to be started from again and again.
struct Crashed: Sendable {
    static let cameras = ["front", "yard"]

    let cache: FileTree
    let identities: FileTree
    /// Segments that were closed before, by camera.
    let closed: [String: Int]

    /// 2 Mbps in segments of 2 s, some closed, one growing; nothing was uploaded.
    static let shared = Task { try await Machine.shared.place { try await Crashed() } }

    private init() async throws {
        (cache, identities, closed) = try await withCameras(Self.cameras.map { .init($0, clip: "demo") }) { box, _ in
            try await box.start()
            // Without cvr-sync the disks are what the workers alone make of them.
            kill(try box.sync().pid, SIGSTOP)
            var closed: [String: Int] = [:]
            for camera in Self.cameras {
                try await eventually("four segments of \(camera)", within: .seconds(60)) {
                    let count = SegmentFiles.all(in: "\(box.root)/cache/\(camera)", endings: [".mp4"]).count
                    return count >= 4 ? true : nil
                }
            }
            try await eventually("a growing segment of each", every: .milliseconds(50)) {
                let growing = try Self.cameras.filter { try Self.fragments(of: $0, in: box.root) > 0 }
                return growing.count == Self.cameras.count ? true : nil
            }
            try await box.crash()
            for camera in Self.cameras {
                closed[camera] = SegmentFiles.all(in: "\(box.root)/cache/\(camera)", endings: [".mp4"]).count
            }
            return (try FileTree("\(box.root)/cache"), try FileTree("\(box.root)/state/identities"), closed)
        }
    }

    /// Whole fragments in a camera's growing segment.
    private static func fragments(of camera: String, in root: String) throws -> Int {
        guard let partial = SegmentFiles.all(in: "\(root)/cache/\(camera)", endings: [".partial"]).first,
            let segment = try? SegmentFiles.read(partial)  // its first bytes may be on their way
        else { return 0 }
        return segment.fragments.count
    }

    /// Puts these disks into a box that was not started yet.
    func restore(into box: Box) throws {
        try cache.write(to: "\(box.root)/cache")
        try identities.write(to: "\(box.root)/state/identities")
    }

    /// A box with the same cameras, where nobody listens: its workers recover and wait.
    static func settings() -> BoxSettings {
        var settings = BoxSettings(cameras.map { .init($0, url: "rtsp://127.0.0.1:9/\($0)") })
        // A crash loop of cvr-sync lasts longer than a worker's patience with it: nothing unverified may go meanwhile.
        settings.cacheFull = "stopRecording"
        return settings
    }
}

extension Box {
    /// Starts with a failpoint and returns when a process has died of it; then everything else is killed too.
    ///
    /// `approach` does what the step takes to be reached.
    func die(at step: String, approach: @Sendable (Box) async throws -> Void = { _ in }) async throws {
        try await start(environment: ["CVR_FAILPOINT": step])
        try await approach(self)
        let first = try await events.first("a process dies at \(step)", within: .seconds(30)) { line -> String? in
            // One that is started anew, since the store is another folder, dies of it later.
            guard !line.contains("exit code 75") else { return nil }
            return line.contains("\"workerExited\"") || line.contains("\"syncExited\"") ? line : nil
        }
        guard first.found.contains("signal 9") || first.found.contains("SIGKILL") || first.found.contains("killed")
        else {
            throw Missed("not killed by its failpoint: \(first.found)")
        }
        try await crash()
    }

    /// What the catalog answers about all that was before now, or before an earlier answer: to be the same after the
    /// catalog was deleted (I6).
    nonisolated func catalog(
        _ cameras: [String], until earlier: [String: Footprint]?
    ) async throws -> [String: Footprint] {
        var answers: [String: Footprint] = [:]
        for camera in cameras {
            let segments = try await segments(of: camera)
            let from = segments.map(\.start).min() ?? ""
            let to =
                earlier?[camera]?.coverage.to
                ?? WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1e6)).rfc3339
            // The restart in between closes the gap that is open, and leaves one of its own.
            let gaps = try await gaps(of: camera).filter { $0.to.map { $0 <= to } ?? false }
            answers[camera] = Footprint(
                segments: segments, gaps: gaps, coverage: try await coverage(of: camera, from: from, to: to))
        }
        return answers
    }

    /// Stops, deletes the catalog and starts again.
    func rebuildCatalog() async throws {
        _ = try await stop()
        for suffix in ["", "-wal", "-shm"] {
            // The journal files of SQLite are gone after a clean stop.
            try? FileManager.default.removeItem(atPath: "\(root)/state/sync/catalog.sqlite\(suffix)")
        }
        try await start()
    }
}

/// A camera's listing up to one moment, without what is still open.
struct Footprint: Hashable, Sendable {
    let segments: [Listing.Segment]
    let gaps: [Listing.Gap]
    let coverage: Listing.Coverage
}
