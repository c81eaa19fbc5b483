import ObjectStore
import Recording

extension ObjectStoreError {
    /// Its folder hangs.
    init(silent store: StoreLocation) {
        self.init(
            "look at", store.place, detail: "it does not answer",
            nextStep: "check its disk or server (dmesg, mount); uploads wait for it, recording does not", scope: .store)
    }
}
