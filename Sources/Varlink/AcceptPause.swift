import NIOCore

/// Stops accepting for a moment when a connection cannot be accepted (EMFILE, ENFILE, ENOMEM).
///
/// The connection stays in the backlog, so epoll would report it again at once: left alone, NIO's own back-off
/// spins, since a failed accept leaves its read pending.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let length = TimeAmount.milliseconds(250)

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is IOError else { return context.fireErrorCaught(error) }
        let channel = context.channel
        channel.setOption(.autoRead, value: false).whenSuccess {
            channel.eventLoop.scheduleTask(in: Self.length) { channel.setOption(.autoRead, value: true) }
        }
    }
}
