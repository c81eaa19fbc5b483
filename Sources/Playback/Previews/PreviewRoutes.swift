import Footage
import HTTPTypes
import Hummingbird
import Recording
import Timeline

/// What cvr-preview makes of footage: `/preview/{camera}.jpg?time=&width=`, and beside an asset's `media` its `sound`
/// (`SoundRoute.swift`).
struct PreviewRoutes {
    /// Of one job, in bytes: what cvr-preview takes, and some room.
    private static let largest: Int64 = 48 << 20
    private static let usualWidth = 320

    let reader: FootageReader
    /// Nil where there is no cvr-preview.
    let previews: Previews?

    func add(to router: Router<PlaybackContext>) {
        addSound(to: router)
        router.get("/preview/:file") { request, context in
            guard let name = context.parameters.get("file"), name.hasSuffix(".jpg") else { throw Refusal.notFound }
            let camera = try await reader.camera(named: String(name.dropLast(4)), for: context.visitor)
            let (query, visitor) = (FootageQuery(request), context.visitor)
            return try await context.whileAwaited { try await picture(of: camera, query, visitor) }
        }
    }

    /// The keyframe at or before a time.
    private func picture(
        of camera: Archive.Camera, _ query: FootageQuery, _ visitor: Visitor
    ) async throws -> Response {
        let time = try query.requiredTime("time")
        let width = try query.text("width").map { text in
            guard let width = Int(text), (1...4096).contains(width) else {
                throw Refusal.badRequest("'width' is no width", nextStep: "give pixels, as width=320")
            }
            return width
        }
        _ = try visitor.bounds(from: time, to: time)
        let end = time + .milliseconds(1)
        let rows = try await reader.rows(camera, from: time, to: end, byKey: true)
        guard let piece = Selection(rows, from: time, to: end, origin: time).pieces.first else {
            throw Refusal.noFootage(camera.name, time, end)
        }
        let first = Piece(piece.row, piece.fragments.lowerBound..<(piece.fragments.lowerBound + 1))
        let name = "\(camera.name) \(Self.name(first))"
        let bytes = try await (try made()).thumbnail(name, width: width ?? Self.usualWidth) { try await media([first]) }
        return Self.response(bytes, type: "image/jpeg")
    }

    /// Which bytes of which segment, for ever.
    static func name(_ piece: Piece) -> String {
        let id = piece.row.id
        return "\(id.session).\(id.counter) \(piece.row.start.microseconds) \(piece.bytes)"
    }

    /// The first one's init part and the fragments as they are served.
    func media(_ pieces: [Piece]) async throws -> [UInt8] {
        let map = ByteMap(pieces)
        guard map.length <= Self.largest else {
            throw Refusal(413, "tooLarge", "this is too much at once", nextStep: "ask for fewer fragments")
        }
        var next = ServedBytes(map, 0..<map.length, blockSize: reader.blockSize(for: map))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(clamping: map.length))
        while let block = try await reader.block(&next, of: map) { bytes += block.readableBytesView }
        return bytes
    }

    func made() throws -> Previews {
        guard let previews else {
            throw Refusal(
                503, "previewUnavailable", "there are no previews here",
                nextStep: "install cvr-preview beside cvr-playback")
        }
        return previews
    }

    /// Whole fragments never change.
    static func response(_ bytes: [UInt8], type: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "private, max-age=86400"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension FootageReader {
    /// The segment that an address of media names, with all its fragments if it goes on after `end`.
    func row(
        at place: MediaAddress, of camera: Archive.Camera, until end: WallTime = .latest
    ) async throws -> SegmentRow {
        let row = try await threads.run { () throws -> SegmentRow? in
            let find = { () throws -> SegmentRow? in
                let moment = place.start + .milliseconds(1)
                let row = try archive.rows(camera, from: place.start, to: moment, byKey: true).first { place.isOf($0) }
                guard let row, row.end > end else { return row }
                return try archive.rows(camera, from: place.start, to: moment).first { place.isOf($0) }
            }
            if let known = try find(), known.state != .recording { return known }
            // Rows may be as of a moment ago: a live playlist names what came since.
            if let row = try archive.growing(camera)?.row, place.isOf(row) { return row }
            // It closed meanwhile, and that was seen by the look for what grows.
            return try find()
        }
        guard let row else { throw Refusal.gone }
        return row
    }
}

extension MediaAddress {
    fileprivate func isOf(_ row: SegmentRow) -> Bool {
        row.id == id && row.start.wholeMilliseconds == start && row.isPlayable
    }
}

extension Refusal {
    init(_ error: PreviewError) {
        let status =
            switch error.code {
            case .unavailable, .busy: 503
            case .damaged: 502
            case .unsupported: 415
            case .tooMuch: 504
            }
        let code = error.code == .unavailable ? "previewUnavailable" : error.code.rawValue
        self.init(status, code, error.message, nextStep: error.nextStep)
    }
}
