import Catalog
import Checksums
import Footage
import HTTPTypes
import Hummingbird
import Messages
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
            let selection = try await asked.selection(reader)
            guard !selection.pieces.isEmpty else { throw Refusal.noFootage(camera.name, asked.from, asked.to) }
            var files: [ExportContents.File] = []
            for range in RangeSelection.ranges(selection.formats) {
                files.append(try await file(camera, range, skipsGaps: asked.skipsGaps, query, context.visitor))
            }
            return JSONAnswer.response(
                ExportContents(
                    camera: camera.name.text, from: asked.from.rfc3339, to: asked.to.rfc3339, ranges: files))
        }
    }

    private func file(
        _ camera: Archive.Camera, _ range: Range<WallTime>, skipsGaps: Bool, _ query: FootageQuery, _ visitor: Visitor
    ) async throws -> ExportContents.File {
        let (from, to) = (range.lowerBound, range.upperBound)
        let map = try await RangeSelection(camera: camera, from: from, to: to, skipsGaps: skipsGaps).map(reader)
        let times = "from=\(from.rfc3339Microseconds)&to=\(to.rfc3339Microseconds)"
        return ExportContents.File(
            from: from.rfc3339Microseconds, to: to.rfc3339Microseconds, bytes: map.length,
            etag: FootageFile(map, of: camera.name).tag.field,
            url: "../ranges/\(camera.name).mp4?\(times)&gap=\(skipsGaps ? "skip" : "stop")"
                + query.carried(visitor.carried, behind: "&"),
            segments: map.pieces.map { ExportContents.Segment($0) })
    }
}

extension ExportContents.Segment {
    fileprivate init(_ piece: Piece) {
        self.init(
            session: piece.row.id.ownSession, counter: piece.row.id.counter, start: piece.start.rfc3339,
            duration: piece.duration.seconds, bytes: Int64(piece.bytes.count),
            checksum: piece.row.checksum.map { CRC32C.hex($0) }, key: piece.row.key)
    }
}
