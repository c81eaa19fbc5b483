import NIOCore
import Recording

/// Lets an address have its part of all connections, and closes at once what it opens beyond.
///
/// In the pipeline of the listening channel, before what counts all connections: who fills that would keep everybody out.
final class ConnectionShare: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let most: Int
    /// Through which many come.
    private let proxies: [AddressBlock]
    /// By address; those that have none are not in it.
    private var open: [String: Int] = [:]

    init(_ most: Int, proxies: [AddressBlock]) { (self.most, self.proxies) = (most, proxies) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let connection = unwrapInboundIn(data)
        let peer = connection.remoteAddress?.ipAddress ?? ""
        guard !proxies.hold(peer) else { return context.fireChannelRead(data) }
        let address = ClientAddress(peer).text
        guard open[address, default: 0] < most else { return connection.close(promise: nil) }
        open[address, default: 0] += 1
        let share = NIOLoopBound(self, eventLoop: context.eventLoop)
        connection.closeFuture.hop(to: context.eventLoop).whenComplete { _ in share.value.left(address) }
        context.fireChannelRead(data)
    }

    private func left(_ address: String) {
        let others = open[address, default: 1] - 1
        open[address] = others > 0 ? others : nil
    }
}
