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

    func add(to router: Router<PlaybackContext>) {
        router.get("/ranges/:file") { request, context in
            let query = FootageQuery(request)
            guard let name = context.parameters.get("file"), name.hasSuffix(".mp4") else { throw Refusal.notFound }
            let camera = try await reader.camera(named: String(name.dropLast(4)), for: context.visitor)
            let asked = RangeSelection(
                camera: camera, from: try query.requiredTime("from"), to: try query.time("to") ?? clock.now(),
                skipsGaps: try query.skipsGaps())
            return try await file(asked, request, context)
        }
        // `mp4` is answered as `fmp4`: the same picture and sound, with its length known and ranges exact.
        router.get("/get") { request, context in
            let query = FootageQuery(request)
            let clip = try ClipRequest(
                path: query.text("path"), start: query.text("start"), duration: query.text("duration"),
                format: query.text("format"), gap: query.text("gap"))
            let camera = try await reader.camera(named: clip.path, for: context.visitor)
            let asked = RangeSelection(camera: camera, from: clip.start, to: clip.end, skipsGaps: clip.gap == .skip)
            return try await file(asked, request, context)
        }
    }

    private func file(
        _ asked: RangeSelection, _ request: Request, _ context: PlaybackContext
    ) async throws -> Response {
        try asked.check(limits, context.visitor)
        let share = reader.memory.share()
        try share.hold(FootageBytes.weight)
        var file = try await context.whileAwaited { try await asked.file(reader) }
        try share.hold(FootageBytes.weight + file.source.weight)
        file.fields = [.contentType: "video/mp4", .cacheControl: "private, no-cache"]
        if FootageQuery(request).text("download") != nil {
            file.fields[.contentDisposition] =
                "attachment; filename=\"\(asked.camera.name)_\(asked.from.fileName)_\(asked.to.fileName).mp4\""
        }
        return try await file.response(to: request, reader, keeping: share)
    }
}

extension WallTime {
    /// `2026-11-26T08-00-00Z`: every file system takes that.
    fileprivate var fileName: String { rfc3339.prefix(19).replacing(":", with: "-") + "Z" }
}
