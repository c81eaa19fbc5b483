internal import CLinux
package import Recording
package import SegmentStore

/// What a worker is told on its command line: nothing that is secret, nothing that changes.
package struct WorkerArguments: Hashable, Sendable {
    package var camera: CameraName
    package var slot: Slot
    package var cachePath: String
    package var runPath: String

    /// Nil unless each option is there once, with a value that makes sense.
    package init?(_ arguments: some Sequence<String>) {
        var values: [String: String] = [:]
        var rest = Array(arguments)[...]
        while let option = rest.popFirst() {
            guard let value = rest.popFirst(), values.updateValue(value, forKey: option) == nil else { return nil }
        }
        guard values.count == 4, let camera = values["--camera"].flatMap({ CameraName($0) }),
            let slot = values["--slot"].flatMap(Slot.init), let cache = values["--cache"], let run = values["--run"],
            !cache.isEmpty, !run.isEmpty
        else { return nil }
        self.camera = camera
        self.slot = slot
        cachePath = cache
        runPath = run
    }
}

/// `state.json`: who owns a run directory, for a cvrd that starts later.
package enum StateFile {
    /// By rename: a reader sees a whole line or none.
    package static func write(_ line: [UInt8], in directory: String) throws(SegmentStoreError) {
        let (path, temporary) = (directory + "/state.json", directory + "/state.json.new")
        let file = cvr_open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw SegmentStoreError(operation: "create", path: temporary, errno: cvr_errno()) }
        defer { close(file) }
        guard CLinux.write(file, line, line.count) == line.count, rename(temporary, path) == 0 else {
            throw SegmentStoreError(operation: "write", path: path, errno: cvr_errno())
        }
    }
}
