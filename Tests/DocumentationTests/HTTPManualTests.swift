import TestSupport
import Testing

/// etc/man/cvr-playback-http.7 against the routes of cvr-playback, and what these read and refuse.
@Suite("Documentation: cvr-playback-http(7)", .timeLimit(.minutes(1)))
struct HTTPManualTests {
    let page: ManualPage
    let sources: [SourceFiles]
    /// All of these sources.
    let text: String

    init() throws {
        page = try ManualPage("cvr-playback-http.7")
        sources = try SourceFiles.below("Sources/Playback")
        text = sources.map(\.text).joined(separator: "\n")
    }

    private func file(_ name: String, in folder: String) throws -> String {
        try #require(SourceFiles.below(folder).first { $0.path.hasSuffix("/\(name).swift") }).text
    }

    /// The addresses of the page, as they are shown.
    private var addresses: [String] {
        get throws {
            try page.sections(from: "ADDRESSES", to: "LIVE STREAMS").flatMap(\.tags).map {
                ManualPage.plain($0.hasPrefix(".B ") ? $0.dropFirst(3) : $0[...])
            }
        }
    }

    /// `/ranges/CAMERA.mp4` is one of `/ranges/:file`: what a path's part stands for is in capitals.
    private static func matches(_ address: String, _ pattern: String) -> Bool {
        let path = address.prefix { $0 != "?" && $0 != "[" }.split(separator: "/")
        let parts = pattern.split(separator: "/")
        return path.count == parts.count
            && zip(path, parts).allSatisfy { word, part in
                word == part || part.hasPrefix(":") && word.prefix { $0 != "." }.allSatisfy(\.isUppercase)
            }
    }

    @Test("names every route, and no other")
    func routes() throws {
        // One that is added in another way would be missed.
        #expect(Set(text.matches(of: /\brouter\.(\w+)\(/).map { String($0.output.1) }) == ["get", "add"])
        let patterns = text.matches(of: /\brouter\.get\("([^"]+)"\)/).map { String($0.output.1) }
        #expect(patterns.count == text.matches(of: /\brouter\.get\(/).count && patterns.count > 15)
        let addresses = try addresses
        for pattern in patterns {
            let named = addresses.contains { Self.matches($0, pattern) || Self.isQuestion($0, of: pattern) }
            #expect(named, "\(pattern) is not in the page")
        }
        for address in addresses {
            let known = patterns.contains { Self.matches(address, $0) || Self.isQuestion(address, of: $0) }
            #expect(known, "\(address) is no route")
        }
    }

    /// LVA's questions, which are one route.
    private static func isQuestion(_ address: String, of pattern: String) -> Bool {
        pattern == "/assets/:asset/:question"
            && ["/assets/ASSET/availableMedia?", "/assets/ASSET/manifest("].contains { address.hasPrefix($0) }
    }

    @Test("names every parameter that a route reads, and no other")
    func parameters() throws {
        let named = try addresses.flatMap { $0.matches(of: /[?&(,](\w+)=/).map { String($0.output.1) } }
        let read = text.matches(of: /[ .](?:text|texts|required|time|requiredTime|duration)\("(\w+)"\)/)
        #expect(read.count > 25)
        #expect(Set(named) == Set(read.map { String($0.output.1) }))
    }

    @Test("names every error with its status, and no other")
    func errors() throws {
        var known: Set<String> = []
        for refusal in text.matches(of: /(?:Refusal|init)\(\s*(\d{3}), "(\w+)"/) {
            known.insert("\(refusal.output.2) \(refusal.output.1)")
        }
        for file in try SourceFiles.below("Sources/Timeline") {
            for mistake in file.text.matches(of: /RequestMistake\(\s*"(\w+)"/) {
                known.insert("\(mistake.output.1) 400")
            }
        }
        let statuses = try file("Refusal+Errors", in: "Sources/Playback")
        for code in try file("ArchiveError", in: "Sources/Footage").matches(of: /\bcase (\w+)\n/) {
            let status = statuses.matches(of: /\.(\w+): (\d{3})/).first { $0.output.1 == code.output.1 }?.output.2
            known.insert("\(code.output.1) \(status ?? "503")")
        }
        for line in try file("PreviewRoutes", in: "Sources/Playback").matches(of: /case ([.\w, ]+): (\d{3})/) {
            for code in line.output.1.matches(of: /\w+/) {
                known.insert("\(code.output == "unavailable" ? "previewUnavailable" : code.output) \(line.output.2)")
            }
        }
        let named = try page.section("ERRORS").tags.flatMap { tag in
            let words = ManualPage.Section(title: "", lines: [".TP", tag]).terms
            return tag.matches(of: /\d{3}/).flatMap { status in words.map { "\($0) \(status.output)" } }
        }
        #expect(known.count > 28)
        #expect(known.subtracting(named).sorted() == [], "are not in the page")
        #expect(Set(named).subtracting(known).sorted() == [], "are in the page and nowhere else")
    }

    @Test("names every kind of frame, every reason of an end, every claim, and no other")
    func words() throws {
        let frames = try file("LiveFrame", in: "Sources/Playback")
        let kinds = frames.matches(of: /case \w+ = 0x\w\w  \/\/ (\w)/).map { String($0.output.1) }
        #expect(kinds.count == 5)
        #expect(Set(try page.section("LIVE STREAMS").terms) == Set(kinds))
        let ends = try #require(frames.firstMatch(of: /enum LiveEnd: String \{([^}]*)\}/)).output.1
        #expect(
            Set(try page.section("Reasons of ends").terms)
                == Set(ends.matches(of: /case (\w+)/).map { String($0.output.1) }))
        let claims = try #require(
            file("ContentTokens", in: "Sources/Playback").firstMatch(of: /struct Claims: JWTPayload \{([^}]*?)func/)
        ).output.1
        #expect(
            Set(try page.section("Content tokens").terms)
                == Set(claims.matches(of: /var (\w+):/).map { String($0.output.1) }))
    }
}
