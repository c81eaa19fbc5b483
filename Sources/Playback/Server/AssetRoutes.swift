import Footage
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Recording
import Timeline

/// LVA's addresses of an asset: its available media, its manifests, and the media that these name.
struct AssetRoutes {
    let reader: FootageReader
    let feeds: LiveFeeds
    let clock: ServerClock
    let windows = LiveWindows()

    func add(to router: Router<PlaybackContext>) {
        router.get("/assets/:asset/:question") { request, context in
            let question = (context.parameters.get("question") ?? "").removingPercentEncoding ?? ""
            let camera = try await reader.camera(ofAsset: context.parameters.get("asset") ?? "", for: context.visitor)
            if question == "availableMedia" {
                return try await availableMedia(FootageQuery(request), of: camera, context.visitor)
            }
            guard question.lowercased().hasPrefix("manifest") else { throw Refusal.notFound }
            return try await manifest(try ManifestRequest(question), of: camera, request, context)
        }
        router.get("/assets/:asset/media/:segment/:file") { request, context in
            let parameters = context.parameters
            guard let place = MediaAddress(segment: parameters.get("segment") ?? "", file: parameters.get("file") ?? "")
            else {
                throw Refusal.notFound
            }
            let camera = try await reader.camera(ofAsset: parameters.get("asset") ?? "", for: context.visitor)
            return try await media(place, of: camera, request, context.visitor)
        }
    }

    private func availableMedia(
        _ query: FootageQuery, of camera: Archive.Camera, _ visitor: Visitor
    ) async throws -> Response {
        let asked = try AvailableMedia(
            precision: query.text("precision"), startTime: query.text("startTime"), endTime: query.text("endTime"))
        return try await reader.threads.run {
            let unknown = try reader.archive.unknownPast(camera)
            let answer = try asked.answer(reader.questions(camera, within: visitor.window.without(unknown)))
            if answer.timeRanges.isEmpty, let unknown, asked.reaches(before: unknown.before) { throw unknown.error }
            return JSONAnswer.response(answer).without(unknown)
        }
    }

    /// Served time is UTC since 1970.
    private func manifest(
        _ asked: ManifestRequest, of camera: Archive.Camera, _ request: Request, _ context: PlaybackContext
    ) async throws -> Response {
        let visitor = context.visitor
        _ = try visitor.part(from: asked.startTime, to: asked.endTime)
        let suffix = FootageQuery(request).carried(visitor.carried, behind: "?")
        let share = reader.memory.share()
        let (list, unknown) = try await reader.threads.run {
            let unknown = try reader.archive.unknownPast(camera)
            return (try chunks(asked, of: camera, visitor, unknown, share), unknown)
        }
        let text = try await text(list, asked, suffix, share)
        try share.hold(text.count)
        return Response(
            status: .ok,
            headers: [
                .contentType: asked.format == .dash ? "application/dash+xml" : "application/vnd.apple.mpegurl",
                .cacheControl: "no-cache",
            ],
            body: HeldText.body(text, share, on: context.channel.eventLoop)
        ).without(unknown)
    }

    /// Held by `share` in place of the rows that it is made of.
    ///
    /// Of a camera whose sound players of HLS do not play: the two playlists, of its picture and of that sound made AAC.
    private func text(
        _ list: ChunkList, _ asked: ManifestRequest, _ suffix: String, _ share: MemoryBudget.Share
    ) async throws -> [UInt8] {
        if asked.format != .dash, asked.tracks == nil, list.hasG711 {
            let size = await reader.pictureSize(of: list)
            return Array(
                HLSMultivariant(
                    list, video: asked.reference(to: .video) + suffix, audio: asked.reference(to: .audio) + suffix,
                    size: size
                ).text.utf8)
        }
        return try await reader.threads.run {
            let dash = DASHManifest(list, suffix: suffix, now: clock.now())
            let playlist = HLSPlaylist(list, suffix: suffix, tracks: asked.tracks ?? .all)
            try share.hold(adding: asked.format == .dash ? dash.expectedLength : playlist.expectedLength)
            return asked.format == .dash ? dash.bytes : playlist.bytes
        }
    }

    /// A live manifest stays one while its camera is away, so that who waits for it sees it come back; when nothing came
    /// for as long as it lists it is ended, and is still the same list.
    private func chunks(
        _ asked: ManifestRequest, of camera: Archive.Camera, _ visitor: Visitor, _ unknown: UnknownPast?,
        _ share: MemoryBudget.Share
    ) throws -> ChunkList {
        let isAddedTo = try reader.archive.isLive(camera)
        let goesOn = try isAddedTo || windows.isKnown(camera) || reader.archive.isAwaited(camera)
        let isLive = visitor.window.upperBound == .latest && goesOn
        let questions = reader.questions(camera, within: visitor.window.without(unknown))
        guard let plan = try asked.plan(isLive: isLive, questions) else {
            try unknown.check(from: asked.startTime)
            throw Refusal.noFootage(camera.name, asked.startTime ?? .earliest, asked.endTime ?? .latest)
        }
        let isEnded = try plan.isLive && !isAddedTo && !reader.archive.isLive(camera, within: ManifestRequest.newest)
        // Ends with a fragment that the visitor may see; what is newest has not ended.
        let rows = try reader.rows(camera, from: plan.from, to: plan.to, byKey: plan.isLive, holding: share)
        if plan.isSliding {
            return windows.list(camera, rows, from: plan.from, to: plan.to, isEnded: isEnded)
        }
        if plan.isLive { windows.note(camera) }
        let selection = Selection(rows, from: plan.from, to: plan.to, origin: WallTime(microseconds: 0))
        return ChunkList(selection, as: plan.isLive ? .event : .onDemand, isEnded: isEnded)
    }

    /// Waits for the fragment that a live playlist hints at: all from where the segment ends now (rfc8216bis §6.2.2).
    ///
    /// Refuses when the segment ends there.
    private func row(
        at place: MediaAddress, of camera: Archive.Camera, _ request: Request, _ visitor: Visitor
    ) async throws -> SegmentRow {
        let row = try await reader.row(at: place, of: camera, until: visitor.window.upperBound)
        guard row.state == .recording, let start = ByteRange.start(request.headers[.range]),
            start == row.media.mediaEnd
        else { return row }
        let grown = await feeds.answer(of: camera) { await $0.row(row.id, beyond: start, within: LiveRoutes.patience) }
        guard let grown else { throw Refusal.gone }
        return grown
    }

    /// A segment's file up to the end of its media, shifted: the same for every replica, and for ever once it is closed.
    private func media(
        _ place: MediaAddress, of camera: Archive.Camera, _ request: Request, _ visitor: Visitor
    ) async throws -> Response {
        let share = reader.memory.share()
        try share.hold(FootageBytes.weight)
        let row = try await row(at: place, of: camera, request, visitor)
        guard let map = ByteMap(place, of: row) else { throw Refusal.gone }
        var file = FootageFile(map, of: camera.name)
        file.fields[.contentType] = "video/mp4"
        file.fields[.cacheControl] =
            row.state == .recording ? "private, no-cache" : "private, max-age=604800, immutable"
        file.permitted = try visitor.permitted(row)
        return try await file.response(to: request, reader, keeping: share)
    }
}

extension Visitor {
    /// What of a segment's file they may have, nil for all; refuses when that is nothing.
    fileprivate func permitted(_ row: SegmentRow) throws -> [Range<Int64>]? {
        let fragments = try fragments(of: row)
        guard fragments != row.media.fragments.indices else { return nil }
        return [0..<row.media.initLength, Piece(row, fragments).bytes]
    }

    /// Those of a segment that they may see: as in a range, from the key at or before their time; refuses when that is
    /// nothing.
    func fragments(of row: SegmentRow) throws -> Range<Int> {
        if window.lowerBound <= row.start, row.end <= window.upperBound { return row.media.fragments.indices }
        let selection = Selection([row], from: window.lowerBound, to: window.upperBound, origin: row.start)
        guard let first = selection.pieces.first, let last = selection.pieces.last else {
            throw Refusal.outsideWindow(window)
        }
        return first.fragments.lowerBound..<last.fragments.upperBound
    }
}
