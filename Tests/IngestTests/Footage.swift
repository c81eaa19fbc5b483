import Foundation
import Recording
import Testing

/// Real pictures to feed a recorder with: Annex B access units that x264 or x265 made.
struct Footage: Sendable {
    var codec: Codec
    var units: [[UInt8]]
    /// Frames from keyframe to keyframe.
    var group: Int

    /// 4 s at 25 fps, a keyframe each second.
    static let plain = encode(size: "64x48", group: 25)
    static let larger = encode(size: "128x96", group: 25)
    /// One keyframe in 4 s.
    static let longGroup = encode(size: "64x48", group: 100)
    static let h265 = encode(size: "128x96", group: 25, codec: .h265)

    private static func encode(size: String, group: Int, codec: Codec = .h264) -> Footage {
        let isH265 = codec == .h265
        let parameters =
            "keyint=\(group):min-keyint=\(group):scenecut=0:bframes=0:aud=1:repeat-headers=1:log-level=none"
        let arguments =
            ["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=\(size):rate=25:duration=4", "-pix_fmt", "yuv420p"]
            + (isH265
                ? ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", parameters, "-f", "hevc"]
                : ["-c:v", "libx264", "-preset", "ultrafast", "-x264-params", parameters, "-f", "h264"])
        let bytes = Tool.run("ffmpeg", arguments + ["-"]).output
        // Each access unit begins with its delimiter.
        let delimiter: [UInt8] = isH265 ? [0, 0, 0, 1, 0x46] : [0, 0, 0, 1, 0x09]
        var starts: [Int] = []
        for index in bytes.indices.dropLast(5)
        where bytes[index] == 0 && bytes[index..<index + 5].elementsEqual(delimiter) {
            starts.append(index)
        }
        let units = zip(starts, starts.dropFirst() + [bytes.count]).map { Array(bytes[$0..<$1]) }
        return Footage(codec: codec, units: units, group: group)
    }

    /// The same pictures with one key frame blown up to `bytes` by a filler NAL unit (H.264 type 12).
    func bloated(to bytes: Int) -> Footage {
        var footage = self
        footage.units[0] += [0, 0, 0, 1, 0x0C] + [UInt8](repeating: 0xFF, count: bytes) + [0x80]
        return footage
    }

    func isKey(_ frame: Int) -> Bool { frame % units.count % group == 0 }
}

/// A program of the machine, run to its end.
enum Tool {
    static func run(_ name: String, _ arguments: [String]) -> (status: Int32, output: [UInt8], errors: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/\(name)")
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            return (-1, [], "\(error)")
        }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, Array(bytes), text)
    }
}
