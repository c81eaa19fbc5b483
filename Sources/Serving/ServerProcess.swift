import Glibc
package import Logging
package import ServiceLifecycle
import UnixSignals
import Varlink

/// A process that the network reaches: how it runs, how it ends, and what it says of that.
package struct ServerProcess: Sendable {
    package let log: Logger
    /// Nil for one that no cvrd keeps.
    private let words: LeavingWords?

    package init(_ name: String, words: LeavingWords?) {
        var log = Logger(label: name) { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .info
        self.log = log
        self.words = words
    }

    /// Runs until `main` ends, which does so by itself when it is told to stop; returns the exit code: 0 for that, else
    /// that of what ended it.
    ///
    /// `sandbox` is its text, and `begin` is called before anything runs.
    package func run(
        _ main: some Service, beside others: [any Service], sandbox: String, begin: () async throws -> Void = {}
    ) async -> Int32 {
        do {
            try words?.introduce()
            if sandbox.hasPrefix("degraded: ") { log.warning("confined less than it should be: \(sandbox)") }
            try await begin()
            let services =
                others.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) } + [
                    .init(service: main, successTerminationBehavior: .gracefullyShutdownGroup)
                ]
            try await ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
            ).run()
            words?.leave(0, "stopped")
            return 0
        } catch {
            return end(with: error)
        }
    }

    /// Says why the process ends; returns its exit code.
    package func end(with error: any Error) -> Int32 {
        let isTaken = (error as? VarlinkConnectionError)?.errno == EADDRINUSE
        let code = (error as? ServingError)?.code.rawValue ?? (isTaken ? 73 : 74)
        log.error("\(error)")
        // Who serves the socket lives on, and its words are not ours.
        if code != 73 { words?.leave(code, "\(error)") }
        return code
    }
}
