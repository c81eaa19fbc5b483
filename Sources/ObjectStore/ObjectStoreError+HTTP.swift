import Glibc
import HTTP
import Recording

extension ObjectStoreError {
    /// A request that got no answer: of the store as a whole, but for a local file that cannot be read.
    init(_ operation: String, _ thing: String, _ failure: HTTPFailure) {
        self.init(
            operation, thing, detail: "\(failure.origin): \(failure.detail)", nextStep: failure.nextStep,
            scope: failure.kind == .file ? .object : .store)
        // The file may have been evicted: what became of it the next survey says.
        if failure.kind == .file { errno = ENOENT }
        isTooLong = failure.kind == .tooLarge
        outlook =
            switch failure.kind {
            case .resolve, .tls, .tooLarge, .other: .lasting
            case .connect, .stalled: .timedOut
            case .reset, .stopped, .file: .passing
            }
    }
}

extension HTTPResponse {
    /// What `Retry-After` asks for (RFC 9110 §10.2.3), or `otherwise`; never more than five minutes, whatever a server asks.
    ///
    /// A date there counts from the answer's own: it needs no clock that agrees with the server's.
    func retryAfter(otherwise: TimeSpan) -> TimeSpan {
        let asked = self["retry-after"].flatMap { text in Int64(text).map { .seconds($0) } ?? span(to: text) }
        return min(max(asked ?? otherwise, .seconds(1)), .seconds(300))
    }

    /// From the answer's date to another; nil where one of the two is none.
    private func span(to text: String) -> TimeSpan? {
        guard let then = WallTime(httpDate: text), let now = self["date"].flatMap({ WallTime(httpDate: $0) }) else {
            return nil
        }
        return then - now
    }
}
