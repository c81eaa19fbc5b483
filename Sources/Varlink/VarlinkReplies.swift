package import FoundationEssentials
import NIOCore
import Synchronization

/// Where a handler sends its answer.
///
/// `send` returns when the kernel took the whole reply, so a handler is never ahead of its client by more than one.
package final class VarlinkReplies: Sendable {
    private let channel: any Channel
    private let wantsMore: Bool
    private let isOneway: Bool
    private let patience: TimeAmount
    private let finished = Mutex(false)

    init(to call: VarlinkCall, on channel: any Channel, patience: TimeAmount) {
        self.channel = channel
        wantsMore = call.wantsMore
        isOneway = call.isOneway
        self.patience = patience
    }

    /// Sends one reply; the last has `continues: false`, and the others are allowed only if the call wants more.
    package func send(_ parameters: some Encodable & Sendable, continues: Bool = false) async throws {
        try await sendRaw(parameters.varlinkParameters(), continues: continues)
    }

    /// Passes a JSON object on as it is.
    package func sendRaw(_ parameters: Data, continues: Bool = false) async throws {
        guard wantsMore || !continues else { throw VarlinkReplyError.notAskedForMore }
        try await deliver(VarlinkEnvelope.reply(parameters, continues: continues), isFinal: !continues)
    }

    func fail(_ failure: VarlinkFailure) async throws {
        try await deliver(
            VarlinkEnvelope.failure(failure.name, failure.parameters.varlinkParameters()), isFinal: true)
    }

    /// The call has its final reply, or needs none.
    var isFinished: Bool { isOneway || finished.withLock { $0 } }

    private func deliver(_ message: ByteBuffer, isFinal: Bool) async throws {
        let wasFinished = finished.withLock { finished in
            defer { finished = finished || isFinal }
            return finished
        }
        guard !wasFinished else { throw VarlinkReplyError.alreadyFinished }
        if isOneway { return }
        let (channel, patience) = (channel, patience)
        try await channel.eventLoop.flatSubmit {
            let written: EventLoopFuture<Void> = channel.writeAndFlush(message)
            // A client that does not read costs one reply and this long, then its connection.
            let timer = channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
            written.whenComplete { _ in timer.cancel() }
            return written
        }.get()
    }
}

/// A handler's mistake; the client is disconnected.
package enum VarlinkReplyError: Error {
    case notAskedForMore, alreadyFinished, noFinalReply
}
