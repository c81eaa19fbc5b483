package import ObjectStore
import Recording

extension SyncSettings {
    /// The store of these settings; touches nothing yet.
    package func openStore(
        clock: SyncClock, pace: Pace, isStopping: @escaping @Sendable () -> Bool, step: @escaping FileStore.Step
    ) throws(SyncError) -> any ObjectStore {
        let delay = { @Sendable (bytes: Int) in Duration.microseconds(pace.delay(for: bytes).microseconds) }
        switch store {
        case .file(let path): return FileStore(root: path, step: step, pace: delay)
        case .s3(let bucket): return try openS3(bucket, pace: delay, isStopping: isStopping, clock: clock)
        case .azureBlob(let container):
            return try openAzureBlob(container, pace: delay, isStopping: isStopping, clock: clock)
        }
    }
}
