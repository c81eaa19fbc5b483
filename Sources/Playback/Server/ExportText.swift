import Catalog
import Checksums
import Footage
import Foundation
import Hummingbird
import Messages
import NIOCore
import Recording
import Timeline

/// `ExportContents` as JSON, a file after another, a page of segments at a time: those of a month are hundreds of
/// megabytes of text.
struct ExportText: Sendable {
    /// What a file is, but for its segments.
    struct File: Sendable {
        let head: Head
        let layout: RangeLayout
    }

    struct Head: Encodable, Sendable {
        let from: String
        let to: String
        let bytes: Int64
        let etag: String
        let url: String
    }

    private struct Beginning: Encodable {
        let camera: String
        let from: String
        let to: String
    }

    let camera: Archive.Camera
    let from: WallTime
    let to: WallTime
    let files: [File]

    /// What it takes in memory, in bytes.
    var weight: Int { FootageBytes.weight + files.reduce(0) { $0 + $1.layout.weight + 512 } }

    /// Sent as it is read; `share` is held meanwhile.
    func body(_ reader: FootageReader, _ share: MemoryBudget.Share) -> ResponseBody {
        ResponseBody { writer in
            defer { withExtendedLifetime(share) {} }
            let beginning = Beginning(camera: camera.name.text, from: from.rfc3339, to: to.rfc3339)
            try await writer.write(try Self.open(beginning, "ranges"))
            for (index, file) in files.enumerated() {
                if index > 0 { try await writer.write(ByteBuffer(string: ",")) }
                try await writer.write(try Self.open(file.head, "segments"))
                for (number, page) in file.layout.pages.enumerated() {
                    let segments = try await segments(of: page, reader)
                    if number > 0 { try await writer.write(ByteBuffer(string: ",")) }
                    try await writer.write(segments)
                }
                try await writer.write(ByteBuffer(string: "]}"))
            }
            try await writer.write(ByteBuffer(string: "]}"))
            try await writer.finish(nil)
        }
    }

    private func segments(of page: RangeLayout.Page, _ reader: FootageReader) async throws -> ByteBuffer {
        let map = try await reader.map(of: page, camera)
        return try await reader.threads.run {
            let list = try Self.encoder.encode(map.pieces.map { ExportContents.Segment($0) })
            return ByteBuffer(bytes: list.dropFirst().dropLast())
        }
    }

    /// An object whose last member is an array that goes on.
    private static func open(_ object: some Encodable, _ member: String) throws -> ByteBuffer {
        ByteBuffer(bytes: try encoder.encode(object).dropLast() + Data(",\"\(member)\":[".utf8))
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

extension ExportContents.Segment {
    fileprivate init(_ piece: Piece) {
        self.init(
            session: piece.row.id.ownSession, counter: piece.row.id.counter, start: piece.start.rfc3339,
            duration: piece.duration.seconds, bytes: piece.bytes.length,
            checksum: piece.row.checksum.map { CRC32C.hex($0) }, key: piece.row.key)
    }
}
