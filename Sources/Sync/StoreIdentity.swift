import Catalog
import Foundation
import ObjectStore
import Recording

/// The tie between a box and its store: the same mark lies in both.
///
/// A store without it is another one, or what its disk is mounted over: what is verified would not be there (I2).
struct StoreIdentity {
    private static let note = "store"

    let work: Workspace

    /// Makes sure that the store is the right one before anything is written to it, then gets it ready.
    ///
    /// Only a box that knows no mark for the place makes one. The store is marked before the state: cut short in
    /// between, the next try adopts the mark.
    func prepare() throws {
        let (site, file) = (work.settings.site, Self.file(in: work.settings.folder))
        var marks = try file.read() ?? [:]
        let noted = try work.catalog.note(Self.note)
        let expected = marks[place] ?? noted
        guard let key = DocumentKey(.mark, of: site) else { throw SyncError.argument("site", site.text) }
        let found = try work.store.document(key).map { String(decoding: $0.bytes.prefix { $0 != 10 }, as: UTF8.self) }
        if let expected, found != expected { throw wrong(found) }
        try work.store.prepare()
        let mark = found ?? UUID().uuidString
        if found == nil, try !work.store.putDocument(Array("\(mark)\n".utf8), as: key, if: .absent) {
            throw wrong("another")
        }
        if marks[place] != mark {
            marks[place] = mark
            try file.write(marks)
        }
        if noted != mark { try work.catalog.setNote(Self.note, mark) }
    }

    /// By place: the store's, a blank, the site.
    static func marks(in folder: SyncFolder) throws(SyncError) -> [String: String] {
        try file(in: folder).read() ?? [:]
    }

    private static func file(in folder: SyncFolder) -> StateFile<[String: String]> {
        StateFile(path: folder.path + "/stores")
    }

    private var place: String { "\(work.settings.store.place) \(work.settings.site)" }

    private func wrong(_ found: String?) -> ObjectStoreError {
        let folder = work.settings.folder.path
        return ObjectStoreError(
            "open", work.settings.store.place,
            detail: found == nil ? "it holds nothing of this site" : "it is not the store that this box wrote to",
            nextStep: "mount the right store; to begin a new one, stop cvrd and remove \(folder)/stores and "
                + "\(folder)/catalog.sqlite", scope: .store)
    }
}
