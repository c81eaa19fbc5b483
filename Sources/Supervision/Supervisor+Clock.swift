import CLinux
import Messages
import Systemd
import YAMLConfiguration

/// Whether the clock is synchronised, where the kernel may not be asked: cvrd hears it on the bus, where its children
/// have none, and tells them to trust the clock.
extension Supervisor {
    /// An answer that a start waits for.
    static let clockPatience = Duration.milliseconds(400)
    private static let askAgain = Duration.seconds(60)
    /// The kernel believes a time service that went silent for 32000 s.
    private static let askAgainOnceSynchronised = Duration.seconds(3600)

    /// Nil when nobody can tell.
    static func isClockSynchronised(within limit: Duration) async -> Bool? {
        let word = cvr_clock_synchronised()
        guard word < 0 else { return word == 1 }
        return await offPool(atMost: limit) { TimeService.isSynchronised() } ?? nil
    }

    /// Children that may ask for themselves need no word.
    static func isClockVouchedFor(within limit: Duration) async -> Bool {
        guard cvr_clock_synchronised() < 0 else { return false }
        return await isClockSynchronised(within: limit) ?? false
    }

    /// What workers and cvr-sync are told.
    var trustsClock: Bool { box.trustsClock || isClockVouchedFor }

    /// Asks as long as cvrd lives; each change is passed on.
    func keepAskingTime() async {
        do {
            while true {
                try await Task.sleep(for: isClockVouchedFor ? Self.askAgainOnceSynchronised : Self.askAgain)
                await take(isClockVouchedFor: Self.isClockVouchedFor(within: .seconds(15)))
            }
        } catch {
            // Cancelled: cvrd ends.
        }
    }

    private func take(isClockVouchedFor word: Bool) async {
        guard word != isClockVouchedFor, !isStopping else { return }
        isClockVouchedFor = word
        for row in rows.values { await row.link.take(trustsClock: trustsClock) }
        await sync?.link.take(syncConfiguration, storeSecrets)
    }

    var credentials: CredentialFile {
        CredentialFile(systemDirectory: surroundings.credentialsDirectory, stateDirectory: places.credentials)
    }

    /// Where what cvr-sync needs to be let into its store is read.
    var storeSecrets: StoreSecrets {
        StoreSecrets(
            credential: box.store.credential, certificateAuthority: box.store.certificateAuthority, files: credentials)
    }

    /// What cvr-sync is told of the box as it is.
    var syncConfiguration: SyncInterface.Configuration {
        SyncInterface.Configuration(box, places, budgets: budgets, trustsClock: trustsClock)
    }
}
