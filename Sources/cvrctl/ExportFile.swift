import Crypto
import FoundationEssentials
import Glibc
import Messages

/// A file that an export writes: `FILE.part` until it is whole, with `FILE.part.json` beside it.
///
/// A kill or a power cut loses at most one block: what the sidecar counts was synced before. Another version of the
/// footage begins anew; two are never mixed.
struct ExportFile {
    /// Asked for, held and synced at a time.
    private static let block: Int64 = 16 << 20
    private static let attempts = 5
    /// What is above `/export/`, where the answer came from.
    private static let ranges = "../ranges/"

    private struct Sidecar: Codable {
        let etag: String
        let bytes: Int64
    }

    let path: String
    private let contents: ExportContents.File
    private var part: String { path + ".part" }
    private var sidecar: String { path + ".part.json" }
    private var address: String { "/" + contents.url.dropFirst("../".count) }

    init(_ contents: ExportContents.File, at path: String) {
        self.contents = contents
        self.path = path
    }

    /// Fetches what is missing, checks the whole, and writes `FILE.json`, then `FILE`; nothing is left to do for a FILE
    /// whose FILE.json names this very version.
    func save(
        from session: PlaybackSession, camera: String, source: String, _ progress: (Int64) -> Void
    ) throws -> ExportManifest {
        if let finished { return finished }
        guard access(path, F_OK) != 0 else {
            throw Complaint(
                .refused, code: "fileExists", message: "\(Terminal.plain(path)) is there already",
                nextStep: "Move it away, or give another name with --output")
        }
        guard contents.bytes >= 0, contents.url.hasPrefix(Self.ranges) else {
            throw Complaint(
                .failed, code: "protocol", message: "the server's answer is not understood",
                nextStep: "Check that cvrctl and cvr-playback are of the same release")
        }
        let descriptor = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.unwritable(part) }
        defer { close(descriptor) }
        try fetch(into: descriptor, session, progress)
        let manifest = ExportManifest(
            file: path, camera: camera, from: contents.from, to: contents.to, source: source, bytes: contents.bytes,
            etag: contents.etag, sha256: try hash(descriptor), segments: contents.segments)
        try write(Array(JSONText.of(manifest).utf8) + [UInt8(ascii: "\n")], to: path + ".json")
        guard rename(part, path) == 0 else { throw Self.unwritable(path) }
        // One that stays is of no consequence: without a .part it is not looked at.
        _ = unlink(sidecar)
        return manifest
    }

    /// What an earlier run made of this version; nil unless it is there as a whole.
    private var finished: ExportManifest? {
        var status = stat()
        guard stat(path, &status) == 0, Int64(status.st_size) == contents.bytes,
            // Without a manifest that can be read the file is not known to be ours.
            let data = try? Data(contentsOf: URL(filePath: path + ".json")),
            let manifest = try? JSONDecoder().decode(ExportManifest.self, from: data),  // as above
            manifest.etag == contents.etag, manifest.bytes == contents.bytes
        else { return nil }
        return manifest
    }

    private func fetch(into descriptor: Int32, _ session: PlaybackSession, _ progress: (Int64) -> Void) throws {
        var done = resumable(descriptor)
        guard ftruncate(descriptor, Int(done)) == 0 else { throw Self.unwritable(part) }
        progress(done)
        while done < contents.bytes {
            let end = min(contents.bytes, done + Self.block)
            let bytes = try insist { try session.bytes(address, done..<end, tag: contents.etag) }
            try Self.write(bytes, to: descriptor, at: done, part)
            done = end
            guard fdatasync(descriptor) == 0 else { throw Self.unwritable(part) }
            let state = (etag: contents.etag, bytes: done)
            try write(Array(JSONText.of(state).utf8), to: sidecar)
            progress(done)
        }
    }

    /// How much of this very version is there and was synced.
    private func resumable(_ descriptor: Int32) -> Int64 {
        var status = stat()
        // A sidecar that is missing or torn means to begin anew.
        guard let data = try? Data(contentsOf: URL(filePath: sidecar)),
            let state = try? JSONDecoder().decode(Sidecar.self, from: data),  // as above
            state.etag == contents.etag,
            fstat(descriptor, &status) == 0
        else { return 0 }
        return max(0, min(state.bytes, Int64(status.st_size), contents.bytes))
    }

    /// A server that restarts or is busy is away for seconds.
    private func insist<R>(_ body: () throws -> R) throws -> R {
        var pause: UInt32 = 1
        for _ in 1..<Self.attempts {
            do {
                return try body()
            } catch let complaint as Complaint where complaint.status == .away {
                _ = sleep(pause)
                pause *= 2
            }
        }
        return try body()
    }

    /// SHA-256 of the file as the disk gives it back; its length must be the one that was announced.
    private func hash(_ descriptor: Int32) throws -> String {
        var hash = SHA256()
        var offset: Int64 = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, Int(offset)) }
            guard count >= 0 else { throw Self.unwritable(part) }
            if count == 0 { break }
            hash.update(data: buffer[..<count])
            offset += Int64(count)
        }
        guard offset == contents.bytes else { throw Self.unwritable(part) }
        return hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Whole or not at all, by rename.
    private func write(_ bytes: [UInt8], to file: String) throws {
        let temporary = file + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.unwritable(temporary) }
        defer { close(descriptor) }
        try Self.write(bytes, to: descriptor, at: 0, temporary)
        guard fdatasync(descriptor) == 0, rename(temporary, file) == 0 else { throw Self.unwritable(file) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, at offset: Int64, _ path: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let place = offset + Int64(bytes.count - rest.count)
            let count = rest.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, Int(place)) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { throw unwritable(path) }
        }
    }

    private static func unwritable(_ path: String) -> Complaint {
        Complaint(
            .failed, code: "fileUnwritable",
            message: "cannot write \(Terminal.plain(path)): \(String(cString: strerror(errno)))",
            nextStep: "Make room, or give another place with --output; the same command goes on where it was")
    }
}
