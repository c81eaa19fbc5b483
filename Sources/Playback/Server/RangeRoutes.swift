import Footage
import HTTPTypes
import Hummingbird
import Recording
import Timeline

/// Any range of a camera's footage as one file: `/ranges/{camera}.mp4`, and MediaMTX's `/get`.
struct RangeRoutes {
    let reader: FootageReader
    let limits: ServerLimits
    let clock: ServerClock
    let long: Turn

    func add(to router: Router<PlaybackContext>) {
        router.get("/ranges/:file") { request, context in
            let query = FootageQuery(request)
            guard let name = context.parameters.get("file"), name.hasSuffix(".mp4") else { throw Refusal.notFound }
            let range = (from: try query.requiredTime("from"), to: try query.time("to") ?? clock.now())
            return try await file(String(name.dropLast(4)), range, query, request, context)
        }
        // `mp4` is answered as `fmp4`: the same picture and sound, with its length known and ranges exact.
        router.get("/get") { request, context in
            let query = FootageQuery(request)
            let (name, start) = (try query.required("path"), try query.requiredTime("start"))
            let end = start + (try query.duration("duration"))
            guard ["fmp4", "mp4"].contains(query.text("format") ?? "fmp4") else {
                throw Refusal.badRequest("'format' is neither fmp4 nor mp4", nextStep: "give format=fmp4")
            }
            return try await file(name, (start, end), query, request, context)
        }
    }

    private func file(
        _ name: String, _ range: (from: WallTime, to: WallTime), _ query: FootageQuery, _ request: Request,
        _ context: PlaybackContext
    ) async throws -> Response {
        let camera = try await reader.camera(named: name, for: context.visitor)
        let (from, to) = (range.from, range.to)
        guard from < to, to - from <= limits.range else {
            throw Refusal.badRequest(
                "a range is longer than nothing and at most \(Int(limits.range.seconds / 86_400)) days",
                nextStep: "ask for its parts")
        }
        _ = try context.visitor.bounds(from: from, to: to)
        let place = try place(to - from)
        let map = try await RangeSelection(camera: camera, from: from, to: to, skipsGaps: try query.skipsGaps())
            .map(reader)
        var file = FootageFile(map, of: camera.name)
        file.fields = [.contentType: "video/mp4", .cacheControl: "private, no-cache"]
        if query.text("download") != nil {
            file.fields[.contentDisposition] =
                "attachment; filename=\"\(camera.name)_\(from.fileName)_\(to.fileName).mp4\""
        }
        return try await file.response(to: request, reader, keeping: place)
    }

    /// Rows of a month are tens of megabytes: few such at a time.
    private func place(_ length: TimeSpan) throws -> Place? {
        guard length > .seconds(86_400) else { return nil }
        guard long.enterIfFree() else { throw Refusal.busy("others are served long ranges") }
        return Place(long)
    }
}

/// Is left when nobody holds it any more, also when an answer was never sent.
private final class Place: Sendable {
    private let turn: Turn

    init(_ turn: Turn) { self.turn = turn }

    deinit { turn.leave() }
}

extension WallTime {
    /// `2026-11-26T08-00-00Z`: every file system takes that.
    fileprivate var fileName: String { rfc3339.prefix(19).replacing(":", with: "-") + "Z" }
}
