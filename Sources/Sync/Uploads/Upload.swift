import Catalog
import Footage
import FragmentedMP4
import Glibc
import ObjectStore
import Recording
import SegmentStore

/// Brings one segment from its cache into the store: look if in doubt, write, read back, commit (I2, I8).
///
/// Killed anywhere and run again it ends the same: one object under the key, one row that says what is true of it.
struct Upload {
    enum Outcome: Hashable, Sendable {
        case verified, quarantined, gone
        /// Left to the next pass, while the store takes others.
        case refused
    }

    private static let looks = 3

    let work: Workspace
    let progress: Progress
    let row: SegmentRow

    func run() throws -> Outcome {
        guard let key = ObjectKey(row.key) else {
            return try quarantine("has the key '\(row.key)', which no store can hold")
        }
        do {
            return try row.isLocal ? bring(key) : ask(key)
        } catch let error as ObjectStoreError where error.isFinal(for: work.store) {
            return try quarantine("is refused by the store: \(error.detail)")
        }
    }

    private func bring(_ key: ObjectKey) throws -> Outcome {
        try work.step("upload.begin")
        let checked: (metadata: ObjectMetadata, checksum: UInt32)
        do {
            let cache = try CacheDirectory(path: work.settings.cachePath(row.camera), camera: row.camera)
            checked = try check(work.fileName(row), in: cache)
        } catch let damage as Damage {
            return try quarantine(damage.description)
        } catch let error as SegmentStoreError where error.isNoSuchFile {
            return .gone  // Evicted meanwhile: the next survey finds out why.
        }
        let file = work.settings.cachePath(row.camera) + "/" + work.fileName(row).relativePath
        if row.isUncertain {
            if row.state == .uploaded { progress.update { $0.retries += 1 } }
            if let found = try look({ try work.store.compare(key, with: file, checked.metadata) }) {
                return try judge(found, checked.checksum)
            }
        }
        return try put(file, checked.metadata, checked.checksum, as: key)
    }

    /// One request when nothing fails; what the store's answer does not settle takes one look more.
    private func put(
        _ file: String, _ metadata: ObjectMetadata, _ checksum: UInt32, as key: ObjectKey
    ) throws -> Outcome {
        guard try work.catalog.beginUpload(row.camera, row.id) else { return .gone }  // Given up a moment ago.
        try work.step("upload.begun")
        let outcome: PutOutcome
        do { outcome = try work.store.put(file, as: key, metadata) } catch let error as ObjectStoreError
            where error.mayConcernOne
        {
            return try refused(error)
        }
        if outcome != .exists {
            progress.update { $0.writes += 1 }
            try work.step("commit.begin")
        }
        if outcome == .verified { return try judge(.equal, checksum) }
        if outcome == .stored {
            try work.catalog.markUploaded(row.camera, row.id, checksum: checksum)
            try work.step("commit.uploaded")
        }
        guard let found = try look({ try work.store.compare(key, with: file, metadata) }) else {
            throw ObjectStoreError(
                "read back", key.text, detail: "the object is not there", nextStep: "check the store's disk",
                scope: .store)
        }
        try work.step("verify.read")
        return try judge(found, checksum)
    }

    /// It may be everybody's, until the store took others and still refuses this one: then it keeps nobody waiting.
    private func refused(_ error: ObjectStoreError) throws -> Outcome {
        switch progress.update({ numbers in numbers.refusals.note(row, writes: numbers.writes) }) {
        case .unclear: throw error
        case .own:
            progress.blame(.uploads(row.camera), error)
            return .refused
        case .final:
            return try quarantine(
                "is refused by the store, which takes others: \(error.detail)",
                nextStep: "\(error.nextStep); then run cvrctl verify \(row.camera)")
        }
    }

    /// Again when it is something else: one answer may be damaged on its way, and a quarantine is for good.
    private func look(_ compare: () throws -> Comparison?) throws -> Comparison? {
        var found = try compare()
        for _ in 1..<Self.looks where found == .different { found = try compare() }
        return found
    }

    private func judge(_ found: Comparison, _ checksum: UInt32) throws -> Outcome {
        guard found == .equal else {
            return try quarantine("is not what the store holds under \(row.key); move one of the two away")
        }
        try work.step("verify.equal")
        try work.catalog.commitVerified(row.camera, row.id, checksum: checksum)
        try work.step("commit.verified")
        return .verified
    }

    /// The cache has no copy any more and a write may have been made: only the store knows.
    private func ask(_ key: ObjectKey) throws -> Outcome {
        guard let stored = try work.store.checksum(of: key) else {
            // A store that went away, or another one, has nothing.
            try StoreIdentity(work: work).confirm()
            _ = try work.store.delete([key])  // What a write that died may have left beside its place.
            try GivenUp(work: work, cache: work.settings.cachePath(row.camera)).settle(row)
            return .gone
        }
        let promised = try row.checksum ?? work.store.head(key)?.metadata?.checksum
        guard let promised else {
            return try quarantine("left its cache before its copy in the store could be compared")
        }
        let isEqual = try stored == promised || look { try same(key, promised) } == .equal
        return try judge(isEqual ? .equal : .different, promised)
    }

    private func same(_ key: ObjectKey, _ promised: UInt32) throws -> Comparison {
        try work.store.checksum(of: key) == promised ? .equal : .different
    }

    /// Reads every byte, once, for the fragments' checksums and the file's: a cache may rot.
    private func check(
        _ name: SegmentFileName, in cache: CacheDirectory
    ) throws -> (metadata: ObjectMetadata, checksum: UInt32) {
        let scan: SegmentScan
        do {
            scan = try SegmentScan.local(name, in: cache, checkingEveryByte: true).scan
        } catch let error as MP4Error {
            throw Damage(description: "does not parse any more: \(error.thing)")
        }
        guard scan.media.mediaEnd == row.media.mediaEnd, let checksum = scan.checksum else {
            throw Damage(description: "has a damaged fragment at byte \(scan.media.mediaEnd); check the cache's disk")
        }
        guard row.checksum == nil || row.checksum == checksum else {
            throw Damage(description: "changed since it was first read; check the cache's disk")
        }
        let gaps = try work.catalog.gaps(row.camera, from: row.start.startOfDay, to: row.end)
            .filter { $0.session == row.id.session }
        return (scan.metadata(row.camera, checksum: checksum, gaps: gaps), checksum)
    }

    private func quarantine(
        _ why: String, nextStep: String = "compare the copies in the cache and the store"
    ) throws -> Outcome {
        try work.catalog.quarantine(row.camera, row.id)
        let message = "\(row.camera) \(row.id.session).\(row.id.counter) \(row.start.rfc3339) \(why)"
        work.tell("segmentQuarantined", row.camera, message)
        progress.blame(
            .uploads(row.camera),
            SyncError(.failed, message, nextStep: nextStep))
        return .quarantined
    }

    private struct Damage: Error {
        var description: String
    }
}

extension ObjectStoreError {
    /// The store will never take this object: asking again costs, and changes nothing.
    ///
    /// A folder costs nothing, and its permissions change.
    fileprivate func isFinal(for store: any ObjectStore) -> Bool {
        scope == .object && errno == 0 && !store.canVanish
    }
}
