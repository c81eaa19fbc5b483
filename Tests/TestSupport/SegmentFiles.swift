package import Foundation
package import FragmentedMP4

/// The media files of a cache or a store, by name.
package enum SegmentFiles {
    /// Paths of all files below a folder that end in one of the endings, in the order of their names.
    package static func all(in folder: String, endings: [String] = [".mp4", ".mp4.partial"]) -> [String] {
        // A folder that is not there has no files.
        ((try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? [])
            .filter { name in endings.contains { name.hasSuffix($0) } }.sorted().map { "\(folder)/\($0)" }
    }

    /// Reads a segment with our own reader, checksums included.
    package static func read(_ path: String) throws -> SegmentReader {
        try read(try Data(contentsOf: URL(filePath: path)))
    }

    package static func read(_ data: Data) throws -> SegmentReader {
        let bytes = [UInt8](data)
        return try SegmentReader(length: Int64(bytes.count)) { offset, count in
            let start = Int(clamping: offset)
            guard bytes.indices.contains(start) else { return [] }
            return Array(bytes[start..<min(bytes.count, start + count)])
        }
    }
}
