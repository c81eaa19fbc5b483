import Hummingbird
import Recording

/// Whom a request takes this server for.
///
/// A server without accounts trusts whoever is on this host; a web page there is not to be trusted, and its own name may
/// mean 127.0.0.1 at its second look-up (DNS rebinding). No such name is an address or `localhost`.
struct HostName {
    private let authority: String

    /// Nil for a request that says nothing: no browser's.
    init?(_ request: Request) {
        guard let authority = request.head.authority, !authority.isEmpty else { return nil }
        self.authority = authority.lowercased()
    }

    /// Throws a `Refusal` of status 421 for a name that may be anybody's; those of `origins` are the operator's.
    func check(_ origins: Set<WebOrigin>) throws {
        let isSix = authority.hasPrefix("[")
        let host = isSix ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        guard
            host == "localhost" || AddressBlock(host) != nil || origins.contains(where: { $0.authority == authority })
        else {
            throw Refusal(
                421, "misdirected", "a server without accounts answers to no name but localhost",
                nextStep: "ask it by its address, or name https://THAT-NAME in playback.allowOrigins")
        }
    }
}
