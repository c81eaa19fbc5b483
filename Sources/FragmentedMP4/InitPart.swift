import Checksums
import Recording

/// A segment's first bytes, `[ftyp][moov][uuid: info]`, written and synced before any media.
struct InitPart {
    let tracks: [Track]
    let info: SegmentInfo
    private(set) var size: Int64 = 0
    /// CRC-32C of the `moov` box.
    private(set) var format: UInt32 = 0

    /// Far above 16 tracks with the largest parameter sets; bounds what a reader holds.
    private static let sizeLimit: Int64 = 1 << 20

    init(tracks: [Track], info: SegmentInfo) {
        self.tracks = tracks
        self.info = info
    }

    var bytes: [UInt8] {
        var file = BoxWriter()
        file.box("ftyp") { type in
            type.put(BoxType("iso6").code)
            type.put(UInt32(0))
            for brand: BoxType in ["iso6", "cmfc", "mp41"] { type.put(brand.code) }
        }
        MovieBox.write(tracks, to: &file)
        let text = info.text.utf8
        file.put(UInt32(clamping: 8 + 16 + text.count + 4))
        file.put(BoxType("uuid").code)
        file.put(SegmentInfo.boxIdentity)
        file.put(text)
        file.put(CRC32C(file.bytes).value)
        return file.bytes
    }

    /// Throws `MP4Error` when the file does not start with a whole one; errors of `read` are passed on.
    init(length: Int64, read: (_ offset: Int64, _ count: Int) throws -> [UInt8]) throws {
        var size: Int64 = 0
        for expected: BoxType in ["ftyp", "moov", "uuid"] {
            var header = BoxReader(try read(size, 8)[...])
            let boxSize = Int64(header.integer(UInt32.self))
            guard boxSize >= 8, BoxType(code: header.integer()) == expected else { throw MP4Error.noInitPart(expected) }
            size += boxSize
            guard size <= min(length, Self.sizeLimit) else { throw MP4Error.noInitPart(expected) }
        }
        let bytes = try read(0, Int(size))
        guard bytes.count == Int(size) else { throw MP4Error.noInitPart("uuid") }
        try self.init(bytes)
        self.size = size
        var boxes = BoxReader(bytes[...])
        _ = boxes.box()
        let start = bytes.count - boxes.rest.count
        _ = boxes.box()
        format = CRC32C(bytes[start..<bytes.count - boxes.rest.count]).value
    }

    private init(_ bytes: [UInt8]) throws(MP4Error) {
        var file = BoxReader(bytes[...])
        guard file.box() != nil, let movie = file.box(), var box = file.box()?.body,
            box.take(16).elementsEqual(SegmentInfo.boxIdentity), box.rest.count >= 4
        else { throw .noInitPart("uuid") }
        let text = box.take(box.rest.count - 4)
        guard box.integer() == CRC32C(bytes.dropLast(4)).value else { throw .noInitPart("uuid") }
        guard let info = SegmentInfo(text: String(decoding: text, as: UTF8.self)), info.version == 1,
            let tracks = MovieBox.read(movie.body)
        else {
            throw MP4Error(
                "read a segment", "the init part has a form that this build does not know",
                nextStep: "use the build that wrote it, or a newer one")
        }
        self.init(tracks: tracks, info: info)
    }
}

extension MP4Error {
    fileprivate static func noInitPart(_ box: BoxType) -> MP4Error {
        MP4Error(
            "read a segment", "the init part is incomplete: \(box) is missing, truncated or damaged",
            nextStep: "a partial file contains no media; a closed one is damaged: restore it from the store")
    }
}
