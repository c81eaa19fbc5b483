internal import CLibAV
internal import Glibc

/// The session description of one connection, as libavformat's rtsp demuxer logs it and tells it nowhere else.
///
/// Of all that is logged this one line is caught, by the context that logs it; the others hold addresses with their
/// userinfo (I10), and go nowhere.
package final class SessionDescription {
    /// Bytes of UTF-8.
    package static let longest = 8192

    private(set) var text = ""

    func forget() { text = "" }

    /// For a format context's `opaque`; holds no reference: the source owns both.
    var listener: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static func hearNothingElse() {
        av_log_set_callback { context, level, format, arguments in
            // The formats of other lines are not even looked at: there are some with each packet.
            guard level == AV_LOG_VERBOSE, let context, let format, let arguments, strcmp(format, "SDP:\n%s\n") == 0
            else { return }
            // All that logs begins with its class.
            let kind = context.assumingMemoryBound(to: UnsafePointer<AVClass>?.self).pointee?.pointee.class_name
            guard let kind, strcmp(kind, "AVFormatContext") == 0,
                let listener = context.assumingMemoryBound(to: AVFormatContext.self).pointee.opaque
            else { return }
            var line = [CChar](repeating: 0, count: SessionDescription.longest * 2)
            guard vsnprintf(&line, line.count, format, arguments) > 0 else { return }
            let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            Unmanaged<SessionDescription>.fromOpaque(listener).takeUnretainedValue().text =
                SessionDescription.clean(bytes)
        }
    }

    /// As text, without the line feed that the log adds and without userinfo, which a camera may repeat to us.
    package static func clean(_ bytes: [UInt8]) -> String {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        var text = lines.map(withoutUserinfo).joined(separator: "\n")
        if text.hasSuffix("\n") { text.removeLast() }
        // A scalar has four bytes at most.
        while text.utf8.count > longest {
            text = String(text.unicodeScalars.dropLast(max(1, (text.utf8.count - longest) / 4)))
        }
        return text
    }

    private static func withoutUserinfo(_ line: Substring) -> String {
        var (clean, rest) = ("", line)
        while let scheme = rest.firstRange(of: "://") {
            clean += rest[..<scheme.upperBound]
            rest = rest[scheme.upperBound...]
            let authority = rest.prefix { !"/? \t\r\"".contains($0) }
            if let at = authority.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        }
        return clean + rest
    }
}
