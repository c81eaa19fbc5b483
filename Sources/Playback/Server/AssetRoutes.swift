import Footage
import HTTPTypes
import Hummingbird
import Recording
import Timeline

/// LVA's addresses of an asset: its available media, its manifests, and the media that these name.
struct AssetRoutes {
    let reader: FootageReader
    let clock: ServerClock

    func add(to router: Router<PlaybackContext>) {
        router.get("/assets/:asset/media/:segment/:file") { request, context in
            let parameters = context.parameters
            guard let place = MediaPlace(parameters.get("segment") ?? "", parameters.get("file") ?? "") else {
                throw Refusal.notFound
            }
            let camera = try await reader.camera(ofAsset: parameters.get("asset") ?? "", for: context.visitor)
            return try await media(place, of: camera, request, context.visitor)
        }
    }

    /// A segment's file up to the end of its media, shifted: the same for every replica, and for ever once it is closed.
    private func media(
        _ place: MediaPlace, of camera: Archive.Camera, _ request: Request, _ visitor: Visitor
    ) async throws -> Response {
        let rows = try await reader.rows(camera.name, from: place.start, to: place.start + .milliseconds(1))
        guard
            let row = rows.first(where: {
                $0.id == place.id && $0.start.wholeMilliseconds == place.start && $0.isPlayable
            })
        else { throw Refusal.gone }
        let piece = Piece(row, 0..<row.media.fragments.count, shift: place.shift)
        var file = FootageFile(ByteMap([piece]), of: camera.name)
        file.fields[.contentType] = "video/mp4"
        file.fields[.cacheControl] =
            row.state == .recording ? "private, no-cache" : "private, max-age=604800, immutable"
        file.permitted = try visitor.permitted(row)
        return try await file.response(to: request, reader)
    }
}

/// `{session}.{counter}.{startMilliseconds}/{shiftMicroseconds}.mp4`: which segment, and how far it is moved.
struct MediaPlace: Hashable {
    let id: SegmentID
    /// UTC, whole milliseconds.
    let start: WallTime
    let shift: TimeSpan

    init(_ row: SegmentRow, shift: TimeSpan) {
        id = row.id
        start = row.start.wholeMilliseconds
        self.shift = shift
    }

    /// Nil for everything that `path` would not write.
    init?(_ segment: String, _ file: String) {
        let numbers = segment.split(separator: ".", omittingEmptySubsequences: false).map { Int64($0) }
        guard numbers.count == 3, let session = numbers[0], let counter = numbers[1], let start = numbers[2],
            file.hasSuffix(".mp4"), let shift = Int64(file.dropLast(4)), counter >= 0
        else { return nil }
        id = SegmentID(session: session, counter: counter)
        self.start = WallTime(microseconds: start.multipliedSaturated(1000))
        self.shift = TimeSpan(microseconds: shift)
        guard path == segment + "/" + file else { return nil }
    }

    var path: String {
        "\(id.session).\(id.counter).\(start.microseconds / 1000)/\(shift.microseconds).mp4"
    }
}

extension Visitor {
    /// What of a segment's file they may have; nil: all. Refuses when that is nothing.
    fileprivate func permitted(_ row: SegmentRow) throws -> [Range<Int64>]? {
        if window.lowerBound <= row.start, row.end <= window.upperBound { return nil }
        let selection = Selection([row], from: window.lowerBound, to: window.upperBound, origin: row.start)
        guard let piece = selection.pieces.first else { throw Refusal.outsideWindow(window) }
        return [0..<row.media.initLength, piece.bytes]
    }
}
