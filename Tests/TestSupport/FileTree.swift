package import Foundation

/// The regular files below a folder, held in memory: a disk as it was at one moment.
package struct FileTree: Hashable, Sendable {
    /// Contents by path, relative to the folder.
    package private(set) var files: [String: Data] = [:]

    package init(_ folder: String) throws {
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            guard attributes[.type] as? FileAttributeType == .typeRegular else { continue }
            files[name] = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
        }
    }

    /// The files whose names end so.
    package func ending(_ suffix: String) -> [String: Data] { files.filter { $0.key.hasSuffix(suffix) } }

    /// Writes the files below another folder.
    package func write(to folder: String) throws {
        for (name, contents) in files {
            let url = URL(filePath: "\(folder)/\(name)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try contents.write(to: url)
        }
    }
}
