internal import CLinux

/// The three descriptors that the process has, and will ever have.
enum StandardStreams {
    private static let chunk = 1 << 18

    /// All of descriptor 0, to its end.
    static func read(atMost limit: Int) throws(PreviewFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let old = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: chunk))
            let count = bytes.withUnsafeMutableBytes {
                CLinux.read(STDIN_FILENO, $0.baseAddress?.advanced(by: old), chunk)
            }
            bytes.removeLast(chunk - max(count, 0))
            if count < 0 && cvr_errno() == EINTR { continue }
            guard count >= 0 else { throw failure("read the job") }
            if count == 0 { return bytes }
            guard bytes.count <= limit else { throw PreviewFailure(.tooLarge, "a job of more than \(limit) bytes") }
        }
    }

    /// All of the result; a reader that went away ends us by SIGPIPE.
    static func write(_ result: [UInt8]) throws(PreviewFailure) {
        var done = 0
        while done < result.count {
            let count = result.withUnsafeBytes {
                CLinux.write(STDOUT_FILENO, $0.baseAddress?.advanced(by: done), result.count - done)
            }
            if count < 0 && cvr_errno() == EINTR { continue }
            guard count > 0 else { throw failure("write the result") }
            done += count
        }
    }

    /// Standard error is cvr-playback's log.
    static func complain(_ text: String) {
        let line = Array("cvr-preview: \(text)\n".utf8)
        _ = CLinux.write(STDERR_FILENO, line, line.count)
    }

    private static func failure(_ operation: String) -> PreviewFailure {
        PreviewFailure(.inputOutput, "cannot \(operation): \(String(cString: strerror(cvr_errno())))")
    }
}
