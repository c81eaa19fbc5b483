internal import CLinux

/// A process's small files in its run directory, for a cvrd that is not its parent.
///
/// By rename: a reader sees a whole line or none. Never in the way of its work: they are for others.
package enum RunFiles {
    /// `state.json`: who owns the directory.
    package static func write(state line: [UInt8], in directory: String) throws(SegmentStoreError) {
        try write(line, as: "state.json", in: directory)
    }

    /// `last-words.json`: how this process ends, said by itself right before; a crash leaves none.
    ///
    /// `startTime` tells its words from those of an earlier process of the same number.
    package static func write(
        lastWords code: Int32, why: String, by holder: LockHolder, in directory: String
    ) throws(SegmentStoreError) {
        let words = String(
            String.UnicodeScalarView(
                why.unicodeScalars.filter { $0.value > 31 && $0 != "\"" && $0 != "\\" }.prefix(400)))
        let line =
            "{\"pid\": \(holder.pid), \"startTime\": \(holder.startTime), \"bootID\": \"\(holder.bootID)\", "
            + "\"code\": \(code), \"why\": \"\(words)\"}\n"
        try write(Array(line.utf8), as: "last-words.json", in: directory)
    }

    private static func write(_ line: [UInt8], as name: String, in directory: String) throws(SegmentStoreError) {
        let (path, temporary) = ("\(directory)/\(name)", "\(directory)/\(name).new")
        let file = cvr_open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw SegmentStoreError(operation: "create", path: temporary, errno: cvr_errno()) }
        defer { close(file) }
        guard CLinux.write(file, line, line.count) == line.count, rename(temporary, path) == 0 else {
            throw SegmentStoreError(operation: "write", path: path, errno: cvr_errno())
        }
    }
}
