import CLinux
import FoundationEssentials
import Glibc
import Messages
import YAMLConfiguration

/// Builds of cvr-ingest that have recorded well, in `<state>/builds`: what workers are started from when the installed
/// build does not record.
///
/// At most two; everything here blocks on the disk. Deleted, they cost the way back and nothing else.
struct KeptBuilds: Sendable {
    /// An installed build that did not record: nobody tries it again unasked.
    ///
    /// Survives cvrd, in `refused`.
    struct Refusal: Codable, Hashable, Sendable {
        /// Nil for a program that has no build id.
        var build: String?
        /// What recorded before it.
        var instead: String?
    }

    static let most = 2
    /// A worker is far smaller.
    private static let largestProgram = 256 << 20

    private let directory: String

    init(_ places: Places) { directory = places.builds }

    /// Under the program's own name, so that `ps` calls it by that.
    func path(of build: String) -> String { "\(directory)/\(build)/cvr-ingest" }

    func holds(_ build: String) -> Bool { access(path(of: build), X_OK) == 0 }

    /// Keeps the program at `path`, if it still is that build, and gives up the oldest of those before.
    ///
    /// One that is not `isProven` is kept only where it is the first.
    func keep(_ build: String, from path: String, isProven: Bool) throws(FileError) {
        guard access(self.path(of: build), F_OK) != 0, isProven || kept(except: nil).isEmpty,
            BuildIdentity.id(at: path) == build, let bytes = try program(at: path), Self.build(of: bytes) == build
        else { return }
        try SmallFile.makeDirectory("\(directory)/\(build)")
        try SmallFile.write(bytes, to: self.path(of: build), mode: 0o700)
        for old in kept(except: build).dropFirst(Self.most - 1) {
            try SmallFile.remove(self.path(of: old))
            SmallFile.removeEmptyDirectory("\(directory)/\(old)")
        }
    }

    /// The build that a worker is started from in the place of a refused one; nil when none is kept.
    func substitute(for refusal: Refusal) -> String? {
        if let build = refusal.instead, holds(build) { return build }
        return kept(except: refusal.build).first { holds($0) }
    }

    // MARK: What is refused

    private var refusalPath: String { "\(directory)/refused" }

    /// Nil when nothing is; what cannot be read refuses nothing.
    func refusal() -> Refusal? {
        guard let bytes = try? SmallFile.read(refusalPath, limit: 4096) else { return nil }  // see above
        return try? JSONDecoder().decode(Refusal.self, from: Data(bytes))  // see above
    }

    /// Notes that one is, or that none is any more.
    func note(_ refusal: Refusal?) throws {
        guard let refusal else { return try SmallFile.remove(refusalPath) }
        try SmallFile.makeDirectory(directory)
        try SmallFile.write(Array(try JSONEncoder().encode(refusal)), to: refusalPath, mode: 0o600)
    }

    /// Nil for one that is larger than any of ours.
    private func program(at path: String) throws(FileError) -> [UInt8]? {
        var facts = stat()
        guard stat(path, &facts) == 0, (0...Self.largestProgram).contains(facts.st_size) else { return nil }
        return try SmallFile.read(path, limit: facts.st_size)
    }

    /// Of what was read: the file at the path may be another one by now.
    private static func build(of program: [UInt8]) -> String? {
        BuildIdentity.id { offset, count in Array(program.dropFirst(Int(clamping: offset)).prefix(count)) }
    }

    /// The newest first.
    private func kept(except build: String?) -> [String] {
        var found: [(build: String, time: Int64)] = []
        for name in Directory.entries(directory) where name != build && access(path(of: name), F_OK) == 0 {
            found.append((name, cvr_modified(path(of: name))))
        }
        return found.sorted { $0.time > $1.time }.map(\.build)
    }
}
