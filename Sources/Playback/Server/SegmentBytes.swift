import FragmentedMP4
import Recording
import Timeline

/// A segment's bytes as they are served: the same as on disk, but for the heads of its fragments, which are shifted.
struct SegmentBytes {
    /// Read at a time.
    static let blockSize: Int64 = 256 << 10
    /// A fragment's head is never longer: 4,000 samples.
    private static let headLimit: Int64 = 64 << 10

    let row: SegmentRow
    /// What each track's decode times grow by.
    let ticks: [Int64]

    /// The next bytes from `position`, at most `end`, at least one.
    ///
    /// Throws `Refusal.gone` when the file is not what its row says: what was promised cannot be sent, and nothing else
    /// must be.
    func block(
        at position: Int64, until end: Int64, read: (_ offset: Int64, _ count: Int) throws -> [UInt8]
    ) throws -> [UInt8] {
        let end = min(end, row.media.mediaEnd)
        guard position >= 0, position < end else { throw Refusal.gone }
        guard let index = lastFragment(at: position) else {
            return try whole(position, min(end, row.offset(ofFragment: 0), position + Self.blockSize), read)
        }
        let start = row.offset(ofFragment: index)
        let isNearHead = position - start < Self.headLimit
        let from = isNearHead ? start : position
        // A head is read whole even when only its first bytes are asked for.
        let wanted = min(from + Self.blockSize, max(end, from + Self.headLimit), row.media.mediaEnd)
        var bytes = try whole(from, wanted, read)
        let cut = try shift(&bytes, from: from, firstFragment: isNearHead ? index : index + 1)
        let part = Int(position - from)..<min(cut, Int(end - from))
        guard part.lowerBound < part.upperBound else { throw Refusal.gone }
        return part == bytes.indices ? bytes : Array(bytes[part])
    }

    /// Shifts every fragment that begins in `bytes`; how many of them can be served: a head that is cut off cannot.
    private func shift(_ bytes: inout [UInt8], from: Int64, firstFragment: Int) throws -> Int {
        var index = firstFragment
        while index < row.media.fragments.count, row.offset(ofFragment: index) < from + Int64(bytes.count) {
            let start = Int(row.offset(ofFragment: index) - from)
            let prefix = bytes[start...].prefix(FragmentShift.prefix)
            guard prefix.count == FragmentShift.prefix else { return start }
            guard let length = FragmentShift.headLength(prefix) else { throw Refusal.gone }
            guard start + length <= bytes.count else {
                if start == 0 || length > Self.headLimit { throw Refusal.gone }
                return start
            }
            var head = Array(bytes[start..<start + length])
            guard FragmentShift.shift(&head, by: ticks) else { throw Refusal.gone }
            bytes.replaceSubrange(start..<start + length, with: head)
            index += 1
        }
        return bytes.count
    }

    private func whole(
        _ from: Int64, _ to: Int64, _ read: (_ offset: Int64, _ count: Int) throws -> [UInt8]
    ) throws -> [UInt8] {
        let bytes = try read(from, Int(to - from))
        guard bytes.count == Int(to - from), !bytes.isEmpty else { throw Refusal.gone }
        return bytes
    }

    /// The last fragment that begins at or before `position`; nil in the init part.
    private func lastFragment(at position: Int64) -> Int? {
        var (low, high) = (0, row.media.fragments.count)
        while low < high {
            let middle = low + (high - low) / 2
            if row.offset(ofFragment: middle) <= position { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }
}
