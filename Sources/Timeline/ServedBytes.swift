import FragmentedMP4
package import Recording

/// The bytes of a `ByteMap`, block after block, as they are read and shifted.
///
/// A row need not know every fragment: where the next one begins the head of the one before says.
/// A value: who serves it reads on from where it is. What it holds at a time is one block, and the head of one fragment.
package struct ServedBytes {
    /// Reads from a segment's file: exactly `count` bytes at an offset.
    package typealias Read = (_ row: SegmentRow, _ offset: Int64, _ count: Int) throws -> [UInt8]

    /// A segment's bytes are not what its row says.
    package struct Damaged: Error, Hashable {
        package let key: String
        package let offset: Int64
    }

    private static let headLimit = 1 << 20
    /// Heads of a second are shorter: one read has them.
    private static let usualHead: Int64 = 4 << 10

    private let map: ByteMap
    private let blockSize: Int
    private var position: Int64
    private let end: Int64
    /// Where the first fragment's head is that is not before `position`, once that is known.
    private var ahead: (piece: Int, head: Int64)?

    /// `range` is of the file; what lies past its end is left out.
    package init(_ map: ByteMap, _ range: Range<Int64>, blockSize: Int = 1 << 20) {
        self.map = map
        self.blockSize = max(FragmentShift.prefix, blockSize)
        let range = range.clamped(to: 0..<map.length)
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next block, at most as long as the block size or one fragment's head; nil at the end.
    package mutating func next(_ read: Read) throws -> [UInt8]? {
        guard let slice = map.slice(at: position, until: end) else { return nil }
        let block: [UInt8]
        if let index = slice.piece, map.pieces.indices.contains(index) {
            block = try media(index, slice.bytes, read)
        } else if let row = map.pieces.first?.row {
            block = try initPart(row, slice.bytes, read)
        } else {
            return nil
        }
        position += Int64(block.count)
        return block
    }

    private func initPart(_ row: SegmentRow, _ bytes: Range<Int64>, _ read: Read) throws -> [UInt8] {
        guard let track = map.track else {
            return try Self.exactly(row, bytes.lowerBound, Int(min(bytes.length, Int64(blockSize))), read)
        }
        guard map.initLength <= Int64(Self.headLimit) else { throw Damaged(key: row.key, offset: 0) }
        var part = try Self.exactly(row, 0, Int(map.initLength), read)
        guard FragmentShift.keep(only: track, inInitPart: &part) else { throw Damaged(key: row.key, offset: 0) }
        return Array(part[Int(bytes.lowerBound)..<Int(bytes.upperBound)])
    }

    private mutating func media(_ index: Int, _ bytes: Range<Int64>, _ read: Read) throws -> [UInt8] {
        if ahead?.piece != index, let head = try find(index, bytes, read) { return head }
        guard let ahead, ahead.head > bytes.lowerBound else { return try fragments(index, bytes, read) }
        let count = Int(min(ahead.head - bytes.lowerBound, bytes.length, Int64(blockSize)))
        return try Self.exactly(map.pieces[index].row, bytes.lowerBound, count, read)
    }

    /// Where the fragment after the first of `bytes` begins, by the heads from the last one before that its row knows; the
    /// rest of its head where the bytes begin inside of one.
    private mutating func find(_ index: Int, _ bytes: Range<Int64>, _ read: Read) throws -> [UInt8]? {
        let piece = map.pieces[index]
        ahead = nil
        var start = piece.row.offset(ofFragment: piece.row.fragment(at: bytes.lowerBound))
        while start < bytes.lowerBound {
            let head = try head(piece, at: start, read)
            ahead = (index, head.end)
            let passed = bytes.lowerBound - start
            if passed < Int64(head.bytes.count) {
                return Array(head.bytes.dropFirst(Int(passed)).prefix(Int(bytes.length)))
            }
            start = head.end
        }
        if start == bytes.lowerBound { ahead = (index, start) }
        return nil
    }

    /// A block that begins with a fragment: each tells where the next one begins.
    private mutating func fragments(_ index: Int, _ bytes: Range<Int64>, _ read: Read) throws -> [UInt8] {
        let piece = map.pieces[index]
        var block = try Self.exactly(piece.row, bytes.lowerBound, Int(min(bytes.length, Int64(blockSize))), read)
        var place = 0
        while place < block.count {
            let offset = bytes.lowerBound + Int64(place)
            let prefix = block[place...].prefix(FragmentShift.prefix)
            let isWhole = prefix.count == FragmentShift.prefix
            guard let length = isWhole ? FragmentShift.headLength(prefix) : nil, length <= block.count - place else {
                // The block ends in the middle of its head, which then is a block of its own.
                if place > 0 {
                    ahead = (index, offset)
                    return Array(block.prefix(place))
                }
                let head = try head(piece, at: offset, read)
                ahead = (index, head.end)
                return Array(head.bytes.prefix(Int(bytes.length)))
            }
            let head = try shifted(Array(block[place..<place + length]), of: piece, at: offset)
            block.replaceSubrange(place..<place + length, with: head.bytes)
            ahead = (index, head.end)
            place = Int(min(Int64(block.count), head.end - bytes.lowerBound))
        }
        return block
    }

    /// A fragment's checksum box and `moof`, shifted, and where the fragment ends.
    private func head(_ piece: Piece, at offset: Int64, _ read: Read) throws -> (bytes: [UInt8], end: Int64) {
        try shifted(Self.head(of: piece.row, at: offset, read), of: piece, at: offset)
    }

    /// No fragment reaches over the start of one that the row knows.
    private func shifted(
        _ head: [UInt8], of piece: Piece, at offset: Int64
    ) throws -> (bytes: [UInt8], end: Int64) {
        var head = head
        let limit = piece.row.offset(ofFragment: piece.row.fragment(at: offset) + 1)
        guard let length = FragmentShift.length(head), offset + length <= limit,
            FragmentShift.shift(&head, by: piece.ticks, only: map.track)
        else { throw Damaged(key: piece.row.key, offset: offset) }
        return (head, offset + length)
    }

    /// A fragment's checksum box and `moof` as they were recorded.
    package static func head(of row: SegmentRow, at offset: Int64, _ read: Read) throws -> [UInt8] {
        let first = try exactly(row, offset, Int(max(0, min(usualHead, row.media.mediaEnd - offset))), read)
        guard let length = FragmentShift.headLength(first), length <= headLimit else {
            throw Damaged(key: row.key, offset: offset)
        }
        return length <= first.count ? Array(first.prefix(length)) : try exactly(row, offset, length, read)
    }

    private static func exactly(_ row: SegmentRow, _ offset: Int64, _ count: Int, _ read: Read) throws -> [UInt8] {
        let bytes = try read(row, offset, count)
        guard bytes.count == count else { throw Damaged(key: row.key, offset: offset) }
        return bytes
    }
}

extension SegmentRow {
    /// The fragment that a byte of the file belongs to; the first for one before it.
    fileprivate func fragment(at offset: Int64) -> Int {
        var (low, high) = (0, media.fragments.count)
        while low < high {
            let middle = low + (high - low) / 2
            if media.fragments[middle].offset > offset { high = middle } else { low = middle + 1 }
        }
        return max(0, low - 1)
    }
}
