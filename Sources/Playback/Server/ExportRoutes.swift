import Footage
import HTTPTypes
import Hummingbird
import Recording
import Timeline

/// `/export/{camera}`: what a range consists of, for whoever fetches it and must be able to prove what it is.
struct ExportRoutes {
    let reader: FootageReader
    let limits: ServerLimits

    func add(to router: Router<PlaybackContext>) {
        router.get("/export/:camera") { request, context in
            let query = FootageQuery(request)
            let camera = try await reader.camera(named: context.parameters.get("camera") ?? "", for: context.visitor)
            let asked = RangeSelection(
                camera: camera, from: try query.requiredTime("from"), to: try query.requiredTime("to"),
                skipsGaps: try query.skipsGaps())
            try asked.check(limits, context.visitor)
            let share = reader.memory.share()
            try share.hold(FootageBytes.weight)
            let visitor = context.visitor
            let files = try await context.whileAwaited {
                var files: [ExportText.File] = []
                for range in try await RangeScan.of(asked, reader).ranges {
                    files.append(try await file(asked, range, query, visitor))
                }
                return files
            }
            let text = ExportText(camera: camera, from: asked.from, to: asked.to, files: files)
            try share.hold(text.weight)
            return Response(
                status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-cache"],
                body: text.body(reader, share))
        }
    }

    /// Of one format.
    private func file(
        _ asked: RangeSelection, _ range: Range<WallTime>, _ query: FootageQuery, _ visitor: Visitor
    ) async throws -> ExportText.File {
        let (from, to) = (range.lowerBound.rfc3339Microseconds, range.upperBound.rfc3339Microseconds)
        let scan = try await RangeScan.of(
            RangeSelection(
                camera: asked.camera, from: range.lowerBound, to: range.upperBound, skipsGaps: asked.skipsGaps), reader)
        return ExportText.File(
            head: ExportText.Head(
                from: from, to: to, bytes: scan.layout.length, etag: scan.file.tag.field,
                url: "../ranges/\(asked.camera.name).mp4?from=\(from)&to=\(to)&gap=\(asked.skipsGaps ? "skip" : "stop")"
                    + query.carried(visitor.carried, behind: "&")), layout: scan.layout)
    }
}
