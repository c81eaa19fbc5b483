import HummingbirdCore
import NIOCore

/// A long text as an answer.
enum HeldText {
    /// Is sent a block at a time, so that it is in memory once however slow its reader is; `share` is held meanwhile.
    static func body(_ text: [UInt8], _ share: MemoryBudget.Share) -> ResponseBody {
        ResponseBody(contentLength: text.count) { writer in
            defer { withExtendedLifetime(share) {} }
            var rest = text[...]
            while !rest.isEmpty {
                let block = rest.prefix(FootageFile.blockSize)
                rest = rest.dropFirst(block.count)
                try await writer.write(ByteBuffer(bytes: block))
            }
            try await writer.finish(nil)
        }
    }
}
