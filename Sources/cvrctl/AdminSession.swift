import FoundationEssentials
import Messages
import Varlink

/// One connection to cvrd, and how its answers are shown.
struct AdminSession {
    let client: VarlinkClient
    let printsJSON: Bool

    /// Longer than the stop contract, which some verbs wait for.
    static let patience = Duration.seconds(60)

    func ask<R: Decodable>(
        _ method: String, _ parameters: some Encodable & Sendable = VarlinkEmpty(), as reply: R.Type = R.self,
        timeout: Duration? = patience
    ) async throws -> R {
        try await client.call("\(Admin.interface).\(method)", parameters, as: reply, timeout: timeout)
    }

    /// Each reply of a call that may bring several.
    func each<R: Decodable>(
        _ method: String, _ parameters: some Encodable & Sendable = VarlinkEmpty(), as reply: R.Type = R.self,
        timeout: Duration? = patience, _ body: (R) -> Void
    ) async throws {
        for try await data in client.stream("\(Admin.interface).\(method)", parameters, timeout: timeout) {
            do {
                body(try JSONDecoder().decode(reply, from: data))
            } catch {
                throw Complaint(
                    .failed, code: "protocol", message: "cvrd's answer to \(method) is not understood",
                    nextStep: "Check that cvrctl and cvrd are of the same release")
            }
        }
    }

    /// Prints the answer: as JSON, or in words.
    func show(_ value: Any, _ words: (Terminal) -> String) {
        Terminal.write(printsJSON ? JSONText.of(value) + "\n" : words(Terminal()))
    }
}
