import HTTP
import Recording

/// Walks the names of a container in their order.
///
/// List Blobs cannot start behind a name before version 2026-02-06, so that going on after one that was reached takes
/// one look by folder on each level of its key: cheap, since what lies before is never listed blob by blob.
struct AzureListing {
    private static let pageLimit = 16 << 20

    /// A blob, or a folder of them, whose name ends with a slash.
    enum Entry: Hashable {
        case blob(String, bytes: Int64)
        case folder(String)

        var name: String {
            switch self {
            case .blob(let name, _), .folder(let name): name
            }
        }
    }

    let container: AzureContainer

    /// Calls `body` with every blob below `folder`, which ends with a slash or is empty, after the name `last`.
    func blobs(below folder: String, after last: String?, _ body: (_ name: String, _ bytes: Int64) throws -> Void)
        throws
    {
        guard let last, last >= folder else {
            try entries(folder, byFolder: false) { if case .blob(let name, let bytes) = $0 { try body(name, bytes) } }
            return
        }
        guard last.hasPrefix(folder) else { return }
        let isInnermost = !last.dropFirst(folder.count).contains("/")
        // Collected before going deeper: an answer is not held while others are asked for.
        var found: [Entry] = []
        try entries(folder, byFolder: !isInnermost) { entry in
            switch entry {
            case .blob(let name, _): if name > last { found.append(entry) }
            case .folder(let name): if name > last || last.hasPrefix(name) { found.append(entry) }
            }
        }
        for entry in found {
            switch entry {
            case .blob(let name, let bytes): try body(name, bytes)
            case .folder(let name): try blobs(below: name, after: last.hasPrefix(name) ? last : nil, body)
            }
        }
    }

    /// What lies in one folder, or all below it, page by page.
    func entries(_ folder: String, byFolder: Bool, _ body: (Entry) throws -> Void) throws {
        var (marker, repeats) = ("", ListingRepeats())
        repeat {
            let response = try container.send(
                "list", folder, container.listing(folder, marker: marker, byFolder: byFolder),
                bodyLimit: Self.pageLimit)
            guard response.status == 200 else { throw ObjectStoreError("list", folder, azure: response) }
            let (entries, next) = try page(response.body, folder)
            for entry in entries { try body(entry) }
            guard next.isEmpty || repeats.isNews(next, after: entries.last?.name) else { throw unreadable(folder) }
            marker = next
        } while !marker.isEmpty
    }

    private func page(_ document: [UInt8], _ folder: String) throws -> (entries: [Entry], marker: String) {
        var (entries, marker): ([Entry], String) = ([], "")
        var (name, isComplete) = ("", false)
        let leaves: [XMLScanner.Leaf]
        do { leaves = try XMLScanner.leaves(document, root: "EnumerationResults") } catch { throw unreadable(folder) }
        for leaf in leaves {
            switch leaf.path.dropFirst() {
            case ["Blobs", "Blob", "Name"]: name = leaf.text
            case ["Blobs", "Blob", "Properties", "Content-Length"]:
                guard let bytes = Int64(leaf.text), bytes >= 0 else { throw unreadable(folder) }
                if let name = container.name(name) { entries.append(.blob(name, bytes: bytes)) }
            case ["Blobs", "BlobPrefix", "Name"]:
                if let name = container.name(leaf.text) { entries.append(.folder(name)) }
            case ["NextMarker"]: (marker, isComplete) = (leaf.text, true)
            default: break
            }
        }
        guard isComplete else { throw unreadable(folder) }
        return (entries, marker)
    }

    private func unreadable(_ folder: String) -> ObjectStoreError {
        ObjectStoreError(
            "list", folder, detail: "the answer is no list of blobs", nextStep: "check what answers at store.url",
            scope: .store)
    }
}
