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

    /// The address of whoever connected: a client, or a proxy.
    var peer: String { channel.remoteAddress?.ipAddress ?? "" }
}
