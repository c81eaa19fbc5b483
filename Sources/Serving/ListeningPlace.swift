/// Where a server listens.
package enum ListeningPlace: Hashable, Sendable {
    /// An IP address or a host's name; port 0 is any that is free.
    case address(String, port: Int)
    /// A bound stream socket, which the server closes when it ends.
    case descriptor(Int32)
}
