import HummingbirdCore
import NIOCore

/// A long text as an answer.
enum HeldText {
    /// Is sent a block at a time, so that it is in memory once however slow its reader is; `share` is held meanwhile.
    ///
    /// `loop` is the connection's: only when it has had its turn is it known whether the reader takes more, and what was
    /// written before is copied into the connection, where nobody counts it.
    static func body(_ text: [UInt8], _ share: MemoryBudget.Share, on loop: any EventLoop) -> ResponseBody {
        ResponseBody(contentLength: text.count) { writer in
            defer { withExtendedLifetime(share) {} }
            var rest = text[...]
            while !rest.isEmpty {
                let block = rest.prefix(FootageFile.blockSize)
                rest = rest.dropFirst(block.count)
                try await writer.write(ByteBuffer(bytes: block))
                try await loop.submit {}.get()
            }
            try await writer.finish(nil)
        }
    }
}
