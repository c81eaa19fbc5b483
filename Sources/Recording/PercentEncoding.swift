/// Percent-encoding of all but the unreserved characters of a URL (RFC 3986, 2.1 and 2.3).
package enum PercentEncoding {
    package static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { encoded, byte in
            if isUnreserved(byte) {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded.append("%")
                encoded.append(digits[Int(byte >> 4)])
                encoded.append(digits[Int(byte & 15)])
            }
        }
    }

    /// Bytes of `encoded`.
    package static func length(of text: String) -> Int {
        text.utf8.reduce(0) { length, byte in length + (isUnreserved(byte) ? 1 : 3) }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

/// What the engine takes of a camera's URL, in bytes.
package enum CameraURL {
    /// It has to be shorter.
    package static let limit = 2048
    /// What libavformat 5.1 keeps of user name, colon and password, percent-encoded (rtsp.c: `char auth[128]`); it cuts
    /// without a word.
    package static let longestUserinfo = 127
}
