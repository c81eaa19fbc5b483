import ObjectStore
import Recording

extension SyncSettings {
    /// The store of these settings; touches nothing yet.
    func openStore(
        clock: SyncClock, isStopping: @escaping @Sendable () -> Bool, step: @escaping FileStore.Step
    ) throws(SyncError) -> any ObjectStore {
        switch store {
        case .file(let path): FileStore(root: path, step: step)
        case .s3(let bucket): try openS3(bucket, pace: { _ in .zero }, isStopping: isStopping, clock: clock)
        case .azureBlob(let container):
            try openAzureBlob(container, pace: { _ in .zero }, isStopping: isStopping, clock: clock)
        }
    }
}
