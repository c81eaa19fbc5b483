import Recording
import Timeline

/// A live window as a low-latency HLS playlist (RFC 8216 and draft-pantos-hls-rfc8216bis-15).
///
/// Fragments are partial segments. Media are byte ranges of the segments' own addresses, which recorded manifests name too.
struct LivePlaylist {
    let window: LiveWindow
    /// Where the asset's media are, with a slash at its end.
    let base: String
    /// To be added to every address: `?token=…`, or nothing.
    let suffix: String

    var text: String {
        var lines = [
            "#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-TARGETDURATION:\(Int(LiveWindow.target.seconds))",
            "#EXT-X-PART-INF:PART-TARGET=\(decimal(window.longest))",
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=\(decimal(window.longest * 3))",
            "#EXT-X-MEDIA-SEQUENCE:\(window.groups.first?.number ?? 0)",
            "#EXT-X-DISCONTINUITY-SEQUENCE:\(window.discontinuities)",
        ]
        var last: LiveFragment?
        for (index, group) in window.groups.enumerated() {
            guard let first = group.fragments.first else { continue }
            if index > 0, group.isBorder { lines.append("#EXT-X-DISCONTINUITY") }
            if last.map({ !$0.hasFormat(of: first) }) ?? true { lines.append(map(first)) }
            lines.append("#EXT-X-PROGRAM-DATE-TIME:\(first.start.rfc3339)")
            // Only near the end are parts of use.
            if index >= window.groups.count - 4 { lines += group.fragments.map { part($0) } }
            if index < window.groups.count - 1 { lines += whole(group, first) }
            last = first
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func map(_ fragment: LiveFragment) -> String {
        "#EXT-X-MAP:URI=\"\(address(fragment))\",BYTERANGE=\"\(fragment.row.media.initLength)@0\""
    }

    private func part(_ fragment: LiveFragment) -> String {
        let bytes = fragment.bytes
        return "#EXT-X-PART:DURATION=\(decimal(fragment.duration)),URI=\"\(address(fragment))\""
            + ",BYTERANGE=\"\(bytes.length)@\(bytes.lowerBound)\"" + (fragment.isKey ? ",INDEPENDENT=YES" : "")
    }

    private func whole(_ group: LiveWindow.Group, _ first: LiveFragment) -> [String] {
        let end = group.fragments.last?.bytes.upperBound ?? first.bytes.upperBound
        return [
            "#EXTINF:\(decimal(group.duration)),",
            "#EXT-X-BYTERANGE:\(end.subtractingSaturated(first.bytes.lowerBound))@\(first.bytes.lowerBound)",
            address(first),
        ]
    }

    private func address(_ fragment: LiveFragment) -> String { base + MediaAddress(fragment.piece).path + suffix }

    /// Seconds with six decimals.
    private func decimal(_ span: TimeSpan) -> String {
        let (seconds, rest) = span.microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return "\(seconds).\(padded(Int(rest.magnitude), 6))"
    }
}
