import Dispatch
import HTTP
import JSON
import Messages
import Recording
import Synchronization

/// An address that each event is sent to by one POST; an answer of 2xx takes it, after any other it is sent again.
final class Webhook: EventReceiver {
    private static let answerLimit = 64 << 10

    let condition = Condition()
    private let settings: GatewayInterface.Webhook
    private let box: String
    private let client: HTTPClient
    /// One POST at a time, also when whoever waited for it is gone: their order is that of the events.
    private let queue: DispatchQueue
    private let backoff = Mutex((backoff: Backoff(), until: ContinuousClock.now))

    init(_ settings: GatewayInterface.Webhook, box: String) {
        self.settings = settings
        self.box = box
        queue = DispatchQueue(label: "webhook.\(settings.name)")
        client = HTTPClient(HTTPSettings(certificateAuthority: settings.certificateAuthority, connections: 1))
    }

    func deliver(_ events: [Admin.StoredEvent]) async throws -> Int64 {
        var taken: Int64?
        for event in events {
            guard let message = EventMessage(event, box: box) else {
                taken = event.sequence
                continue
            }
            while true {
                try await ContinuousClock().sleep(until: backoff.withLock { $0.until })
                if await send(message) { break }
                // What it took is not sent again.
                if let taken { return taken }
            }
            taken = event.sequence
        }
        return taken ?? 0
    }

    /// True when it took the event.
    private func send(_ message: EventMessage) async -> Bool {
        var request = HTTPRequest(
            "POST", settings.url, headers: [("Content-Type", "application/json; charset=utf-8")],
            body: .bytes(Array(message.envelope.text.utf8)))
        if let credential = settings.credential {
            request.headers.append((settings.header, credential.revealed()))
        }
        let answer = await perform(request)
        switch answer {
        case .success(let status) where (200..<300).contains(status):
            backoff.withLock { $0.backoff.succeeded() }
            condition.isReady()
            return true
        case .success(let status):
            note("\(request.origin) answered \(status)", nextStep: Self.advice(status))
        case .failure(let failure):
            note("\(failure.origin): \(failure.detail)", nextStep: failure.nextStep)
        }
        return false
    }

    private func perform(_ request: HTTPRequest) async -> Result<Int, HTTPFailure> {
        await withCheckedContinuation { continuation in
            queue.async { [client] in
                do throws(HTTPFailure) {
                    let answer = try client.perform(request, bodyLimit: Self.answerLimit)
                    continuation.resume(returning: .success(answer.status))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    }

    private func note(_ message: String, nextStep: String) {
        condition.isAway(code: "webhookAway", message, nextStep: nextStep)
        backoff.withLock { $0.until = .now + $0.backoff.failed() }
    }

    private static func advice(_ status: Int) -> String {
        switch status {
        case 401, 403: "Put what it asks for into the file of the webhook's credential and run `cvrctl reload`"
        case 404, 410: "Correct the url of the webhook in cvr.yaml and run `cvrctl reload`"
        case 300..<400: "Write the address that it redirects to into the url of the webhook"
        default: "None: it is sent again; if that does not help, see the log of what answers there"
        }
    }
}
