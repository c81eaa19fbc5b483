import Recording
import Timeline

/// 2026-01-02T03:00:00Z: where the made-up footage begins.
let epoch = WallTime(rfc3339: "2026-01-02T03:00:00Z") ?? .earliest

let front: CameraName = {
    guard let name = CameraName("front") else { preconditionFailure("a camera's name") }
    return name
}()

extension SegmentRow {
    /// A segment of fragments of 1 s and 1,000 bytes, `at` seconds after `epoch`; its session's media time began `since`.
    static func made(
        session: Int64 = 1, _ counter: Int64, at: Double, seconds: Int = 10, keyEvery: Int = 1, since: Double = 0,
        format: UInt32 = 7, state: SegmentState = .verified, isLocal: Bool = true
    ) -> SegmentRow {
        let base = Int64((at - since) * 90_000)
        let fragments = (0..<seconds).map { index in
            MediaIndex.Fragment(
                offset: 1000 + Int64(index) * 1000, isKey: index % keyEvery == 0,
                decodeTime: base + Int64(index) * 90_000)
        }
        return SegmentRow(
            camera: front, id: SegmentID(session: session, counter: counter),
            key: "front/\(session).\(counter).mp4", start: epoch + TimeSpan(seconds: at),
            duration: .seconds(Int64(seconds)),
            bytes: 1000 + Int64(seconds) * 1000 + 100,
            media: MediaIndex(
                initLength: 1000, mediaEnd: 1000 + Int64(seconds) * 1000, fragments: fragments,
                tracks: [MediaIndex.Track(codec: "h264", timescale: 90_000, baseDecodeTime: base)],
                frames: Int64(seconds) * 25, codecs: "avc1.42c00a", format: format),
            state: state, isLocal: isLocal, isRead: true)
    }
}

extension Selection {
    /// Seconds after `epoch`.
    init(_ rows: [SegmentRow], _ from: Double, _ to: Double, origin: WallTime = epoch, shifts: [Int64: TimeSpan] = [:])
    {
        self.init(
            rows, from: epoch + TimeSpan(seconds: from), to: epoch + TimeSpan(seconds: to), origin: origin,
            shifts: shifts)
    }

    /// `session.counter[first..<last]@served start`, in seconds.
    var text: [String] {
        pieces.map { piece in
            "\(piece.row.id.session).\(piece.row.id.counter)[\(piece.fragments.lowerBound)..<"
                + "\(piece.fragments.upperBound)]@\(piece.servedStart.seconds)"
        }
    }
}

/// Questions about footage that are answered from a list of spans, in seconds after `epoch` or as texts.
func questions(_ spans: [(WallTime, WallTime)]) -> FootageQuestions {
    let spans = spans.sorted { $0.0 < $1.0 }
    return FootageQuestions(
        firstAndLast: { spans.first.flatMap { first in spans.last.map { (first.0, $0.1) } } },
        hasFootage: { from, to in spans.contains { $0.1 > from && $0.0 < to } },
        spans: { from, to in spans.filter { $0.1 > from && $0.0 < to }.map { (start: $0.0, end: $0.1) } })
}

func questions(_ spans: (String, String)...) -> FootageQuestions {
    questions(spans.map { (WallTime(rfc3339: $0) ?? .earliest, WallTime(rfc3339: $1) ?? .earliest) })
}
