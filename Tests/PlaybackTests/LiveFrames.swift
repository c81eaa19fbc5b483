import Foundation
import TestSupport

/// What `/live/streams` sends over a connection, taken apart as cvr-playback-http(7) describes it.
struct LiveFrames {
    struct Frame {
        let kind: Character
        let camera: Int
        let content: [UInt8]

        var text: String { String(decoding: content, as: UTF8.self) }

        /// The second of a fragment's first picture (`tfdt` of its first track, at 90 kHz), in UTC.
        var second: Int? {
            guard let box = content.firstRange(of: Array("tfdt".utf8)) else { return nil }
            let field = content.dropFirst(box.upperBound + 4).prefix(8)
            return field.reduce(0) { $0 << 8 | Int($1) } / 90_000
        }
    }

    let connection: RawConnection
    private var raw: [UInt8] = []
    private var body: [UInt8] = []
    private(set) var head: String?

    init(_ connection: RawConnection, _ query: String, _ fields: [String] = []) {
        self.connection = connection
        let fields = fields.map { $0 + "\r\n" }.joined()
        connection.send("GET /live/streams?\(query) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
    }

    /// The next frame that is no sign of life.
    mutating func next() async throws -> Frame {
        while true {
            if let frame = cut(), frame.kind != "n" { return frame }
            guard let more = await connection.read(1 << 16), !more.isEmpty else { throw Missed("the stream ended") }
            raw += more
            unwrap()
        }
    }

    /// The next of one camera.
    mutating func next(of camera: Int) async throws -> Frame {
        while true {
            let frame = try await next()
            if frame.camera == camera { return frame }
        }
    }

    private mutating func cut() -> Frame? {
        guard body.count >= 8 else { return nil }
        let length = body[4..<8].reduce(0) { $0 << 8 | Int($1) }
        guard body.count >= 8 + length else { return nil }
        defer { body.removeFirst(8 + length) }
        return Frame(
            kind: Character(UnicodeScalar(body[0])), camera: Int(body[2]) << 8 | Int(body[3]),
            content: Array(body[8..<8 + length]))
    }

    /// Takes the answer's head and the borders of chunks away (RFC 9112 §7.1).
    private mutating func unwrap() {
        let line = Array("\r\n".utf8)
        if head == nil, let end = raw.firstRange(of: line + line) {
            head = String(decoding: raw[..<end.lowerBound], as: UTF8.self)
            raw.removeFirst(end.upperBound)
        }
        while head != nil, let end = raw.firstRange(of: line),
            let length = Int(String(decoding: raw[..<end.lowerBound], as: UTF8.self), radix: 16),
            raw.count >= end.upperBound + length + 2
        {
            body += raw[end.upperBound..<end.upperBound + length]
            raw.removeFirst(end.upperBound + length + 2)
        }
    }
}
