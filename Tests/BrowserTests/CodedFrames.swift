import Foundation
import TestSupport

/// The numbers that `contrib/camera/clips.py` puts into the pictures of its coded clips, read from a file.
enum CodedFrames {
    /// Every frame's, as ffmpeg decodes it.
    ///
    /// Any complaint of ffmpeg's is an error; all frames are 320 wide.
    static func numbers(in path: String) async throws -> [Int] {
        let (width, height) = (320, 32)
        let strip = "crop=iw:\(height):0:ih-36,format=gray"
        let done = try await run(
            "/usr/bin/ffmpeg",
            [
                "-nostdin", "-v", "error", "-xerror", "-i", path, "-map", "0:v", "-vf", strip, "-fps_mode",
                "passthrough",
                "-f", "rawvideo", "-",
            ])
        guard done.ending == .exited(0), done.errors.isEmpty else { throw Missed("\(path): \(done.errors)") }
        let picture = width * height
        return try stride(from: 0, to: done.output.count, by: picture).map { start in
            guard start + picture <= done.output.count else { throw Missed("\(path) is not \(width) wide") }
            let line = done.output.dropFirst(start + picture / 2).prefix(width)
            let cells = (0..<12).map { line[line.startIndex + 8 + 25 * $0 + 12] > 128 }
            guard cells[0], !cells[1] else { throw Missed("a picture of \(path) has no number") }
            return cells.dropFirst(2).reduce(0) { $0 * 2 + ($1 ? 1 : 0) }
        }
    }
}
