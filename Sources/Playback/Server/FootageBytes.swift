import Footage
import NIOCore
import Recording
import Timeline

/// What a file of footage is made of.
enum FootageSource: Sendable {
    /// One segment.
    case segment(ByteMap)
    /// Rows of which are read as they are served.
    case range(RangeLayout, Archive.Camera)

    /// What it takes in memory, in bytes, beside what is read of it.
    var weight: Int {
        switch self {
        case .segment: 0
        case .range(let layout, _): layout.weight
        }
    }
}

/// The bytes of a file of footage, block after block; what it holds at a time is a block, and the rows of some segments.
struct FootageBytes: Sendable {
    /// What that comes to at most, with what is on its way in the connection.
    static let weight = 256 << 10

    private let source: FootageSource
    /// Of the file, behind what is open.
    private var left: Range<Int64>
    private var open: (map: ByteMap, bytes: ServedBytes)?

    /// `range` is of the file.
    init(_ source: FootageSource, _ range: Range<Int64>) { (self.source, left) = (source, range) }

    /// Nil at the end.
    mutating func next(_ reader: FootageReader) async throws -> ByteBuffer? {
        while true {
            if var current = open {
                let block = try await reader.block(&current.bytes, of: current.map)
                open = block == nil ? nil : current
                if let block { return block }
            }
            if left.isEmpty { return nil }
            try await openNext(reader)
        }
    }

    private mutating func openNext(_ reader: FootageReader) async throws {
        let part: Range<Int64>
        let (map, start): (ByteMap, Int64)
        switch source {
        case .segment(let whole): (map, start, part) = (whole, 0, left)
        case .range(let layout, let camera):
            guard let page = layout.page(at: left.lowerBound) else { throw Refusal.gone }
            map = try await reader.map(of: page, camera)
            (start, part) = (page.bytes.lowerBound, left.clamped(to: page.bytes))
        }
        let bytes = part.lowerBound - start..<part.upperBound - start
        open = (map, ServedBytes(map, bytes, blockSize: reader.blockSize(for: map)))
        left = part.upperBound..<max(part.upperBound, left.upperBound)
    }
}

extension FootageReader {
    /// Refuses what is not there any more as it was: no other bytes are ever served in its place.
    func map(of page: RangeLayout.Page, _ camera: Archive.Camera) async throws -> ByteMap {
        try await threads.run {
            let rows = try archive.rows(camera, startingFrom: page.first, through: page.last) { page.isCut($0.id) }
            guard let map = page.map(of: rows) else { throw Refusal.gone }
            return map
        }
    }
}
