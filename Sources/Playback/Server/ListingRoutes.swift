import Footage
import Foundation
import HTTPTypes
import Hummingbird
import Messages
import NIOCore
import Recording
import Timeline

/// What there is: `/cameras`; `/coverage`, `/segments` and `/gaps` as cvrctl's `--json` says them; MediaMTX's `/list`.
struct ListingRoutes {
    let reader: FootageReader
    let limits: ServerLimits
    /// Else a proxy may say that its viewers ask it by TLS.
    let isTLS: Bool

    /// Of a span or a gap with its text, in bytes.
    private static let spanWeight = 300
    /// Of a page of rows and its text, in bytes.
    private static let pageWeight = Answers.page * 2048

    func add(to router: Router<PlaybackContext>) {
        router.get("/cameras") { _, context in
            let cameras = try await reader.threads.run {
                try reader.archive.cameras()
                    .filter { context.visitor.maySee(camera: $0.name, asset: $0.asset) }
                    .map { try CameraEntry($0, in: reader.archive, window: context.visitor.window) }
            }
            return JSONAnswer.response(["cameras": cameras])
        }
        router.get("/coverage") { request, context in
            let (camera, from, to) = try await asked(request, context.visitor)
            let (share, loop) = (reader.memory.share(), context.channel.eventLoop)
            return try await reader.threads.run {
                let answers = try reader.archive.answers(camera)
                let coverage = try await answers.coverage(from: from, to: to)
                try share.hold(coverage.spans.count * Self.spanWeight)
                return try JSONAnswer.response(Listing.Coverage(coverage), share, on: loop).without(answers.unknown)
            }
        }
        router.get("/gaps") { request, context in
            let (camera, from, to) = try await asked(request, context.visitor)
            let (share, loop) = (reader.memory.share(), context.channel.eventLoop)
            return try await reader.threads.run {
                let answers = try reader.archive.answers(camera)
                let gaps = try await answers.gaps(from: from, to: to)
                try share.hold(gaps.count * Self.spanWeight)
                return try JSONAnswer.response(gaps.map { Listing.Gap($0) }, share, on: loop).without(answers.unknown)
            }
        }
        router.get("/segments") { request, context in try await segments(request, context.visitor) }
        router.get("/list") { request, context in try await list(request, context) }
    }

    private func segments(_ request: Request, _ visitor: Visitor) async throws -> Response {
        let (camera, from, to) = try await asked(request, visitor)
        let share = reader.memory.share()
        try share.hold(Self.pageWeight)
        let answers = try await reader.threads.run { try reader.archive.answers(camera) }
        try answers.check(from: from, to: to)
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-cache"],
            body: segments(answers, from, to, share)
        ).without(answers.unknown)
    }

    private func asked(
        _ request: Request, _ visitor: Visitor
    ) async throws -> (camera: Archive.Camera, from: WallTime?, to: WallTime?) {
        let query = FootageQuery(request)
        let camera = try await reader.camera(named: try query.required("camera"), for: visitor)
        let (from, to) = (try query.time("from"), try query.time("to"))
        if let from, let to, from >= to {
            throw Refusal.badRequest("'from' is not before 'to'", nextStep: "give a range of some length")
        }
        let part = try visitor.part(from: from, to: to)
        return (camera, part.from, part.to)
    }

    /// A page at a time: a year of segments is never in memory.
    private func segments(
        _ answers: Answers, _ from: WallTime?, _ to: WallTime?, _ share: MemoryBudget.Share
    ) -> ResponseBody {
        ResponseBody { writer in
            defer { withExtendedLifetime(share) {} }
            try await withTaskExecutorPreference(reader.threads) {
                try await Self.write(answers, from, to, to: &writer)
            }
            try await writer.finish(nil)
        }
    }

    private static func write(
        _ answers: Answers, _ from: WallTime?, _ to: WallTime?, to writer: inout any ResponseBodyWriter
    ) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var separator = "["
        try await answers.segments(from: from, to: to) { rows in
            var page = ByteBuffer()
            for row in rows {
                page.writeString(separator)
                page.writeBytes(try encoder.encode(Listing.Segment(row)))
                separator = ","
            }
            if page.readableBytes > 0 { try await writer.write(page) }
        }
        try await writer.write(ByteBuffer(string: separator == "[" ? "[]" : "]"))
    }
}

extension ListingRoutes {
    /// Where the viewer reaches this server, by what a proxy says of it; what is made of that only this viewer gets.
    private func base(of request: Request) -> String {
        let forwarded = { (name: String) in HTTPField.Name("X-Forwarded-" + name).flatMap { request.headers[$0] } }
        let scheme = isTLS || forwarded("Proto") == "https" ? "https" : "http"
        let path = forwarded("Prefix").map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 } ?? ""
        return "\(scheme)://\(request.head.authority ?? "localhost")\(path.isPath ? path : "")"
    }

    /// One entry a stretch without a gap, each with the address that plays it.
    private func list(_ request: Request, _ context: PlaybackContext) async throws -> Response {
        let visitor = context.visitor
        let query = FootageQuery(request)
        let asked = try TimeSpans(path: query.text("path"), start: query.text("start"), end: query.text("end"))
        let camera = try await reader.camera(named: asked.path, for: visitor)
        let part = try visitor.part(from: asked.from, to: asked.to)
        let spans = try TimeSpans(
            path: camera.name.text, start: part.from?.rfc3339Microseconds, end: part.to?.rfc3339Microseconds)
        let base = base(of: request)
        let suffix = query.carried(visitor.carried, behind: "&")
        let share = reader.memory.share()
        let (entries, unknown) = try await reader.threads.run {
            let unknown = try reader.archive.unknownPast(camera)
            let questions = reader.questions(camera, within: .always.without(unknown))
            return (try spans.entries(questions, base: base, suffix: suffix, longest: limits.range), unknown)
        }
        guard !entries.isEmpty else {
            try unknown.check(from: asked.from)
            throw Refusal.noFootage(camera.name, asked.from, asked.to)
        }
        return try JSONAnswer.response(entries, share, on: context.channel.eventLoop).without(unknown)
    }
}

extension String {
    /// Begins with a slash and says nothing but where.
    fileprivate var isPath: Bool {
        let isPlain = { (byte: UInt8) in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                || "/-._~".utf8.contains(byte)
        }
        return hasPrefix("/") && !hasPrefix("//") && utf8.allSatisfy(isPlain)
    }
}

private struct CameraEntry: Encodable {
    let name: String
    let asset: String
    /// Its worker appends to a segment now.
    let live: Bool
    /// Of the first and last footage that can be played.
    let from: String?
    let to: String?
    /// What was recorded before nobody can tell now; nil nearly always.
    let unknownBefore: String?
    /// RFC 6381, comma-separated, of the newest segment; browsers say what of it they play.
    let codecs: String?
    /// The sound of that segment is G.711, which browsers do not play: HLS and `/assets/{asset}/sound` have it as AAC.
    let transcodedSound: Bool

    init(_ camera: Archive.Camera, in archive: Archive, window: Range<WallTime>) throws {
        name = camera.name.text
        asset = camera.asset
        let known = try archive.firstAndLast(camera)
        let span = known.flatMap { known in
            let (from, to) = (max(known.0, window.lowerBound), min(known.1, window.upperBound))
            return from < to ? (from: from, to: to) : nil
        }
        live = try window.upperBound == .latest && archive.isLive(camera)
        from = span?.from.rfc3339
        to = span?.to.rfc3339
        unknownBefore = try archive.unknownPast(camera)?.before.rfc3339
        codecs = try span.flatMap { span in
            try archive.rows(camera, from: max(span.from, span.to - .seconds(1)), to: span.to, byKey: true)
                .last?.media.codecs
        }
        transcodedSound = codecs?.split(separator: ",").contains { ["alaw", "ulaw"].contains($0) } ?? false
    }
}
