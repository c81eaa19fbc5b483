import Foundation

/// Other people's code: the `varlink` package from PyPI, in the virtual environment `CVR_TEST_VENV`.
package struct StockClient: Sendable {
    private let python: String

    package init() throws {
        guard let venv = ProcessInfo.processInfo.environment["CVR_TEST_VENV"] else {
            throw Missed("set CVR_TEST_VENV to a virtual environment with varlink in it, as contrib/test does")
        }
        python = venv + "/bin/python3"
    }

    package func run(_ arguments: [String]) async throws -> Finished { try await TestSupport.run(python, arguments) }
}
