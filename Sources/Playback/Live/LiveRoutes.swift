import Footage
import HTTPTypes
import Hummingbird
import Recording
import Timeline

/// `/live/{camera}/stream.mp4`, a film that does not end, `/live/{camera}/index.m3u8`, low-latency HLS, and
/// `/live/streams?camera=&camera=…`, such films of several cameras in one answer (`LiveFrame`).
struct LiveRoutes {
    /// Three target durations, as RFC 8216bis §6.2.5.2 has it.
    static let patience = TimeSpan.seconds(24)

    let reader: FootageReader
    let feeds: LiveFeeds
    let clock: ServerClock

    func add(to router: Router<PlaybackContext>) {
        router.get("/live/streams") { request, context in
            let sources = try await sources(FootageQuery(request).texts("camera"), for: context.visitor)
            let streams = LiveStreams(
                sources: sources, visitor: context.visitor, reader: reader, feeds: feeds, clock: clock)
            return Response(
                status: .ok, headers: [.contentType: "application/octet-stream", .cacheControl: "no-store"],
                body: request.method == .head ? ResponseBody() : body(of: streams))
        }
        router.get("/live/:camera/stream.mp4") { request, context in
            let camera = try await camera(context)
            let begun = await feeds.answer(of: camera) { feed in
                await feed.fragment(after: nil).map { (first: $0, feed: feed) }
            }
            guard let (first, feed) = begun else { throw Refusal.notLive(camera.name) }
            return Response(
                status: .ok,
                headers: [
                    .contentType: "video/mp4; codecs=\"\(first.row.media.codecs)\"", .cacheControl: "no-store",
                    .acceptRanges: "none",
                ],
                body: request.method == .head ? ResponseBody() : stream(first, feed, for: context.visitor))
        }
        router.get("/live/:camera/index.m3u8") { request, context in try await playlist(request, context) }
    }

    /// Low-latency HLS: waits for the chunk or part that is asked for.
    ///
    /// Of a camera whose sound players of HLS do not play it is two playlists, of its picture and of that sound made AAC.
    private func playlist(_ request: Request, _ context: PlaybackContext) async throws -> Response {
        let camera = try await camera(context)
        let query = FootageQuery(request)
        let wanted = try WantedChunk(query)
        let tracks = try tracks(query)
        let chunks = await feeds.answer(of: camera) { feed in
            await feed.chunks(within: Self.patience) {
                wanted?.isIn(tracks == .audio ? $0.followed : $0) ?? true || wanted?.isAhead(of: $0) ?? false
            }
        }
        guard let chunks, !chunks.chunks.isEmpty || chunks.open != nil else { throw Refusal.notLive(camera.name) }
        guard wanted?.isAhead(of: chunks) != true else {
            throw Refusal.badRequest("_HLS_msn is too far ahead", nextStep: "load the playlist without it")
        }
        let listed = tracks == .audio ? chunks.followed : chunks
        guard wanted?.isIn(listed) ?? true else { throw Refusal.notLive(camera.name) }
        let text: String
        if tracks == nil, wanted == nil, chunks.hasG711 {
            let suffix = query.carried(context.visitor.carried, behind: "&")
            text =
                HLSMultivariant(
                    chunks, video: "index.m3u8?tracks=video" + suffix, audio: "index.m3u8?tracks=audio" + suffix,
                    size: await reader.pictureSize(of: chunks)
                ).text
        } else {
            let suffix = query.carried(context.visitor.carried, behind: "?")
            text =
                HLSPlaylist(
                    listed, suffix: suffix, base: "../../assets/\(camera.asset)/", hasParts: true,
                    tracks: tracks ?? .all
                ).text
        }
        return Response(
            status: .ok, headers: [.contentType: "application/vnd.apple.mpegurl", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private func tracks(_ query: FootageQuery) throws -> ManifestRequest.Tracks? {
        try query.text("tracks").map { text in
            guard let tracks = ManifestRequest.Tracks(rawValue: text) else {
                throw Refusal.badRequest("'tracks' is neither all, video nor audio", nextStep: "leave it out")
            }
            return tracks
        }
    }

    /// Each camera by itself, so that one that was removed takes none of the others along; refuses when none may be seen.
    private func sources(_ names: [String], for visitor: Visitor) async throws -> [LiveStreams.Source] {
        guard !names.isEmpty, names.count <= LiveStreams.mostCameras, Set(names).count == names.count else {
            throw Refusal.badRequest(
                "'camera' is missing, twice the same, or there are more than \(LiveStreams.mostCameras)",
                nextStep: "give camera= for each camera once")
        }
        guard visitor.window.contains(clock.now()) else { throw Refusal.outsideWindow(visitor.window) }
        var sources: [LiveStreams.Source] = []
        var refusals: [Refusal] = []
        for name in names {
            do {
                sources.append(.camera(try await reader.camera(named: name, for: visitor)))
            } catch let refusal as Refusal {
                sources.append(.refused(code: refusal.code))
                refusals.append(refusal)
            }
        }
        if refusals.count == names.count, let first = refusals.first { throw first }
        return sources
    }

    private func body(of streams: LiveStreams) -> ResponseBody {
        ResponseBody { writer in
            reader.viewers.begin()
            defer { reader.viewers.end() }
            try await streams.send(to: &writer)
            try await writer.finish(nil)
        }
    }

    private func camera(_ context: PlaybackContext) async throws -> Archive.Camera {
        let camera = try await reader.camera(named: context.parameters.get("camera") ?? "", for: context.visitor)
        guard context.visitor.window.contains(clock.now()) else { throw Refusal.outsideWindow(context.visitor.window) }
        return camera
    }

    /// The init part, then fragments as they come.
    ///
    /// Ends where the format changes, and when the viewer may see no more: they ask again.
    private func stream(_ first: LiveFragment, _ feed: LiveFeed, for visitor: Visitor) -> ResponseBody {
        ResponseBody { writer in
            reader.viewers.begin()
            defer { reader.viewers.end() }
            try await send(first.map, 0..<first.map.initLength, to: &writer)
            try await send(first, of: feed, to: &writer)
            var last = first
            while let next = await feed.fragment(after: last.sequence), next.hasFormat(of: first),
                visitor.liveEnd(at: clock.now()) == nil
            {
                try await send(next, of: feed, to: &writer)
                last = next
            }
            try await writer.finish(nil)
        }
    }

    /// What is sent is the feed's, and shared: whoever does not keep up goes on with a later key.
    private func send(
        _ fragment: LiveFragment, of feed: LiveFeed, to writer: inout any ResponseBodyWriter
    ) async throws {
        guard var bytes = try await feed.bytes(of: fragment) else {
            let map = fragment.map
            return try await send(map, map.initLength..<map.length, to: &writer)
        }
        while let block = bytes.readSlice(length: min(FootageFile.blockSize, bytes.readableBytes)),
            block.readableBytes > 0
        {
            try await writer.write(block)
        }
    }

    /// One block in memory a viewer.
    private func send(_ map: ByteMap, _ range: Range<Int64>, to writer: inout any ResponseBodyWriter) async throws {
        var bytes = ServedBytes(map, range, blockSize: FootageFile.blockSize)
        while let block = try await reader.block(&bytes, of: map) { try await writer.write(block) }
    }
}

/// What a player of low-latency HLS waits for: a chunk, or a fragment of it (RFC 8216bis §6.2.5.2).
private struct WantedChunk {
    /// A player that asks for what is further ahead is wrong.
    private static let ahead: Int64 = 2

    let number: Int64
    let part: Int64?

    /// Nil when it waits for nothing.
    init?(_ query: FootageQuery) throws {
        let mistake = Refusal.badRequest(
            "_HLS_msn or _HLS_part is no number", nextStep: "load the playlist without them")
        guard let text = query.text("_HLS_msn") else {
            if query.text("_HLS_part") != nil { throw mistake }
            return nil
        }
        guard let number = Int64(text), number >= 0 else { throw mistake }
        self.number = number
        part = try query.text("_HLS_part").map { text in
            guard let part = Int64(text), part >= 0 else { throw mistake }
            return part
        }
    }

    func isIn(_ list: ChunkList) -> Bool { list.holds(chunk: number, part: part) }

    func isAhead(of list: ChunkList) -> Bool {
        number.subtractingSaturated(list.first.chunk).subtractingSaturated(Int64(list.chunks.count)) > Self.ahead
    }
}

extension Refusal {
    fileprivate static func notLive(_ camera: CameraName) -> Refusal {
        Refusal(
            503, "notLive", "nothing of \(camera) is being recorded here now",
            nextStep: "see cvrctl status; what is recorded is in GET /coverage?camera=\(camera)"
        ).with("Retry-After", "5")
    }
}
