import Dispatch
import HTTP
import JSON
package import Messages
import Recording
import Synchronization

/// An address that each event is sent to by one POST; an answer of 2xx takes it, after any other it is sent again.
///
/// One that is refused for what it holds is given up at some time, so that those behind it get through.
package final class Webhook: EventReceiver {
    private static let answerLimit = 64 << 10
    /// Answers that speak of the event, not of who sent it or where.
    private static let refusals: Set<Int> = [400, 413, 415, 422]

    package let condition = Condition()
    private let settings: GatewayInterface.Webhook
    private let box: String
    private let client: HTTPClient
    /// One POST at a time, also when whoever waited for it is gone: their order is that of the events.
    private let queue: DispatchQueue
    private let backoff = Mutex((backoff: Backoff(), until: ContinuousClock.now))
    private let refused: Mutex<Refusals>

    package init(_ settings: GatewayInterface.Webhook, box: String, patience: Refusals = Refusals()) {
        self.settings = settings
        self.box = box
        queue = DispatchQueue(label: "webhook.\(settings.name)")
        client = HTTPClient(HTTPSettings(certificateAuthority: settings.certificateAuthority, connections: 1))
        refused = Mutex(patience)
    }

    private enum Answer {
        case taken, refused(String), failed
    }

    package func deliver(_ events: [Admin.StoredEvent]) async throws -> GatewayInterface.Delivered {
        var taken: Int64?
        for event in events {
            if let message = EventMessage(event, box: box) {
                // What it took is not sent again.
                guard let done = try await deliver(message, isFirst: taken == nil) else { break }
                if done.refusal != nil { return done }
            }
            taken = event.sequence
        }
        return GatewayInterface.Delivered(sequence: taken ?? 0)
    }

    /// Nil when it was not taken and is not the first, which is tried until it is, or given up.
    private func deliver(_ message: EventMessage, isFirst: Bool) async throws -> GatewayInterface.Delivered? {
        while true {
            try await ContinuousClock().sleep(until: backoff.withLock { $0.until })
            switch try await send(message) {
            case .taken: return GatewayInterface.Delivered(sequence: message.sequence)
            case .refused(let why) where refused.withLock({ $0.refused(message.sequence) }) && isFirst:
                return GatewayInterface.Delivered(sequence: message.sequence, refusal: why)
            case .refused, .failed: if !isFirst { return nil }
            }
        }
    }

    private func send(_ message: EventMessage) async throws -> Answer {
        var request = HTTPRequest(
            "POST", settings.url, headers: [("Content-Type", "application/json; charset=utf-8")],
            body: .bytes(Array(message.envelope.text.utf8)))
        if let credential = settings.credential {
            request.headers.append((settings.header, credential.revealed()))
        }
        switch try await perform(request) {
        case .success(let status) where (200..<300).contains(status):
            backoff.withLock { $0.backoff.succeeded() }
            condition.isReady()
            return .taken
        case .success(let status):
            let words = "\(request.origin) answered \(status)"
            note(words, nextStep: Self.advice(status))
            return Self.refusals.contains(status) ? .refused(words) : .failed
        case .failure(let failure):
            note("\(failure.origin): \(failure.detail)", nextStep: failure.nextStep)
            return .failed
        }
    }

    /// Throws when its caller waits no more, while the request goes on.
    private func perform(_ request: HTTPRequest) async throws -> Result<Int, HTTPFailure> {
        let (answers, answer) = AsyncStream.makeStream(of: Result<Int, HTTPFailure>.self)
        queue.async { [client] in
            do throws(HTTPFailure) {
                answer.yield(.success(try client.perform(request, bodyLimit: Self.answerLimit).status))
            } catch {
                answer.yield(.failure(error))
            }
        }
        for await found in answers { return found }
        throw CancellationError()
    }

    private func note(_ message: String, nextStep: String) {
        condition.isAway(code: "webhookAway", message, nextStep: nextStep)
        backoff.withLock { $0.until = .now + $0.backoff.failed() }
    }

    private static func advice(_ status: Int) -> String {
        switch status {
        case 401, 403: "Put what it asks for into the file of the webhook's credential and run `cvrctl reload`"
        case 404, 410: "Correct the url of the webhook in cvr.yaml and run `cvrctl reload`"
        case 400, 413, 415, 422:
            "See the log of what answers there; an event that it goes on refusing is given up after ten minutes"
        case 300..<400: "Write the address that it redirects to into the url of the webhook"
        default: "None: it is sent again; if that does not help, see the log of what answers there"
        }
    }
}
