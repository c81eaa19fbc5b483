import Foundation
import FragmentedMP4
import Recording

/// A directory of its own, gone with its owner.
final class Workspace {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory.appendingPathComponent("mp4-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    // A directory that stays behind in the temporary directory harms no test.
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }
}

/// What a finished program said.
struct Output {
    let status: Int32
    let text: String

    var lines: [Substring] { text.split(separator: "\n").filter { !$0.hasPrefix("#") } }

    /// Runs a program to its end; both of its outputs are in `text`.
    static func of(_ tool: String, _ arguments: [String]) throws -> Output {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/\(tool)")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Output(status: process.terminationStatus, text: String(decoding: data, as: UTF8.self))
    }
}

/// A stream that FFmpeg encoded, as packets, and the file they came from.
struct Clip {
    struct Packet {
        var decodeTime: Int64
        var presentationTime: Int64
        var data: [UInt8]
    }

    let codec: Codec
    let source: String
    let packets: [Packet]

    /// Encodes a second and takes it apart again.
    ///
    /// MPEG-TS keeps video in Annex B with access unit delimiters, as cameras send it; NUT keeps audio frames bare.
    init(_ codec: Codec, _ encoder: [String], in workspace: Workspace) throws {
        self.codec = codec
        source = workspace.file(codec.isVideo ? "source.ts" : "source-\(codec.rawValue).nut")
        let input =
            codec.isVideo
            ? "testsrc2=size=132x100:rate=25:duration=1"
            : "sine=duration=1:sample_rate=\(Self.rate(codec))"
        try Self.ffmpeg(["-f", "lavfi", "-i", input, "-c"] + encoder + [source])
        let list = workspace.file("packets-\(codec.rawValue)")
        let bytes = workspace.file("data-\(codec.rawValue)")
        try Self.ffmpeg([
            "-i", source, "-c", "copy", "-f", "framecrc", list, "-map", "0", "-c", "copy", "-f", "data", bytes,
        ])
        var rest = [UInt8](try Data(contentsOf: URL(fileURLWithPath: bytes)))[...]
        packets = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n").compactMap {
            line in
            let fields = line.split(separator: ",").map { $0.filter { $0 != " " } }
            guard fields.count > 4, let decode = Int64(fields[1]), let present = Int64(fields[2]),
                let size = Int(fields[4])
            else { return nil }
            defer { rest = rest.dropFirst(size) }
            return Packet(decodeTime: decode, presentationTime: present, data: Array(rest.prefix(size)))
        }
    }

    static func rate(_ codec: Codec) -> Int64 {
        switch codec {
        case .h264, .h265: 90000
        case .aac: 16000
        case .opus: 48000
        case .alaw, .ulaw: 8000
        }
    }

    private static func ffmpeg(_ arguments: [String]) throws {
        let output = try Output.of("ffmpeg", ["-v", "error", "-y"] + arguments)
        guard output.status == 0 else { throw Failure(text: output.text) }
    }

    struct Failure: Error { let text: String }

    var stream: StreamDescription {
        StreamDescription(
            codec: codec, clockRate: Self.rate(codec), channels: codec.isVideo ? 0 : 1,
            sampleRate: codec.isVideo ? 0 : Self.rate(codec),
            configuration: codec == .aac ? [0x14, 0x08] : packets.first?.data ?? [])
    }

    /// Time 0 is the first packet's; the first picture is shown at it, so reordered ones get negative offsets.
    func samples(track: Int) -> [Sample] {
        guard let start = packets.first else { return [] }
        let delay = start.presentationTime - start.decodeTime
        let ends = packets.dropFirst().map(\.decodeTime)
        let last =
            packets.count > 1
            ? packets[packets.count - 1].decodeTime - packets[packets.count - 2].decodeTime : 0
        return zip(packets, ends + [packets[packets.count - 1].decodeTime + last]).map { packet, end in
            let unit = codec.isVideo ? AccessUnit(annexB: packet.data, codec: codec) : nil
            return Sample(
                track: track, decodeTime: packet.decodeTime - start.decodeTime,
                duration: end - packet.decodeTime,
                compositionOffset: packet.presentationTime - packet.decodeTime - delay,
                isSync: unit?.isKey ?? true,
                data: unit?.sample ?? packet.data)
        }
    }
}

extension SegmentEncoder {
    /// The whole file: samples go into fragments of `seconds`, whatever their track.
    mutating func file(_ samples: [Sample], seconds: Double = 0.4) -> [UInt8] {
        var fragments: [Int: [Sample]] = [:]
        for sample in samples {
            let time = Double(sample.decodeTime) / Double(tracks[sample.track].timescale)
            fragments[Int(time / seconds), default: []].append(sample)
        }
        let media = fragments.keys.sorted().flatMap { fragment(fragments[$0] ?? []) }
        return initPart + media + trailer()
    }
}
