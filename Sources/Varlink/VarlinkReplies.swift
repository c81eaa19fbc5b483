package import FoundationEssentials

/// Where a handler sends its answer.
///
/// `send` returns when the kernel took the whole reply, so a handler is never ahead of its client by more than one.
package final class VarlinkReplies: Sendable {
    /// Sends one reply; the last has `continues: false`, and the others are allowed only if the call wants more.
    package func send(_ parameters: some Encodable & Sendable, continues: Bool = false) async throws {
    }

    /// Passes a JSON object on as it is.
    package func sendRaw(_ parameters: Data, continues: Bool = false) async throws {
    }
}
