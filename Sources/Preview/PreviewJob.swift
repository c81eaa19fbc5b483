/// What cvr-playback asks for: one line, then the media to its end.
///
/// The media are a segment's init part and whole fragments behind it, as they are on disk.
enum PreviewJob: Hashable, Sendable {
    /// `jpeg WIDTH`: the first picture as JPEG, at most so many pixels wide.
    case jpeg(width: Int32)
    /// `aac [FROM TO]`: the G.711 sound as fragmented MP4 with AAC, at the same times; of a span of media time, in
    /// microseconds, the frames that end in it, silent ones where there is no sound.
    case aac(Range<Int64>?)

    static let widths: ClosedRange<Int32> = 16...1920
    /// With the line's end.
    static let longestLine = 64

    /// Splits what came from descriptor 0.
    static func parse(_ input: [UInt8]) throws(PreviewFailure) -> (job: PreviewJob, media: ArraySlice<UInt8>) {
        guard let end = input.prefix(longestLine).firstIndex(of: UInt8(ascii: "\n")) else {
            throw PreviewFailure(.usage, "no line that says what to do")
        }
        let line = String(decoding: input[..<end], as: UTF8.self)
        return (try PreviewJob(line), input[(end + 1)...])
    }

    init(_ line: String) throws(PreviewFailure) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        if words == ["aac"] {
            self = .aac(nil)
            return
        }
        if words.count == 3, words[0] == "aac", let from = Int64(words[1]), let to = Int64(words[2]), from < to {
            self = .aac(from..<to)
            return
        }
        guard words.count == 2, words[0] == "jpeg", let width = Int32(words[1]), Self.widths.contains(width) else {
            throw PreviewFailure(.usage, "not a job: \(line.debugDescription)")
        }
        self = .jpeg(width: width)
    }
}
