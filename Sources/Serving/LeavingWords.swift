import SegmentStore

/// What a server leaves in its run directory: who it is, and why it ended, for a cvrd that is not its parent.
package struct LeavingWords: Sendable {
    private let run: String
    private let holder: LockHolder

    package init(run: String, build: String) {
        self.run = run
        holder = LockHolder(build: build, protocolVersion: 1)
    }

    func introduce() throws { try RunFiles.write(state: holder.line, in: run) }

    /// A crash leaves none.
    func leave(_ code: Int32, _ why: String) {
        // A process that cannot say why it ends does so all the same.
        try? RunFiles.write(lastWords: code, why: why, by: holder, in: run)
    }
}
