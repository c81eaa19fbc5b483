import Foundation
import Recording
import Testing

/// Real pictures to feed a recorder with: Annex B access units that x264 or x265 made.
struct Footage: Sendable, CustomTestStringConvertible {
    var testDescription: String { "\(codec), \(units.count) frames\(order.isEmpty ? "" : ", reordered")" }

    var codec: Codec
    var units: [[UInt8]]
    /// Frames from keyframe to keyframe.
    var group: Int

    /// 4 s at 25 fps, a keyframe each second.
    static let plain = encode(size: "64x48", group: 25)
    static let larger = encode(size: "128x96", group: 25)
    /// One keyframe in 4 s.
    static let longGroup = encode(size: "64x48", group: 100)
    /// Two pictures between two others are decoded after them: a depth of 2 with a pyramid.
    static let reordered = encode(size: "64x48", group: 25, bFrames: 3)
    static let h265 = encode(size: "128x96", group: 25, codec: .h265)

    /// When the n-th unit of a clip is shown, in frames.
    var order: [Int64] = []

    private static func encode(size: String, group: Int, codec: Codec = .h264, bFrames: Int = 0) -> Footage {
        let isH265 = codec == .h265
        let parameters =
            "keyint=\(group):min-keyint=\(group):scenecut=0:bframes=\(bFrames):aud=1:repeat-headers=1:log-level=none"
        let arguments =
            ["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=\(size):rate=25:duration=4", "-pix_fmt", "yuv420p"]
            + (isH265
                ? ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", parameters, "-f", "hevc"]
                : [
                    "-c:v", "libx264", "-preset", "ultrafast", "-x264-params",
                    parameters + (bFrames > 0 ? ":b-adapt=0:b-pyramid=normal:open-gop=0" : ""), "-f", "h264",
                ])
        let bytes = Tool.run("ffmpeg", arguments + ["-"]).output
        // Each access unit begins with its delimiter.
        let delimiter: [UInt8] = isH265 ? [0, 0, 0, 1, 0x46] : [0, 0, 0, 1, 0x09]
        var starts: [Int] = []
        for index in bytes.indices.dropLast(5)
        where bytes[index] == 0 && bytes[index..<index + 5].elementsEqual(delimiter) {
            starts.append(index)
        }
        let units = zip(starts, starts.dropFirst() + [bytes.count]).map { Array(bytes[$0..<$1]) }
        return Footage(codec: codec, units: units, group: group, order: bFrames > 0 ? Self.order(bytes) : [])
    }

    /// Output order of an Annex B stream's pictures, as ffprobe's decoder finds it, in frames.
    private static func order(_ bytes: [UInt8]) -> [Int64] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("order-\(UUID().uuidString).h264").path
        defer { try? FileManager.default.removeItem(atPath: path) }  // Left behind, it harms no test.
        // Without it ffprobe finds nothing, and no test passes.
        try? Data(bytes).write(to: URL(fileURLWithPath: path))
        let arguments = [
            "-v", "error", "-select_streams", "v", "-show_entries", "frame=coded_picture_number", "-of", "csv=p=0",
        ]
        let shown = Tool.run("ffprobe", arguments + [path]).output
        let coded = String(decoding: shown, as: UTF8.self).split(whereSeparator: \.isNewline)
            .compactMap { Int($0.prefix { $0.isNumber }) }
        var order = [Int64](repeating: 0, count: coded.count)
        for (position, number) in coded.enumerated() where order.indices.contains(number) {
            order[number] = Int64(position)
        }
        return order
    }

    /// When the n-th frame that is sent is shown, in frames from the first.
    func shown(_ frame: Int) -> Int64 {
        guard !order.isEmpty else { return Int64(frame) }
        return Int64(frame / units.count * units.count) + order[frame % units.count]
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
