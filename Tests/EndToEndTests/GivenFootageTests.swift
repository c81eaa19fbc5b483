import Foundation
import TestSupport
import Testing

/// Footage that somebody else recorded, held against its clip: `contrib/test-package` has one camera's cache examined.
///
/// `CVR_FOOTAGE` is a directory with `cache/front`, `CVR_FOOTAGE_CLIP` the clip that this camera looped, and
/// `CVR_FOOTAGE_SESSIONS` the sessions (`1,2`) of which each goes on where the one before ended.
@Suite("Given footage", .showsEvidence, .enabled(if: ProcessInfo.processInfo.environment["CVR_FOOTAGE"] != nil))
struct GivenFootageTests {
    static func variable(_ name: String) throws -> String {
        try #require(ProcessInfo.processInfo.environment[name], "\(name) is not set")
    }

    @Test("has every frame of its camera, in order, over the borders of its sessions", .timeLimit(.minutes(5)))
    func whole() async throws {
        let clip = try await SourceClip(try Self.variable("CVR_FOOTAGE_CLIP"))
        let root = try Self.variable("CVR_FOOTAGE")
        let sessions = try Self.variable("CVR_FOOTAGE_SESSIONS").split(separator: ",").compactMap { Int64($0) }
        try #require(sessions.count > 1, "no border to look at")
        var last: Footage?
        for session in sessions {
            let files = TestBox.cached("front", session: session, in: root)
            let footage = try await Footage(files, of: clip)
            #expect(footage.complaints.isEmpty, "\(footage.complaints)")
            for track in footage.tracks { #expect(track.isWhole, "session \(session): \(track)") }
            print("session \(session): \(files.count) files; \(footage.tracks.map(\.description))")
            let missing = zip(last?.tracks ?? [], footage.tracks).map { $0.missing(before: $1) }
            print("session \(session) begins after \(missing) samples that are missing")
            for samples in missing { #expect(samples == 0, "session \(session): \(missing)") }
            last = footage
        }
    }
}
