package import FoundationEssentials

/// Who is at the other end of a socket, as the kernel recorded it when they connected (SO_PEERCRED).
package struct VarlinkPeer: Hashable, Sendable {
    package var pid: Int32
    package var uid: UInt32
    package var gid: UInt32

    package init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}

/// One method call as it arrived.
package struct VarlinkCall: Sendable {
    /// Fully qualified: `io.cvr.Admin.Status`.
    package var method: String
    /// A JSON object; `{}` when the client sent none.
    package var parameters: Data
    /// The client takes several replies.
    package var wantsMore: Bool
    /// The client takes no reply: what is sent to it is dropped.
    package var isOneway: Bool
    package var peer: VarlinkPeer

    package init(method: String, parameters: Data, wantsMore: Bool, isOneway: Bool, peer: VarlinkPeer) {
        self.method = method
        self.parameters = parameters
        self.wantsMore = wantsMore
        self.isOneway = isOneway
        self.peer = peer
    }

    /// The last part of `method`: `Status`.
    package var name: String { String(method.split(separator: ".").last ?? "") }

    /// The parameters as a type, or the failure that names the parameter at fault.
    package func decode<T: Decodable>(_ type: T.Type = T.self) throws(VarlinkFailure) -> T {
        do {
            return try JSONDecoder().decode(type, from: parameters)
        } catch {
            throw .invalidParameter(Self.path(of: error))
        }
    }

    private static func path(of error: any Error) -> String {
        let path: [any CodingKey]
        switch error as? DecodingError {
        case .keyNotFound(let key, let context): path = context.codingPath + [key]
        case .typeMismatch(_, let context), .valueNotFound(_, let context): path = context.codingPath
        case .dataCorrupted(let context): path = context.codingPath
        default: path = []
        }
        return path.isEmpty ? "parameters" : path.map(\.stringValue).joined(separator: ".")
    }
}
