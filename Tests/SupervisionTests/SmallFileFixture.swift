import YAMLConfiguration

/// Files that a test puts where cvrd looks.
enum SmallFileFixture {
    static func write(_ text: String, _ path: String, mode: UInt32 = 0o600) throws {
        try SmallFile.makeDirectory(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
        try SmallFile.write(Array(text.utf8), to: path, mode: mode)
    }

    static func credential(_ text: String, _ name: String, _ box: TemporaryBox) throws {
        try write(text, "\(box.root)/state/credentials/\(name)")
    }
}
