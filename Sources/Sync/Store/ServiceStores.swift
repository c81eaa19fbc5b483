import HTTP
import Messages
import ObjectStore
import Recording

extension SyncSettings {
    /// Objects that are under way at once, to a service: as many threads of a pass, and as many connections.
    static let transfers = 4

    func openS3(
        _ location: StoreLocation.S3, _ client: HTTPClient, clock: SyncClock,
        counting: @escaping BilledRequest.Counter
    ) throws(SyncError) -> S3Store {
        guard let credential = storeAccess.credential.flatMap({ S3Credential($0.revealed()) }) else {
            throw SyncError(
                .invalidArgument, "the store's credential is not ACCESS_KEY_ID:SECRET or ACCESS_KEY_ID:SECRET:TOKEN",
                nextStep: "correct the file that store.credential names, then run cvrctl reload; if it is in "
                    + "/etc/cvr/credentials, run systemctl restart cvrd")
        }
        return S3Store(
            location, credential, client, storageClass: storeAccess.storageClass, clock: clock.now, counting: counting)
    }

    func openAzureBlob(
        _ location: StoreLocation.AzureBlob, _ client: HTTPClient, clock: SyncClock,
        counting: @escaping BilledRequest.Counter
    ) throws(SyncError) -> AzureStore {
        do {
            return try AzureStore(
                location, credential: storeAccess.credential.map { $0.revealed() } ?? "", client,
                storageClass: storeAccess.storageClass, clock: ServiceClock(local: clock.now), counting: counting)
        } catch {
            throw SyncError(
                .invalidArgument, "\(error.operation) \(error.thing): \(error.detail)", nextStep: error.nextStep)
        }
    }

    func client(
        _ pace: @escaping @Sendable (Int) -> Duration, _ isStopping: @escaping @Sendable () -> Bool
    ) -> HTTPClient {
        HTTPClient(
            HTTPSettings(
                proxy: storeAccess.proxy, certificateAuthority: storeAccess.certificateAuthority,
                connections: Self.transfers, pace: pace, isStopping: isStopping))
    }
}
