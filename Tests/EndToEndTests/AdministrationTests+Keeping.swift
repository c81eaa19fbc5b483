import Messages
import TestSupport
import Testing

extension AdministrationTests {
    /// Holds, an audit and the adoption of the own store: all the way from cvrctl to the store and back.
    func keep(_ box: Box) async throws {
        let span = try await box.ask("coverage", "front", as: Listing.Coverage.self)
        let hold = try await box.ask(
            "hold", "add", "front", "--from", span.from, "--to", span.to, "--reason", "case 7", as: Listing.Hold.self)
        #expect(try await box.ask("hold", "list", "front", as: [Listing.Hold].self) == [hold])
        #expect(try await box.ask("hold", "list", "yard", as: [Listing.Hold].self) == [])
        let audit = try await box.ask("verify", "front", "--deep", as: Listing.Verified.self)
        #expect(audit.checked > 0 && audit.findings == [])
        #expect(try await box.run(["hold", "remove", hold.id]).ending == .exited(0))
        #expect(try await box.run(["hold", "remove", hold.id]).ending == .exited(3))
        let nobody = try await box.run(["hold", "add", "nobody", "--from", span.from, "--to", span.to])
        #expect(nobody.ending == .exited(3))
        let session = try await box.status(of: "front").session
        let adopted = try await box.ask("adopt", as: Listing.Adopted.self)
        #expect(adopted.cameras.first { $0.name == "front" }?.session == session)
    }
}
