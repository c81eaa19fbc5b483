import Glibc

/// The bytes that a request sends, one part after the other; a connection that died is given them anew.
///
/// The file is open from before the request until it goes: a cache may drop it meanwhile.
final class BodySource {
    let count: Int64
    private let bytes: [UInt8]
    private let descriptor: Int32
    private let start: Int64
    private var position: Int64 = 0

    init(_ body: HTTPBody, origin: String) throws(HTTPFailure) {
        switch body {
        case .none: (bytes, descriptor, start, count) = ([], -1, 0, 0)
        case .bytes(let bytes): (self.bytes, descriptor, start, count) = (bytes, -1, 0, Int64(bytes.count))
        case .file(let path, let offset, let count):
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                let why = String(cString: strerror(errno))
                throw HTTPFailure(
                    .file, origin, "open \(path): \(why)", nextStep: "none: the next survey explains it")
            }
            (bytes, self.descriptor, start, self.count) = ([], descriptor, offset, max(0, count))
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    var remaining: Int64 { count - position }

    func seek(_ offset: Int64) -> Bool {
        guard (0...count).contains(offset) else { return false }
        position = offset
        return true
    }

    /// Fills as much of the buffer as there is; nil when the file cannot be read or has become shorter.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let wanted = min(buffer.count, Int(clamping: remaining))
        guard wanted > 0 else { return 0 }
        guard descriptor >= 0 else {
            let from = Int(position)
            buffer.copyBytes(from: bytes[from..<(from + wanted)])
            position += Int64(wanted)
            return wanted
        }
        while true {
            let got = pread(descriptor, buffer.baseAddress, wanted, off_t(start &+ position))
            if got > 0 {
                position += Int64(got)
                return got
            }
            guard got < 0, errno == EINTR else { return nil }
        }
    }
}
