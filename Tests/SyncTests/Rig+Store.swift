import Checksums
import Foundation
import ObjectStore
import Recording
import Sync
import Testing

/// What lies in a rig's store, and what somebody else does to it there.
extension Rig {
    enum Place: CaseIterable {
        case file, s3, azblob

        var service: StoreServer.Kind? {
            switch self {
            case .file: nil
            case .s3: .s3
            case .azblob: .azblob
            }
        }
    }

    var there: any ObjectStore { store ?? FileStore(root: settings.store.folder ?? "/") }

    func objects() throws -> [String] {
        var found: [String] = []
        try there.list(settings.site.text, after: nil, skipped: { throw $0 }) { key, _ in found.append(key.text) }
        return found.sorted()
    }

    func removeObject(_ text: String) throws {
        #expect(try there.delete([#require(ObjectKey(text))]) == [:])
    }

    /// Puts other bytes where an object is, and what the store says of their checksum is right.
    func replaceObject(_ text: String, _ change: (inout [UInt8]) -> Void) throws {
        var (bytes, metadata) = try object(text)
        change(&bytes)
        metadata.crc32c = CRC32C(bytes).hex
        try removeObject(text)
        try putObject(text, bytes, metadata)
    }

    func object(_ text: String) throws -> (bytes: [UInt8], metadata: ObjectMetadata) {
        let key = try #require(ObjectKey(text))
        let found = try #require(try there.head(key))
        return (try there.read(key, offset: 0, count: Int(found.bytes)), try #require(found.metadata))
    }

    func putObject(_ text: String, _ bytes: [UInt8], _ metadata: ObjectMetadata) throws {
        let file = "\(root)/\(UUID())"
        try Data(bytes).write(to: URL(filePath: file))
        #expect(try there.put(file, as: #require(ObjectKey(text)), metadata) != .exists)
    }

    /// The generation of each summary, by day.
    func summaries() throws -> [String: Int] {
        let days = try there.folders(in: "\(settings.site)/archive").filter { name in
            // Holds have a folder, too.
            guard let key = summaryKey(name) else { return false }
            return try there.document(key) != nil
        }
        return Dictionary(
            uniqueKeysWithValues: try days.map { ($0, try summary($0).last?["generation"] as? Int ?? 0) })
    }

    func summary(_ day: String) throws -> [[String: Any]] {
        try text(day).split(separator: "\n").map { line in
            try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    func text(_ day: String) throws -> String {
        let key = try #require(summaryKey(day))
        return String(decoding: try #require(try there.document(key)).bytes, as: UTF8.self)
    }

    /// Changes a summary behind everybody's back; signed, it checks.
    func edit(_ day: String, signing: Bool = false, _ change: (String) -> String) throws {
        let before = try text(day)
        var text = change(before)
        #expect(text != before)
        if signing {
            func body(_ text: String) -> String {
                text.split(separator: "\n").dropLast().map { $0 + "\n" }.joined()
            }
            text.replace(CRC32C(Array(body(before).utf8)).hex, with: CRC32C(Array(body(text).utf8)).hex)
        }
        try putSummary(day, Array(text.utf8))
    }

    func putSummary(_ day: String, _ bytes: [UInt8]) throws {
        #expect(try there.putDocument(bytes, as: #require(summaryKey(day)), if: .always))
    }

    private func summaryKey(_ day: String) -> DocumentKey? {
        DocumentKey("\(settings.site)/archive/\(day)/summary.ndjson")
    }

    func loseCache() throws { try FileManager.default.removeItem(atPath: root + "/cache/front") }
}
