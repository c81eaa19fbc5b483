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

    /// As text, without the line feed that the log adds, and without secrets: userinfo, which a camera may repeat to us,
    /// and keys (RFC 8866 5.12, RFC 4568, RFC 4567).
    package static func clean(_ bytes: [UInt8]) -> String {
        let secrets = ["k=", "a=crypto:", "a=key-mgmt:"].map { Array($0.utf8) }
        let (feed, returning) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        var (clean, rest): ([UInt8], ArraySlice<UInt8>) = ([], bytes[...])
        while !rest.isEmpty {
            // Libavformat ends a line at a carriage return too.
            let line = rest.prefix { $0 != feed && $0 != returning }
            let end = rest.dropFirst(line.count)
            let ending = end.prefix(end.starts(with: [returning, feed]) ? 2 : 1)
            if !secrets.contains(where: { line.starts(with: $0) }) { clean += withoutUserinfo(line) + ending }
            rest = end.dropFirst(ending.count)
        }
        if clean.last == UInt8(ascii: "\n") { clean.removeLast() }
        // Bytes that are no text become longer ones.
        var text = String(decoding: clean.prefix(longest), as: UTF8.self).unicodeScalars
        while String(text).utf8.count > longest {
            text.removeLast(max(1, (String(text).utf8.count - longest) / 4))
        }
        return String(text)
    }

    private static func withoutUserinfo(_ line: ArraySlice<UInt8>) -> [UInt8] {
        let mark = Array("://".utf8)
        let ends = Array("/? \t\r\"".utf8)
        var (clean, rest): ([UInt8], ArraySlice<UInt8>) = ([], line)
        while let scheme = rest.firstRange(of: mark) {
            clean += rest[..<scheme.upperBound]
            rest = rest[scheme.upperBound...]
            let authority = rest.prefix { !ends.contains($0) }
            if let at = authority.lastIndex(of: UInt8(ascii: "@")) { rest = rest[(at + 1)...] }
        }
        return clean + rest
    }
}
