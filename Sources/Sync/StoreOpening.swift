import ObjectStore
import Recording

extension SyncSettings {
    /// The store of these settings; touches nothing yet.
    func openStore(step: @escaping FileStore.Step) throws(SyncError) -> any ObjectStore {
        switch store {
        case .file(let path): FileStore(root: path, step: step)
        case .s3, .azureBlob:
            throw SyncError(.invalidArgument, "store.url: \(store.place)", nextStep: "correct it in cvr.yaml")
        }
    }
}
