import Foundation
import FragmentedMP4
import Messages
import TestSupport

extension EightCameras {
    /// Reads, decodes and compares every file of the box, which has stopped.
    mutating func examine(_ box: Box) async throws {
        leftovers = SegmentFiles.all(in: "\(box.root)/cache", endings: [".partial", ".suspect"])
        try await withThrowingTaskGroup(of: (String, Int64, Footage).self) { group in
            for camera in disturbed {
                let clip = try await SourceClip(clip(of: camera.name))
                for session in camera.sessions {
                    let files = TestBox.cached(camera.name, session: session, in: box.root)
                    group.addTask { (camera.name, session, try await Footage(files, of: clip)) }
                }
            }
            for try await (name, session, found) in group { footage[name, default: [:]][session] = found }
        }
        try await count()
        for camera in disturbed { compare(camera, in: box) }
        for file in SegmentFiles.all(in: "\(box.root)/cache") {
            do {
                let segment = try SegmentFiles.read(file)
                if !segment.isComplete { unreadable.append("\(file) is not complete") }
            } catch {
                unreadable.append("\(file): \(error)")
            }
        }
    }

    private mutating func compare(_ camera: RecordedCamera, in box: Box) {
        for segment in camera.stored {
            objects += 1
            let local = TestBox.cached(camera.name, session: segment.session, in: box.root)
                .first { $0.hasSuffix(".\(segment.session).\(segment.counter).mp4") }
            let object = TestBox.object(segment, in: box.root)
            if !FileManager.default.contentsEqual(atPath: object, andPath: local ?? "") { differing.append(object) }
        }
    }

    /// Counts, per kill, the frames that were sent and are not on disk.
    private mutating func count() async throws {
        let frames = try await SourceClip(clip(of: Self.victim)).hashes[0].count
        for index in kills.indices {
            guard let last = footage[Self.victim]?[kills[index].session]?.tracks.first?.last else {
                kills[index].lost = .max
                continue
            }
            let ahead = (kills[index].sent - last + frames) % frames
            // The frame on its way to the worker when the camera was asked may be on disk: then the disk is ahead.
            kills[index].lost = ahead > frames / 2 ? 0 : ahead
        }
    }
}
