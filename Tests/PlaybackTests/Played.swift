import Foundation
import Recording
import TestSupport

/// What ffmpeg takes out of an address, packet by packet, while it decodes all of it.
struct Played: Sendable {
    /// MD5 of each picture's coded slices, in decode order.
    var pictures: [String] = []
    /// MD5 and size of each packet of sound.
    var sound: [(hash: String, bytes: Int)] = []
    /// Decode times rise without exception, in each track.
    var rises = true
    /// Empty when it ended well and said nothing.
    var complaints = ""

    /// Plays all of an address, or `seconds` of it, and stops at the first error.
    init(_ input: String, _ codec: Codec?, options: [String] = []) async throws {
        let filter =
            codec == .h265
            ? "hevc_mp4toannexb,filter_units=pass_types=0-31" : "h264_mp4toannexb,filter_units=pass_types=1-5"
        let done = try await run(
            "/usr/bin/ffmpeg",
            ["-nostdin", "-v", "error", "-xerror", "-copyts"] + options + ["-i", input, "-map", "0", "-c", "copy"]
                + ["-bsf:v", filter, "-f", "framehash", "-hash", "md5", "-"]
                + ["-map", "0", "-fps_mode", "passthrough", "-enc_time_base:v", "-1", "-f", "null", "-"],
            within: .seconds(60))
        complaints = done.ending == .exited(0) ? done.errors : "\(done.ending) \(done.errors)"
        let lines = done.text.split(separator: "\n")
        let videos = Set(lines.compactMap { $0.wholeMatch(of: /#media_type (\d+): video/)?.output.1 })
        var last: [Substring: Int64] = [:]
        for line in lines where !line.hasPrefix("#") {
            let fields = line.split(separator: ",").map { $0.drop { $0 == " " } }
            guard fields.count >= 6, let time = Int64(fields[1]), let bytes = Int(fields[4]) else { continue }
            if let before = last[fields[0]], before >= time { rises = false }
            last[fields[0]] = time
            if videos.contains(fields[0]) {
                pictures.append(String(fields[5]))
            } else {
                sound.append((String(fields[5]), bytes))
            }
        }
    }
}

/// Stretches of a clip in whole seconds, as they were recorded or have to be played.
struct Expected {
    let clip: SourceClip
    let stretches: [Range<Int>]
    /// Of a clip of 20 s.
    private var rate: Int { clip.hashes[0].count / 20 }

    var pictures: [String] {
        stretches.flatMap { clip.hashes[0][$0.lowerBound * rate..<$0.upperBound * rate] }
    }

    /// Of AAC at 16 kHz: frames of 1024 samples, each in the second of the picture in which it starts.
    ///
    /// In these clips all pictures but the first are a frame of sound and a sample late: ffmpeg made room for what an
    /// encoder of sound puts first.
    var soundFrames: [String] {
        guard clip.hashes.count > 1, !clip.hashes[1].isEmpty else { return [] }
        let first = { (second: Int) in second == 0 ? 0 : (second * 16_000 + 1025 + 1023) / 1024 }
        return stretches.flatMap { clip.hashes[1][first($0.lowerBound)..<first($0.upperBound)] }
    }

    /// Of G.711: a byte a sample, 8,000 of them a second.
    var soundBytes: Int { clip.audio.isEmpty ? 0 : stretches.reduce(0) { $0 + $1.count } * 8000 }

    /// Why `played` is not this, its G.711 as AAC where it `isMadeAAC`; nil when it is.
    func difference(_ played: Played, isMadeAAC: Bool = false) -> String? {
        if !played.complaints.isEmpty { return played.complaints }
        if !played.rises { return "times that do not rise" }
        if played.pictures != pictures {
            return "\(played.pictures.count) pictures, not the \(pictures.count) recorded"
        }
        guard clip.audio.isEmpty else {
            let bytes = isMadeAAC ? played.sound.count * 1024 : played.sound.reduce(0) { $0 + $1.bytes }
            // A packet lies in the second in which it starts.
            let slack = stretches.count * 2048
            return abs(bytes - soundBytes) <= slack ? nil : "\(bytes) bytes of sound, not \(soundBytes)"
        }
        let heard = played.sound.map(\.hash)
        return heard == soundFrames ? nil : "\(heard.count) frames of sound, not the \(soundFrames.count) recorded"
    }
}
