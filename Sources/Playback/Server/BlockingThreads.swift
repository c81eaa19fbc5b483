import NIOPosix

/// A few threads of their own for calls that block: on files, SQLite or a store.
///
/// A request waits for one at a time, so that no more calls wait here than there are connections. Never on event loops:
/// there all connections would wait.
final class BlockingThreads: TaskExecutor {
    private let pool: NIOThreadPool

    init(_ count: Int) {
        pool = NIOThreadPool(numberOfThreads: count)
        pool.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        // Run even when the pool ends: what waits for it must go on.
        pool.submit { _ in job.runSynchronously(on: executor) }
    }

    /// Runs `body`, and what it awaits that has no home of its own, on these threads.
    func run<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        try await withTaskExecutorPreference(self) { try await body() }
    }

    func shutDown() async {
        // Only a second shutdown could fail.
        try? await pool.shutdownGracefully()
    }
}
