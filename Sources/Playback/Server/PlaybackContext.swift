import Glibc
import Hummingbird
import NIOCore

/// One request's own: which connection it came by, and who sent it.
struct PlaybackContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// Set by `RequestGate`, before any route sees the request.
    var visitor = Visitor(name: "nobody", cameras: .named([]))

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// The client's address as limits count it: of IPv6 the network, which is one client's.
    var address: String {
        guard let address = channel.remoteAddress, let text = address.ipAddress else { return "" }
        guard case .v6(let six) = address, !text.hasPrefix("::ffff:") else { return text }
        return withUnsafeBytes(of: six.address.sin6_addr) { $0.prefix(8).map { String($0, radix: 16) } }
            .joined(separator: ":")
    }
}
