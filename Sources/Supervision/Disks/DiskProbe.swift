import CLinux
import Glibc
package import Recording
import YAMLConfiguration

/// How fast a disk takes what a recorder writes: small synced writes, one after the other.
package enum DiskProbe {
    package enum Result: Hashable, Sendable {
        case measured(Times)
        /// In the system's words.
        case failed(String)
        /// It took longer than anybody waits.
        case silent
    }

    /// What the syncs took, in order of length.
    package struct Times: Hashable, Sendable {
        private let sorted: [TimeSpan]

        /// Nil without a single one.
        package init?(_ times: [TimeSpan]) {
            if times.isEmpty { return nil }
            sorted = times.sorted()
        }

        package var median: TimeSpan { percentile(50) }
        package var highest: TimeSpan { percentile(99) }

        private func percentile(_ percent: Int) -> TimeSpan {
            let index = min((sorted.count * percent + 99) / 100 - 1, sorted.count - 1)
            return sorted.indices.contains(index) ? sorted[index] : .zero
        }
    }

    static let writes = 50
    static let bytes = 64 << 10
    /// A slow disk is known to be slow before all are done.
    static let patience = TimeSpan.seconds(5)
    /// For a caller who waits on another thread.
    static let deadline = Duration.seconds(15)

    /// Writes into a file without a name, so that nothing stays, however this ends; blocks.
    package static func measure(_ directory: String) -> Result {
        let descriptor = open(in: directory)
        guard descriptor >= 0 else { return .failed(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        // No run of zeroes, which some disks do not write.
        let block = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 8) }
        let start = MonotonicTime.now
        var times: [TimeSpan] = []
        while times.count < writes, MonotonicTime.now - start < patience {
            let before = MonotonicTime.now
            guard write(descriptor, block, bytes) == bytes, fdatasync(descriptor) == 0 else {
                return .failed(String(cString: strerror(errno)))
            }
            times.append(MonotonicTime.now - before)
        }
        return Times(times).map { .measured($0) } ?? .silent
    }

    /// Some file systems know no nameless files: there it has a name for a moment.
    private static func open(in directory: String) -> Int32 {
        let nameless = cvr_open(directory, O_WRONLY | cvr_nameless_file(), 0o600)
        guard nameless < 0, errno == EOPNOTSUPP || errno == EISDIR else { return nameless }
        let path = "\(directory)/.doctor"
        let named = cvr_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        // One that stays is used and removed the next time.
        try? SmallFile.remove(path)
        return named
    }
}
