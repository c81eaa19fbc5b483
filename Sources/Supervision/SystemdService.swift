import NIOCore
import NIOPosix
import ServiceLifecycle
import Systemd

/// Tells systemd when cvrd is ready, how the cameras are, and that the work goes on.
///
/// Ends last: systemd wants to hear of a stop too.
package struct SystemdService: Service {
    private let supervisor: Supervisor
    private let systemd: NotifySocket

    /// A camera on a dead disk keeps nobody waiting for longer.
    static let longestStart = Duration.seconds(30)

    package init(_ supervisor: Supervisor) {
        self.supervisor = supervisor
        systemd = supervisor.surroundings.systemd
    }

    package func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                try await withThrowingDiscardingTaskGroup { group in
                    group.addTask { try await report() }
                    if let patience = systemd.patience {
                        group.addTask { try await prove(every: patience / 2) }
                    }
                }
            }
        } catch is CancellationError {
            // cvrd has ended.
        }
    }

    /// READY=1 once every camera was tried, answering or not; from then on a line at each change, once a second at most.
    private func report() async throws {
        await untilTried()
        try Task.checkCancellation()
        var last = await supervisor.becomeReady()
        while true {
            try await Task.sleep(for: .seconds(1))
            last = await supervisor.tellStatus(after: last)
        }
    }

    private func untilTried() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                // Cancelled as soon as all were tried.
                try? await Task.sleep(for: Self.longestStart)
                supervisor.stopWaiting()
            }
            for await _ in supervisor.allTried {}
            group.cancelAll()
        }
    }

    /// WATCHDOG=1 after each round through the admin socket's loops, the table of workers and every keeper's inbox: a
    /// stuck one of them lets cvrd be replaced, which costs no camera a frame.
    private func prove(every period: Duration) async throws {
        while true {
            for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { try await loop.submit {}.get() }
            await supervisor.pulse()
            systemd.tell(.alive)
            try await Task.sleep(for: period)
        }
    }
}
