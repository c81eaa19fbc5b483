import FoundationEssentials
import Messages
import Varlink

/// `GraphEvents` and `AcknowledgeGraphEvents` of the admin socket: the spool for programs of the operator's own.
struct GraphEventAnswers: Sendable {
    /// What the names of cvr-gateway's own consumers begin with.
    static let reserved = "gateway."

    let spool: EventSpool

    init(_ spool: EventSpool) { self.spool = spool }

    func answer(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        switch call.name {
        case "GraphEvents":
            try await send(try Self.checked(try call.decode(Admin.EventConsumer.self).consumer), call, replies)
        default:
            let taken = try call.decode(Admin.Acknowledgement.self)
            guard try await spool.acknowledge(taken.sequence, by: try Self.checked(taken.consumer)) else {
                throw ChangeRefusal.refused(
                    "there are too many consumers of events", nextStep: "Use the name of one that there is")
            }
            try await replies.send(VarlinkEmpty())
        }
    }

    /// With `more` each later one too, until the client goes away.
    private func send(_ consumer: String, _ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        guard call.wantsMore else {
            return try await replies.send(Admin.StoredEvents(events: try await spool.events(for: consumer)))
        }
        var changes = spool.changes().makeAsyncIterator()
        var sent: Int64 = 0
        while true {
            let events = try await spool.events(for: consumer, after: sent)
            if let last = events.last {
                sent = last.sequence
                try await replies.send(Admin.StoredEvents(events: events), continues: true)
            } else if await changes.next() == nil {
                throw CancellationError()
            }
        }
    }

    /// A name that can be that of a file.
    private static func checked(_ consumer: String) throws(ChangeRefusal) -> String {
        let isName =
            (1...64).contains(consumer.utf8.count) && !consumer.hasPrefix(".")
            && consumer.utf8.allSatisfy { byte in
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                    || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "-_.".utf8.contains(byte)
            }
        guard isName, !consumer.hasPrefix(reserved) else {
            throw .invalid(
                "\(consumer.prefix(64)) is no name of a consumer",
                nextStep: "Use 1 to 64 letters, digits, - _ and ., not beginning with . or \(reserved)")
        }
        return consumer
    }
}
