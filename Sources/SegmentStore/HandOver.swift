import Checksums
package import Recording

/// Where a worker leaves the recording to its successor: right before one keyframe, which the successor has in memory.
///
/// Its record in the journal is what commits a swap: before it the old worker records on, after it the successor does.
package struct HandOver: Hashable, Sendable {
    /// The keyframe's time on the old session's timeline: the new session's media time 0.
    package var at: WallTime
    package var keyframe: FrameMark
    /// The last sample of each other track that is the old session's: what is heard beside the keyframe may come before
    /// it on one connection and after it on the other.
    package var heard: [Int: FrameMark]

    package init(at: WallTime, keyframe: FrameMark, heard: [Int: FrameMark] = [:]) {
        self.at = at
        self.keyframe = keyframe
        self.heard = heard
    }
}

/// By what two workers know the same frame: a camera's clock is not the same on two connections, its bytes are.
///
/// Short enough for a journal; a camera that repeats itself repeats its marks, so that the time decides among equals.
package struct FrameMark: Hashable, Sendable {
    package var checksum: UInt32
    package var bytes: Int64

    package init(of data: [UInt8]) {
        checksum = CRC32C(data).value
        bytes = Int64(data.count)
    }

    init(checksum: UInt32, bytes: Int64) {
        self.checksum = checksum
        self.bytes = bytes
    }
}
