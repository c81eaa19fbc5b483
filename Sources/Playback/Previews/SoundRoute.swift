import Footage
import HTTPTypes
import Hummingbird
import Recording
import Timeline

/// `/assets/{asset}/sound/{segment}/{file}?from=&to=[&part=]`: the G.711 of a chunk of a manifest as AAC.
extension PreviewRoutes {
    /// What of it a player of HLS asks for: such chunks follow one another, each frame is in one.
    private enum Part: String {
        case initPart = "init"
        case media
    }

    /// Fragments of a segment, and what of their sound is wanted.
    private struct Asked {
        let camera: Archive.Camera
        let piece: Piece
        let part: Part?
    }

    func addSound(to router: Router<PlaybackContext>) {
        router.get("/assets/:asset/sound/:segment/:file") { request, context in
            let parameters = context.parameters
            guard let place = MediaAddress(segment: parameters.get("segment") ?? "", file: parameters.get("file") ?? "")
            else { throw Refusal.notFound }
            let camera = try await reader.camera(ofAsset: parameters.get("asset") ?? "", for: context.visitor)
            let row = try await reader.row(at: place, of: camera, until: context.visitor.window.upperBound)
            let query = FootageQuery(request)
            let piece = try Self.piece(of: row, place.shift, query)
            let permitted = try context.visitor.fragments(of: row)
            guard piece.fragments.clamped(to: permitted) == piece.fragments else {
                throw Refusal.outsideWindow(context.visitor.window)
            }
            let part = try query.text("part").map { text in
                guard let part = Part(rawValue: text) else {
                    throw Refusal.badRequest("'part' is neither init nor media", nextStep: "leave it out for both")
                }
                return part
            }
            let (asked, visitor) = (Asked(camera: camera, piece: piece, part: part), context.visitor)
            return try await context.whileAwaited {
                Self.response(try await sound(asked, visitor), type: "audio/mp4")
            }
        }
    }

    private func sound(_ asked: Asked, _ visitor: Visitor) async throws -> [UInt8] {
        let (before, after) = try await neighbours(of: asked.piece, asked.camera, visitor)
        guard let part = asked.part else {
            // And of the fragment before them, so that parts join without a click: a browser puts one over the other.
            return try await made(of: [before, asked.piece], asked.camera, nil)
        }
        let end = after.flatMap { $0.start - asked.piece.end < Self.tolerance ? $0.servedStart : nil }
        let span =
            asked.piece.servedStart
            .microseconds..<max(
                asked.piece.servedStart.microseconds.addingSaturated(1), (end ?? asked.piece.servedEnd).microseconds)
        let bytes = try await made(of: [before, asked.piece, after], asked.camera, span)
        let border = Self.firstFragment(of: bytes)
        return Array(part == .initPart ? bytes[..<border] : bytes[border...])
    }

    /// Asked of cvr-preview, unless it is known.
    private func made(
        of pieces: [Piece?], _ camera: Archive.Camera, _ span: Range<Int64>?
    ) async throws -> [UInt8] {
        let pieces = pieces.compactMap(\.self)
        let shift = pieces.first?.shift.microseconds ?? 0
        let name = "\(camera.name) \(pieces.map(Self.name).joined(separator: " ")) \(shift)"
        return try await (try made()).audio(name, of: span) { try await media(pieces) }
    }

    /// What rounding may put between a segment's end and the next one's start.
    private static let tolerance = TimeSpan.milliseconds(100)

    /// The fragments before and behind some, in the segments beside theirs too, as far as this visitor may have them.
    ///
    /// An encoder of sound hears what is around a frame. Without them a chunk's borders can be heard, nothing worse.
    private func neighbours(
        of piece: Piece, _ camera: Archive.Camera, _ visitor: Visitor
    ) async throws -> (before: Piece?, after: Piece?) {
        let (row, fragments) = (piece.row, piece.fragments)
        let isInside = fragments.lowerBound > 0 && fragments.upperBound < row.media.fragments.count
        let rows =
            isInside
            ? []
            : try await reader.threads.run { [archive = reader.archive] () throws -> [SegmentRow] in
                let known = try archive.unknownPast(camera)?.before ?? .earliest
                return try archive.rows(
                    camera, from: max(row.start - Self.tolerance, known), to: row.end + Self.tolerance, byKey: true)
            }
        func fragment(_ index: Int, of row: SegmentRow?) -> Piece? {
            guard let row, row.media.fragments.indices.contains(index) else { return nil }
            let found = Piece(row, index..<(index + 1), shift: piece.shift)
            return visitor.window.lowerBound <= found.start && found.end <= visitor.window.upperBound ? found : nil
        }
        let last = rows.first { row.continues($0) }
        let next = rows.first { $0.continues(row) }
        return (
            fragments.lowerBound > 0
                ? fragment(fragments.lowerBound - 1, of: row)
                : fragment((last?.media.fragments.count ?? 0) - 1, of: last),
            fragment(fragments.upperBound, of: row) ?? fragment(0, of: next)
        )
    }

    /// The fragments that begin in the bytes `from..<to` of a segment's file, which is how manifests name them.
    private static func piece(of row: SegmentRow, _ shift: TimeSpan, _ query: FootageQuery) throws -> Piece {
        guard let from = Int64(try query.required("from")), let to = Int64(try query.required("to")), from < to else {
            throw Refusal.badRequest("'from' and 'to' are no byte range", nextStep: "give a chunk's of a manifest")
        }
        let inside = row.media.fragments.indices.filter { (from..<to).contains(row.offset(ofFragment: $0)) }
        guard let first = inside.first, let last = inside.last else {
            throw Refusal.badRequest("no fragment begins there", nextStep: "give the byte range of a manifest's chunk")
        }
        return Piece(row, first..<(last + 1), shift: shift)
    }

    /// Where the first `moof` of a file begins (ISO/IEC 14496-12 §4.2); its end when there is none.
    private static func firstFragment(of file: [UInt8]) -> Int {
        var place = 0
        while file.count - place >= 8 {
            if file[(place + 4)..<(place + 8)].elementsEqual("moof".utf8) { return place }
            let size = file[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
            guard size >= 8, size <= file.count - place else { break }
            place += size
        }
        return file.count
    }
}

extension SegmentRow {
    /// It goes on where another one of its session ends, with its init part.
    fileprivate func continues(_ other: SegmentRow) -> Bool {
        id.session == other.id.session && id.counter == other.id.counter.addingSaturated(1) && isPlayable
            && other.isPlayable && media.formatName == other.media.formatName
    }
}
