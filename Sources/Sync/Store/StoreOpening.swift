package import ObjectStore
import Recording

extension SyncSettings {
    /// The store of these settings, which counts on `billed`; touches nothing yet.
    package func openStore(
        billed: BilledWrites, clock: SyncClock, pace: Pace, isStopping: @escaping @Sendable () -> Bool,
        step: @escaping FileStore.Step
    ) throws(SyncError) -> any ObjectStore {
        let delay = { @Sendable (bytes: Int) in Duration.microseconds(pace.delay(for: bytes).microseconds) }
        switch store {
        case .file(let path): return FileStore(root: path, step: step, pace: delay, counting: billed.count)
        case .s3(let bucket):
            return try openS3(bucket, client(delay, isStopping), clock: clock, counting: billed.count)
        case .azureBlob(let container):
            return try openAzureBlob(container, client(delay, isStopping), clock: clock, counting: billed.count)
        }
    }
}
