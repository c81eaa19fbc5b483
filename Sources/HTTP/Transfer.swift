import CCurl
import Dispatch

/// One request on its way, from the thread that waits for it to the client's loop and back.
///
/// Unchecked: the caller makes it and then only waits for `done`; what changes in between is the loop's alone, and the
/// semaphore orders the two.
final class Transfer: @unchecked Sendable {
    let request: HTTPRequest
    let settings: HTTPSettings
    private let body: BodySource
    private var response: ResponseReader
    private let done = DispatchSemaphore(value: 0)
    private var result: Result<HTTPResponse, HTTPFailure>?
    /// Why a callback ended the transfer.
    private var refusal: HTTPFailure?
    /// Bytes moved, or the request was about to be sent; nil while there is no connection.
    private var lastMove: ContinuousClock.Instant?
    /// The body waits until then.
    private(set) var resumption: ContinuousClock.Instant?

    init(_ request: HTTPRequest, bodyLimit: Int, settings: HTTPSettings) throws(HTTPFailure) {
        for header in request.headers where (header.name + header.value).utf8.contains(where: { $0 < 32 }) {
            throw HTTPFailure(
                .other, request.origin, "the header \(header.name.prefix(40)) has a line break in it",
                nextStep: "remove it from the configuration")
        }
        self.request = request
        self.settings = settings
        body = try BodySource(request.body, origin: request.origin)
        response = ResponseReader(bodyLimit: bodyLimit)
    }

    var bodyCount: Int64 { body.count }

    /// The caller's: blocks until the loop calls `finish`.
    func wait() throws(HTTPFailure) -> HTTPResponse {
        done.wait()
        guard let result else { throw failure(.other, "no result", nextStep: "see the log; it is retried") }
        return try result.get()
    }

    /// The loop's last word; to be called once.
    func finish(_ outcome: Outcome) {
        switch outcome {
        case .failed(let failure): result = .failure(refusal ?? failure)
        case .answered(let status):
            var answer = HTTPResponse(status: status, body: response.body)
            answer.headers = response.headers
            result = .success(answer)
        }
        done.signal()
    }

    enum Outcome {
        case answered(status: Int)
        case failed(HTTPFailure)
    }

    func failure(_ kind: HTTPFailure.Kind, _ detail: String, nextStep: String) -> HTTPFailure {
        HTTPFailure(kind, request.origin, detail, nextStep: nextStep)
    }

    /// Why it must end now, if it must.
    func verdict(at now: ContinuousClock.Instant) -> HTTPFailure? {
        if settings.isStopping() { return failure(.stopped, "we are to end", nextStep: "none; it is done later") }
        guard resumption == nil, let lastMove, now - lastMove > settings.stallLimit else { return nil }
        return failure(
            .stalled, "nothing moved for \(settings.stallLimit)", nextStep: "check the network; it is retried")
    }

    /// True once, when the body may go on.
    func isDue(at now: ContinuousClock.Instant) -> Bool {
        guard let resumption, resumption <= now else { return false }
        self.resumption = nil
        lastMove = now
        return true
    }
}

/// What libcurl asks while it works.
extension Transfer {
    func connected() { lastMove = .now }

    func rewind(to offset: Int64) -> Bool { body.seek(offset) }

    /// Of what `pace` is asked for at once: a slow link that several share must leave none silent for long.
    private static let piece = 64 << 10

    /// The next bytes of the body into libcurl's buffer; how many, or one of its words.
    func supply(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let now = ContinuousClock.now
        lastMove = now
        let wanted = min(buffer.count, Self.piece, Int(clamping: body.remaining))
        guard wanted > 0 else { return 0 }
        let wait = settings.pace(wanted)
        guard wait <= .zero else {
            resumption = now + wait
            return cvr_curl_pause_reading()
        }
        guard let count = body.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])) else {
            refusal = failure(
                .file, "the file cannot be read or became shorter", nextStep: "none: the next survey explains it")
            return cvr_curl_abort_reading()
        }
        return count
    }

    func take(header line: UnsafeRawBufferPointer) -> Bool {
        lastMove = .now
        return response.header(line) || refuse("its headers")
    }

    func take(body bytes: UnsafeRawBufferPointer) -> Bool {
        lastMove = .now
        if let sink = request.sink, (200..<300).contains(response.status) {
            sink(bytes)
            return true
        }
        return response.append(bytes) || refuse("more than \(response.bodyLimit) bytes")
    }

    private func refuse(_ what: String) -> Bool {
        refusal = failure(
            .tooLarge, "the answer is too long: \(what)",
            nextStep: "check host and port: this is not what was asked for")
        return false
    }
}
