import TestSupport
import Testing

/// The page in a real Chromium, of real boxes that record real RTSP: what is seen is read out of the pictures.
///
/// One suite after another, and in each one test after another on one box: two cores draw one browser's pictures.
@Suite("Browser", .serialized, .showsEvidence, .timeLimit(.minutes(10)))
enum BrowserTests {
    /// Where pictures of every scene and downloaded files stay.
    static let evidence = Repository.path("var/browser")
}

/// Something that all tests of a suite share: it is there before the first and gone after the last.
struct Shared: SuiteTrait, TestScoping {
    typealias Body = @Sendable () async throws -> Void

    let around: @Sendable (Body) async throws -> Void

    func provideScope(for test: Test, testCase: Test.Case?, performing body: Body) async throws {
        try await around(body)
    }
}

extension Trait where Self == Shared {
    /// Runs a suite inside a scope, which hands what it made to the tests by a task-local value.
    static func shared(_ around: @escaping @Sendable (Shared.Body) async throws -> Void) -> Self {
        Self(around: around)
    }
}
