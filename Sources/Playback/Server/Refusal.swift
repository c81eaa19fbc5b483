import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
package import Recording

/// Why a request is not answered: what cvrctl's `--json` says of errors, with an HTTP status.
package struct Refusal: Error, Sendable {
    /// HTTP status (RFC 9110 §15).
    package let status: Int
    /// lowerCamelCase; never changes its meaning.
    package let code: String
    package let message: String
    package let nextStep: String
    /// Header fields that go with it, as `Retry-After`.
    package private(set) var fields: [String: String] = [:]
    /// Parts of what was asked for that can be had one by one.
    package private(set) var ranges: [Range<WallTime>] = []

    package init(_ status: Int, _ code: String, _ message: String, nextStep: String) {
        self.status = status
        self.code = code
        self.message = message
        self.nextStep = nextStep
    }

    package func with(_ name: String, _ value: String) -> Refusal {
        var copy = self
        copy.fields[name] = value
        return copy
    }

    package func with(ranges: [Range<WallTime>]) -> Refusal {
        var copy = self
        copy.ranges = ranges
        return copy
    }
}

extension Refusal {
    static func badRequest(_ message: String, nextStep: String) -> Refusal {
        Refusal(400, "badRequest", message, nextStep: nextStep)
    }

    static let notFound = Refusal(
        404, "notFound", "there is nothing at this address",
        nextStep: "see cvr-playback-http(7) for the addresses there are")

    static func noCamera(_ name: String) -> Refusal {
        Refusal(
            404, "noSuchCamera", "there is no camera or asset '\(name)'", nextStep: "GET /cameras lists those there are"
        )
    }

    static func noFootage(_ camera: CameraName, _ from: WallTime, _ to: WallTime) -> Refusal {
        Refusal(
            404, "noFootage", "\(camera) has no footage between \(from.rfc3339) and \(to.rfc3339)",
            nextStep: "GET /coverage?camera=\(camera) tells what there is")
    }

    static func busy(_ what: String) -> Refusal {
        Refusal(503, "busy", what, nextStep: "try again in a few seconds").with("Retry-After", "2")
    }
}

extension Refusal {
    private struct Body: Encodable {
        struct Text: Encodable {
            let code: String
            let message: String
            let nextStep: String
        }

        struct Span: Encodable {
            let start: String
            let end: String
        }

        let error: Text
        let ranges: [Span]?
    }

    var response: Response {
        let spans = ranges.map {
            Body.Span(start: $0.lowerBound.rfc3339Microseconds, end: $0.upperBound.rfc3339Microseconds)
        }
        let body = Body(
            error: Body.Text(code: code, message: message, nextStep: nextStep), ranges: spans.isEmpty ? nil : spans)
        var response = JSONAnswer.response(body)
        response.status = HTTPResponse.Status(code: status)
        response.headers[.cacheControl] = "no-store"
        for (name, value) in fields {
            if let name = HTTPField.Name(name) { response.headers[name] = value }
        }
        return response
    }
}

/// Answers as JSON.
enum JSONAnswer {
    private static let headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-cache"]

    /// A short one.
    static func response(_ value: some Encodable) -> Response {
        Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: text(value))))
    }

    /// One of any length, whose text `share` holds in place of what it is made of.
    static func response(
        _ value: some Encodable, _ share: MemoryBudget.Share, on loop: any EventLoop
    ) throws -> Response {
        let text = [UInt8](text(value))
        try share.hold(text.count)
        return Response(status: .ok, headers: headers, body: HeldText.body(text, share, on: loop))
    }

    private static func text(_ value: some Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Only a number that is not finite could fail: none of our answers has one.
        return (try? encoder.encode(value)) ?? Data("{}".utf8)
    }
}
