import Footage
import HTTPTypes
import Hummingbird
import Recording

extension UnknownPast {
    /// Says from when on an answer is right: `Cvr-Unknown-Before: 2026-11-26T08:00:00.000Z`.
    static let field = "Cvr-Unknown-Before"
}

extension Response {
    /// The same, saying that the past before a moment is left out of it.
    func without(_ past: UnknownPast?) -> Response {
        guard let past, let name = HTTPField.Name(UnknownPast.field) else { return self }
        var copy = self
        copy.headers[name] = past.before.rfc3339
        return copy
    }
}

extension Range<WallTime> {
    /// What of a visitor's window can be told.
    func without(_ past: UnknownPast?) -> Range<WallTime> {
        past.map { clamped(from: $0.before, to: .latest) } ?? self
    }
}
