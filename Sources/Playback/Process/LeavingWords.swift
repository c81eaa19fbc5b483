import Foundation
import SegmentStore

/// What cvr-playback leaves in its run directory: who it is, and why it ended, for a cvrd that is not its parent.
struct LeavingWords: Sendable {
    private struct Words: Codable {
        var pid: Int32
        var startTime: Int64
        var bootID: String
        var code: Int32
        var why: String
    }

    let run: String
    private let holder: LockHolder

    init(run: String, build: String) {
        self.run = run
        holder = LockHolder(build: build, protocolVersion: 1)
    }

    func introduce() throws { try Data(holder.line).write(to: URL(filePath: run + "/state.json"), options: .atomic) }

    /// A crash leaves none.
    func leave(_ code: Int32, _ why: String) {
        let words = Words(
            pid: holder.pid, startTime: holder.startTime, bootID: holder.bootID, code: code,
            why: String(why.prefix(400)))
        // A process that cannot say why it ends does so all the same.
        if let line = try? JSONEncoder().encode(words) {
            try? line.write(to: URL(filePath: run + "/last-words.json"), options: .atomic)  // as above
        }
    }
}
