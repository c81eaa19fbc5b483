import HTTPTypes
import Hummingbird
import JSON
import Messages
import NIOCore

/// Why a request does not reach cvrd.
struct RestMistake: Error {
    let reply: GraphReply
    /// The rest of its body is not read.
    let endsConnection: Bool
    /// The methods that the address has.
    let allow: String?

    init(_ reply: GraphReply) { (self.reply, endsConnection, allow) = (reply, false, nil) }

    init(_ status: Int64, _ code: String, _ message: String, endsConnection: Bool = false, allow: String? = nil) {
        reply = .failure(status, code, message)
        (self.endsConnection, self.allow) = (endsConnection, allow)
    }
}

extension GraphReply {
    /// LVA's status and payload as those of HTTP; what may have no body has none (RFC 9110, 15.3.5).
    var response: Response {
        let known = (200...599).contains(status) ? Int(status) : 500
        guard known != 204, known != 304 else { return Response(status: HTTPResponse.Status(code: known)) }
        let text = (payload ?? .null).text
        var response = Response(
            status: HTTPResponse.Status(code: known),
            headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        // By when what took too long may be done, or cvrd be back.
        if let seconds = [503: "2", 504: "10"][known] { response.headers[.retryAfter] = seconds }
        return response
    }
}
