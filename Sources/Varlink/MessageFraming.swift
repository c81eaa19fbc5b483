import NIOCore

/// Why a peer is disconnected by the framing.
enum FramingError: Error {
    case tooLong
    /// The rest of a message did not come in time.
    case unfinished
}

/// Cuts what arrives at its NULs; owns at most one unfinished message of `limit` bytes (I9).
final class MessageFraming: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = [UInt8]

    private let limit: Int
    private let patience: TimeAmount?
    private var pending = ByteBuffer()
    /// How many of the pending bytes are known to hold no NUL: each byte is looked at once.
    private var searched = 0
    private var timer: Scheduled<Void>?
    private var hasFailed = false

    init(limit: Int, patience: TimeAmount?) {
        self.limit = limit
        self.patience = patience
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasFailed else { return }
        var arrived = unwrapInboundIn(data)
        pending.writeBuffer(&arrived)
        while let end = pending.readableBytesView.dropFirst(searched).firstIndex(of: 0) {
            let length = end - pending.readerIndex
            guard length <= limit, let message = pending.readBytes(length: length) else {
                return fail(.tooLong, context)
            }
            pending.moveReaderIndex(forwardBy: 1)
            searched = 0
            timer?.cancel()
            timer = nil
            context.fireChannelRead(wrapInboundOut(message))
        }
        searched = pending.readableBytes
        guard searched <= limit else { return fail(.tooLong, context) }
        if searched == 0 {
            pending.clear()
        } else {
            pending.discardReadBytes()
            startTimer(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    private func startTimer(_ context: ChannelHandlerContext) {
        guard let patience, timer == nil else { return }
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { self.fail(.unfinished, context) }
    }

    private func fail(_ error: FramingError, _ context: ChannelHandlerContext) {
        hasFailed = true
        pending = ByteBuffer()
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }
}
