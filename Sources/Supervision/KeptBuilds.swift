import CLinux
import Configuration
import Glibc
import Messages

/// Builds of cvr-ingest that have recorded well, in `<state>/builds`: what a swap without a second connection goes back
/// to when the new build does not record.
///
/// At most two; everything here blocks on the disk. Deleted, they cost the way back and nothing else.
struct KeptBuilds: Sendable {
    static let most = 2
    /// A worker is far smaller.
    private static let largestProgram = 256 << 20
    private static let prefix = "cvr-ingest."

    private let directory: String

    init(_ places: Places) { directory = "\(places.state)/builds" }

    func path(of build: String) -> String { "\(directory)/\(Self.prefix)\(build)" }

    func holds(_ build: String) -> Bool { access(path(of: build), X_OK) == 0 }

    /// Keeps the program at `path`, if it still is that build, and gives up the oldest of those before.
    func keep(_ build: String, from path: String) throws(FileError) {
        guard !holds(build), BuildIdentity.id(at: path) == build,
            let bytes = try SmallFile.read(path, limit: Self.largestProgram)
        else { return }
        try SmallFile.makeDirectory(directory)
        try SmallFile.write(bytes, to: self.path(of: build), mode: 0o700)
        for old in kept(except: build).dropFirst(Self.most - 1) { try SmallFile.remove(old) }
    }

    /// Paths, the newest first.
    private func kept(except build: String) -> [String] {
        var found: [(path: String, time: Int64)] = []
        for name in Directory.entries(directory) where name.hasPrefix(Self.prefix) {
            let path = "\(directory)/\(name)"
            guard path != self.path(of: build) else { continue }
            found.append((path, cvr_modified(path)))
        }
        return found.sorted { $0.time > $1.time }.map(\.path)
    }
}
