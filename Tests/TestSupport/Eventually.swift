import Dispatch

/// The one place where tests look again and again: for facts that nothing announces.
///
/// Returns the first value that is not nil; time over is an error that names what was waited for.
@discardableResult
package func eventually<Found>(
    _ what: String, within limit: Duration = .seconds(20), every pause: Duration = .milliseconds(250),
    isolation: isolated (any Actor)? = #isolation, _ look: () async throws -> Found?
) async throws -> Found {
    let deadline = ContinuousClock.now + limit
    while true {
        if let found = try await look() { return found }
        guard ContinuousClock.now < deadline else { throw Missed("\(what): not within \(limit)") }
        await firstOf(within: pause) { _ in }
    }
}
