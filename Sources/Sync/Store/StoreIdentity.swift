import Catalog
import Foundation
import Messages
package import ObjectStore
import Recording
import Synchronization

/// The tie between a box and its store: the mark of the site names both.
///
/// A store without it is another one, or what its disk is mounted over: what is verified would not be there (I2). A
/// store whose mark names another box is that box's: two would give one number to two segments.
struct StoreIdentity {
    /// `<site>/.identity`, as JSON; of older builds a bare identity of the store, which belongs to nobody yet.
    struct Mark: Codable, Hashable {
        var store: String
        var box: String?

        init(store: String, box: String?) {
            self.store = store
            self.box = box
        }

        /// A text that is no mark of ours is taken for an identity: it is none that is expected.
        init(_ bytes: [UInt8]) {
            // The form of an older build is no JSON.
            let read = try? JSONDecoder().decode(Mark.self, from: Data(bytes))
            self = read ?? Mark(store: String(decoding: bytes.prefix(128).prefix { $0 != 10 }, as: UTF8.self), box: nil)
        }

        func encoded() throws -> [UInt8] {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
        }
    }

    private static let note = "store"

    let work: Workspace

    /// Makes sure that the store is the right one before anything is written to it, then gets it ready.
    ///
    /// A store that may vanish is looked at each time, a service after each of its outages and once an hour. Only a box
    /// that knows no mark for the place makes one, or takes one that names no box. The box's own identity is on its disk
    /// before it is in the store; the store is marked before the state: cut short in between, the next try goes on.
    func prepare() throws { try alone { if isDue { try look() } } }

    /// Whether `prepare` asks the store for the mark.
    var isDue: Bool { work.store.canVanish || work.watch.isDue(at: work.clock.monotonic()) }

    /// Makes sure of it whatever is remembered.
    func confirm() throws { try alone { try look() } }

    private func alone(_ body: () throws -> Void) throws {
        do { try work.watch.alone(body) } catch let error as ObjectStoreError where error.scope == .object {
            // What is wrong with the mark is wrong with the store.
            var whole = error
            whole.scope = .store
            throw whole
        }
    }

    private func look() throws {
        let key = try key()
        let noted = try work.catalog.note(Self.note)
        let expected = try Self.marks(in: work.settings.folder)[place] ?? noted
        let document = try work.store.document(key)
        let found = document.map { Mark($0.bytes) }
        if let expected, found?.store != expected { throw wrong(found) }
        try work.store.prepare()
        let own = Mark(store: found?.store ?? UUID().uuidString, box: try box())
        if found?.box == nil {
            let condition = document.map { DocumentCondition.version($0.version) } ?? .absent
            guard try work.store.putDocument(try own.encoded(), as: key, if: condition) else { throw taken(own) }
        } else if found != own {
            throw taken(own)
        }
        try keep(own)
        guard !work.store.canVanish else { return }
        // A probe is a write that is billed: an hourly look does without.
        let capabilities = try work.watch.capabilities ?? work.store.probe(key)
        if work.watch.note(capabilities, at: work.clock.monotonic()) { report(capabilities) }
    }

    private func report(_ found: StoreCapabilities) {
        let (place, lacks) = (work.settings.store.place, Admin.StoreCapabilities(found).lacks)
        if lacks.isEmpty {
            work.tell("storeProbed", nil, "\(place) refuses to overwrite, vouches for checksums and reads parts")
        } else {
            work.tell("storeLimited", nil, "\(place): \(lacks.joined(separator: "; "))")
        }
    }

    /// Makes the store this box's, whichever it belonged to; the other one uploads nothing from its next look on.
    func takeOver() throws { try work.watch.alone { try replaceMark() } }

    private func replaceMark() throws {
        let key = try key()
        guard let document = try work.store.document(key) else {
            throw SyncError(
                .notFound, "the store holds nothing of the site \(work.settings.site)",
                nextStep: "set site and store.url to those of the box that is to be replaced")
        }
        let own = Mark(store: Mark(document.bytes).store, box: try box())
        if Mark(document.bytes) != own {
            guard try work.store.putDocument(try own.encoded(), as: key, if: .version(document.version)) else {
                throw SyncError(
                    .failed, "another box took the store over at this moment", nextStep: "see which one is to have it")
            }
            work.tell("storeAdopted", nil, "\(work.settings.site) in \(work.settings.store.place)")
        }
        try keep(own)
        work.watch.forget()
    }

    /// By place: the store's, a blank, the site.
    static func marks(in folder: SyncFolder) throws(SyncError) -> [String: String] {
        try file(in: folder).read() ?? [:]
    }

    private static func file(in folder: SyncFolder) -> StateFile<[String: String]> {
        StateFile(path: folder.path + "/stores")
    }

    private func keep(_ mark: Mark) throws {
        let file = Self.file(in: work.settings.folder)
        var marks = try file.read() ?? [:]
        if marks[place] != mark.store {
            marks[place] = mark.store
            try file.write(marks)
        }
        if try work.catalog.note(Self.note) != mark.store { try work.catalog.setNote(Self.note, mark.store) }
    }

    /// The box's own identity, made when it is first asked for.
    private func box() throws -> String {
        let file = StateFile<[String: String]>(path: work.settings.folder.path + "/box")
        if let known = try file.read()?["box"] { return known }
        let made = UUID().uuidString
        try file.write(["box": made])
        return made
    }

    private func key() throws -> DocumentKey {
        guard let key = DocumentKey(.mark, of: work.settings.site) else {
            throw SyncError.argument("site", work.settings.site.text)
        }
        return key
    }

    private var place: String { "\(work.settings.store.place) \(work.settings.site)" }

    private func wrong(_ found: Mark?) -> ObjectStoreError {
        let folder = work.settings.folder.path
        var error = ObjectStoreError(
            "open", work.settings.store.place,
            detail: found == nil ? "it holds nothing of this site" : "it is not the store that this box wrote to",
            nextStep: "mount the right store; to begin a new one, stop cvrd and remove \(folder)/stores and "
                + "\(folder)/catalog.sqlite", scope: .store)
        error.outlook = .lasting
        return error
    }

    private func taken(_ own: Mark) -> ObjectStoreError {
        var error = ObjectStoreError(
            "open", work.settings.store.place, detail: "the site \(work.settings.site) belongs to another box there",
            nextStep: "to replace that box by this one, run cvrctl adopt; else give this box another site",
            scope: .store)
        error.isOfAnotherBox = true
        error.outlook = .lasting
        return error
    }
}

/// What is remembered of a service: when its mark was last looked at, and what it can do.
package final class StoreWatch: Sendable {
    private static let interval = TimeSpan.seconds(3600)

    private struct State {
        /// Nil when the mark is to be looked at, at once.
        var lookedAt: MonotonicTime?
        /// Nil when the store is to be probed.
        var capabilities: StoreCapabilities?
        /// What it could do when it was last probed.
        var found: StoreCapabilities?
    }

    private let turn = Mutex(())
    private let state = Mutex(State())

    package init() {}

    /// One at a time looks at the mark, or changes it: two would give one box two identities.
    func alone(_ body: () throws -> Void) rethrows { try turn.withLock { _ in try body() } }

    /// Nil before the first look, and after an outage.
    package var capabilities: StoreCapabilities? { state.withLock { $0.capabilities } }

    /// Nil before the first probe.
    package var found: StoreCapabilities? { state.withLock { $0.found } }

    func isDue(at now: MonotonicTime) -> Bool {
        state.withLock { $0.lookedAt.map { now - $0 >= Self.interval } ?? true }
    }

    /// True when the store can do more, or less, than was known.
    func note(_ capabilities: StoreCapabilities, at now: MonotonicTime) -> Bool {
        state.withLock { state in
            let isNews = state.found != capabilities
            state = State(lookedAt: now, capabilities: capabilities, found: capabilities)
            return isNews
        }
    }

    /// After an outage, and whenever the store may be another's.
    package func forget() {
        state.withLock { state in
            state.lookedAt = nil
            state.capabilities = nil
        }
    }
}

extension Admin.StoreCapabilities {
    init(_ found: StoreCapabilities) {
        self.init(putsIfAbsent: found.putsIfAbsent, vouches: found.vouches, readsRanges: found.readsRanges)
    }
}
