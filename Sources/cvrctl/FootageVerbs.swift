import ArgumentParser
import Messages
import Recording

/// Whose footage, and of when.
struct FootageOptions: ParsableArguments {
    @Argument(help: "The camera's name.", completion: .cameras)
    var camera: String

    @Option(
        help: ArgumentHelp(
            "Start of the range, RFC 3339 (default: the first known second).", valueName: "time"),
        transform: Self.time)
    var from: String?

    @Option(help: ArgumentHelp("End of the range (default: now).", valueName: "time"), transform: Self.time)
    var to: String?

    var query: Listing.Query { Listing.Query(camera: camera, from: from, to: to) }

    @Sendable static func time(_ text: String) throws -> String {
        guard let time = WallTime(rfc3339: text) else {
            throw ValidationError("'\(text)' is not an RFC 3339 time such as 2026-11-23T08:00:00Z.")
        }
        return time.rfc3339
    }
}

struct SegmentsVerb: Verb {
    static let configuration = CommandConfiguration(commandName: "segments", abstract: "List a camera's segments.")

    @OptionGroup var footage: FootageOptions
    @OptionGroup var global: GlobalOptions

    func perform(_ admin: AdminSession) async throws {
        var segments: [Listing.Segment] = []
        try await admin.each("Segments", footage.query, as: Listing.Segments.self) { segments += $0.segments }
        admin.show(segments) { FootageReport.text(segments, for: $0) }
    }
}

struct GapsVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "gaps", abstract: "List the times without footage, with reasons.")

    @OptionGroup var footage: FootageOptions
    @OptionGroup var global: GlobalOptions

    func perform(_ admin: AdminSession) async throws {
        var gaps: [Listing.Gap] = []
        try await admin.each("Gaps", footage.query, as: Listing.Gaps.self) { gaps += $0.gaps }
        admin.show(gaps) { FootageReport.text(gaps, for: $0) }
    }
}

struct CoverageVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "coverage", abstract: "Account for every second as recorded, gap or evicted.")

    @OptionGroup var footage: FootageOptions
    @OptionGroup var global: GlobalOptions

    func perform(_ admin: AdminSession) async throws {
        let coverage = try await admin.ask("Coverage", footage.query, as: Listing.Coverage.self)
        admin.show(coverage) { FootageReport.text(coverage, for: $0) }
    }
}
