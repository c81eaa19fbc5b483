import HTTP
import Messages
import ObjectStore
import Recording

extension SyncSettings {
    /// Objects that are under way at once, to a service: as many threads of a pass, and as many connections.
    static let transfers = 4

    func openS3(
        _ location: StoreLocation.S3, pace: @escaping @Sendable (Int) -> Duration,
        isStopping: @escaping @Sendable () -> Bool, clock: SyncClock
    ) throws(SyncError) -> S3Store {
        guard let credential = storeAccess.credential.flatMap({ S3Credential($0.revealed()) }) else {
            throw SyncError(
                .invalidArgument, "the store's credential is not ACCESS_KEY_ID:SECRET or ACCESS_KEY_ID:SECRET:TOKEN",
                nextStep: "correct the file that store.credential names, then run cvrctl reload")
        }
        return S3Store(
            location, credential, client(pace, isStopping), storageClass: storeAccess.storageClass, clock: clock.now)
    }

    func openAzureBlob(
        _ location: StoreLocation.AzureBlob, pace: @escaping @Sendable (Int) -> Duration,
        isStopping: @escaping @Sendable () -> Bool, clock: SyncClock
    ) throws(SyncError) -> AzureStore {
        do {
            return try AzureStore(
                location, credential: storeAccess.credential.map { $0.revealed() } ?? "", client(pace, isStopping),
                storageClass: storeAccess.storageClass, clock: ServiceClock(local: clock.now))
        } catch {
            throw SyncError(
                .invalidArgument, "\(error.operation) \(error.thing): \(error.detail)", nextStep: error.nextStep)
        }
    }

    private func client(
        _ pace: @escaping @Sendable (Int) -> Duration, _ isStopping: @escaping @Sendable () -> Bool
    ) -> HTTPClient {
        HTTPClient(
            HTTPSettings(
                proxy: storeAccess.proxy, certificateAuthority: storeAccess.certificateAuthority,
                connections: Self.transfers, pace: pace, isStopping: isStopping))
    }
}
