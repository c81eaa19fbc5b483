import HTTP

/// A request that a service bills as a write; told as it was sent, whatever its answer.
///
/// By the price lists of S3 and Azure that is each PUT, block and list of blocks included, and each page of a listing.
/// What reads costs a tenth or less, what deletes nothing: neither is told. Of those that are refused a service bills no
/// more than what is told.
package struct BilledRequest: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A segment's object, or a part of it.
        case segment
        case document
        /// One page of a listing.
        case list
    }

    package typealias Counter = @Sendable (BilledRequest) -> Void

    package var kind: Kind
    /// Stored by it: none when it was refused, or got no answer.
    package var bytes: Int64

    package init(_ kind: Kind, bytes: Int64) {
        self.kind = kind
        self.bytes = bytes
    }
}

extension HTTPClient {
    /// As `perform`; `count` is told of a request that is on the bill.
    func perform(
        _ request: HTTPRequest, bodyLimit: Int, as kind: BilledRequest.Kind?, _ count: BilledRequest.Counter
    ) throws(HTTPFailure) -> HTTPResponse {
        guard let kind else { return try perform(request, bodyLimit: bodyLimit) }
        do throws(HTTPFailure) {
            let response = try perform(request, bodyLimit: bodyLimit)
            let isStored = (200..<300).contains(response.status)
            count(BilledRequest(kind, bytes: isStored ? request.body.count : 0))
            return response
        } catch {
            if error.mayHaveArrived { count(BilledRequest(kind, bytes: 0)) }
            throw error
        }
    }
}

extension HTTPFailure {
    /// False where nothing that a service could bill was sent.
    fileprivate var mayHaveArrived: Bool {
        switch kind {
        case .resolve, .connect, .tls, .file: false
        case .stalled, .reset, .tooLarge, .stopped, .other: true
        }
    }
}

extension HTTPBody {
    var count: Int64 {
        switch self {
        case .none: 0
        case .bytes(let bytes): Int64(bytes.count)
        case .file(_, _, let count): count
        }
    }
}
