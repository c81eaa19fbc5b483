import Footage
import HTTPTypes
import Hummingbird
import Recording
import Timeline

/// A file of footage that is never made: what answers requests for it and for parts of it.
struct FootageFile: Sendable {
    let source: FootageSource
    let length: Int64
    let tag: EntityTag
    /// What goes with every answer, as `Content-Disposition`.
    var fields: HTTPFields = [:]
    /// Read and held at a time of what is on a disk here.
    static let blockSize = 128 << 10

    /// What of it this visitor may have; nil: all.
    var permitted: [Range<Int64>]?

    /// A segment of one camera, as it is served.
    init(_ map: ByteMap, of camera: CameraName) {
        var tag = FootageTag(camera, track: map.track)
        for piece in map.pieces { tag.add(piece) }
        (source, length, self.tag) = (.segment(map), map.length, tag.tag)
    }

    /// `tag` is of all its pieces.
    init(_ layout: RangeLayout, tag: EntityTag, of camera: Archive.Camera) {
        (source, length, self.tag) = (.range(layout, camera), layout.length, tag)
    }

    /// Answers GET and HEAD, whole or a range; `keeping` is held as long as it is sent.
    func response(to request: Request, _ reader: FootageReader, keeping: (any Sendable)? = nil) async throws -> Response
    {
        var fields = fields
        fields[.eTag] = tag.field
        fields[.acceptRanges] = "bytes"
        if tag.isIn(request.headers[.ifNoneMatch]) { return Response(status: .notModified, headers: fields) }
        let asked = tag.allowsRange(request.headers[.ifRange]) ? request.headers[.range] : nil
        let range: Range<Int64>
        switch ByteRange(asked, length: length) {
        case .whole: range = 0..<length
        case .part(let part):
            range = part
            fields[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(length)"
        case .unsatisfiable:
            throw Refusal(
                416, "rangeNotSatisfiable", "the file has \(length) bytes", nextStep: "ask for bytes that it has"
            ).with("Content-Range", "bytes */\(length)")
        }
        guard
            permitted?.contains(where: { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound })
                ?? true
        else { throw Refusal.forbidden }
        let status: HTTPResponse.Status = fields[.contentRange] == nil ? .ok : .partialContent
        return Response(status: status, headers: fields, body: try await body(range, request, reader, keeping: keeping))
    }

    private func body(
        _ range: Range<Int64>, _ request: Request, _ reader: FootageReader, keeping: (any Sendable)?
    ) async throws -> ResponseBody {
        let length = Int(range.count)
        guard request.method != .head, length > 0 else { return ResponseBody(contentLength: length) { _ in } }
        // Read before the answer begins: then what cannot be had is still an error that says why.
        var start = FootageBytes(source, range)
        let first = try await start.next(reader)
        return ResponseBody(contentLength: length) { [start] writer in
            reader.viewers.begin()
            defer {
                reader.viewers.end()
                withExtendedLifetime(keeping) {}
            }
            var (bytes, next) = (start, first)
            while let block = next {
                // Returns when the connection has room: a slow reader costs one block.
                try await writer.write(block)
                next = try await bytes.next(reader)
            }
            try await writer.finish(nil)
        }
    }
}
