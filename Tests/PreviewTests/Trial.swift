import Foundation
import TestSupport

/// One run of the real cvr-preview on bytes of our choice.
struct Trial {
    let ending: Ending
    let result: Data
    let complaint: String

    /// Asks for `job` with `media` behind its line.
    init(_ job: String, media: Data) async throws {
        let folder = try TemporaryFolder()
        let input = try folder.write("input", Data((job + "\n").utf8) + media)
        self = try await Trial(shell: "exec \"$0\" <'\(input)'")
    }

    /// Runs `script`, in which `$0` is cvr-preview.
    init(shell script: String) async throws {
        let done = try await run("/bin/sh", ["-c", script, Repository.binaries + "/cvr-preview"])
        (ending, result, complaint) = (done.ending, done.output, done.errors)
    }
}

/// A folder that goes with its value.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "cvr-preview-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // A leftover in /tmp fails no test.
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ name: String, _ data: Data) throws -> String {
        try data.write(to: URL(filePath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
}

/// Seconds of a clip as fragments that start with keyframes, behind their init part.
struct FragmentedClip {
    let bytes: Data
    /// Where each fragment begins; the init part is before the first.
    let borders: [Int]

    init(_ name: String, seconds: Int) async throws {
        let made = try await run(
            "/usr/bin/python3", [Repository.path("contrib/camera/clips.py"), name], within: .seconds(120))
        guard let path = try JSONDecoder().decode([String: String].self, from: made.output)[name] else {
            throw Missed("clip \(name): \(made.errors)")
        }
        let cut = try await run(
            "/usr/bin/ffmpeg",
            [
                "-nostdin", "-v", "error", "-i", path, "-t", "\(seconds)", "-c", "copy", "-f", "mov", "-movflags",
                "empty_moov+default_base_moof+frag_keyframe", "-",
            ])
        guard cut.ending == .exited(0) else { throw Missed("ffmpeg: \(cut.errors)") }
        bytes = cut.output
        borders = Self.moofs(in: bytes)
    }

    var initPart: Data { bytes.prefix(borders.first ?? 0) }

    /// From the numbered fragment on.
    func fragments(from index: Int) -> Data { bytes.suffix(from: borders[index]) }

    /// Offsets of the top boxes called `moof` (ISO/IEC 14496-12 §4.2).
    private static func moofs(in bytes: Data) -> [Int] {
        var (offset, found) = (0, [Int]())
        while offset + 8 <= bytes.count {
            let head = bytes[(bytes.startIndex + offset)..<(bytes.startIndex + offset + 8)]
            let size = head.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            if head.suffix(4).elementsEqual("moof".utf8) { found.append(offset) }
            guard size >= 8 else { break }
            offset += size
        }
        return found
    }
}
