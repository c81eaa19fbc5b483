import NIOCore
import Recording

/// What `/live/streams` is made of: a head of 8 bytes, then its content.
///
/// The head is the kind (an ASCII letter), a zero byte, the camera's place in the request (16 bits) and the content's
/// length in bytes (32 bits), both big-endian. A reader passes over kinds that it does not know.
enum LiveFrame {
    enum Kind: UInt8 {
        /// A camera's init part, whole: fragments that follow need it, and the first of them starts with a key.
        case begin = 0x69  // i
        /// Some of a fragment, which goes on in the camera's next frame.
        case part = 0x70  // p
        /// The rest of a fragment, or a whole one.
        case fragment = 0x66  // f
        /// Nothing of a camera follows until its next init part; a fragment that has not ended is to be forgotten. The
        /// content is a `LiveEnd`, or the code of the error that another address would answer with.
        case end = 0x65  // e
        /// Nothing: a sign of life.
        case pause = 0x6e  // n
    }

    static func bytes(_ kind: Kind, _ camera: Int, _ content: ByteBuffer) -> ByteBuffer {
        var frame = head(kind, camera, content.readableBytes)
        frame.writeImmutableBuffer(content)
        return frame
    }

    /// Before a content of `length` bytes that is written by itself, since others are sent it too.
    static func head(_ kind: Kind, _ camera: Int, _ length: Int) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.reserveCapacity(8)
        frame.writeInteger(kind.rawValue)
        frame.writeInteger(UInt8(0))
        frame.writeInteger(UInt16(clamping: camera))
        frame.writeInteger(UInt32(clamping: length))
        return frame
    }
}

/// Why nothing of a camera follows for now.
enum LiveEnd: String {
    /// Nothing of it is being recorded here.
    case notLive
    /// Its bytes could not be read: it goes on with a later key.
    case unreadable
    /// The visitor's token or signature is for another time.
    case outsideWindow
    /// The visitor's token or signature holds no more.
    case unauthorized
    /// The server ends.
    case ending
}

extension Visitor {
    /// Why they may not be sent what is being recorded; nil while they may.
    func liveEnd(at now: WallTime) -> LiveEnd? {
        guard now < until else { return .unauthorized }
        return window.contains(now) ? nil : .outsideWindow
    }
}
