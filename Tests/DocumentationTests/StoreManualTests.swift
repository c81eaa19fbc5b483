import Foundation
import ObjectStore
import Recording
import TestSupport
import Testing

/// etc/man/cvr-store.7 against what is written.
@Suite("Documentation: cvr-store(7)", .timeLimit(.minutes(1)))
struct StoreManualTests {
    let page: ManualPage

    init() throws { page = try ManualPage("cvr-store.7") }

    @Test("names every field of an object's metadata, and no other")
    func metadata() throws {
        let camera = try #require(CameraName("gate"))
        let metadata = ObjectMetadata(
            camera: camera, session: 1, duration: .zero, codecs: "", timescale: 1, checksum: 0, seek: [],
            gaps: [Gap(from: .earliest, to: .earliest + .seconds(2), reason: .networkLoss, detail: "")])
        #expect(try page.section("Segments").terms == metadata.fields.map(\.name))
    }

    @Test("names every kind and member of a summary's lines, and no other")
    func summary() throws {
        let source = try String(
            contentsOfFile: Repository.path("Sources/Footage/SummaryLine.swift"), encoding: .utf8)
        let members = source.matches(of: /(?m)^    package var (\w+): [\w.\[\]]+\??$/).map { String($0.output.1) }
        let ofSegments = try #require(
            source.firstMatch(of: /self\.init\(isKept \? "(\w+)" : [^"]*"\w+" \? "(\w+)" : "(\w+)"/)
        ).output
        let others = source.matches(of: /self\.init\("(\w+)"/).map { String($0.output.1) }
        let written = [ofSegments.1, ofSegments.2, ofSegments.3].map { String($0) } + others + ["summary"]
        #expect(members.count > 20 && written.count == 6)
        #expect(Set(try page.section("Summaries").terms) == Set(members).subtracting(["kind"]).union(written))
    }

    @Test("shows names as they are made")
    func layout() throws {
        let layout = try #require(page.examples.first)
            .replacing("SITE", with: "plant").replacing("ASSET", with: "gate").replacing("ID", with: "h1")
            .replacing("YYYY-MM-DD", with: "2026-11-25").replacing("HH/MM-SS.mmm", with: "18/42-31.937")
            .replacing("COUNTER", with: "1")
        for name in layout.split(separator: "\n") {
            #expect(ObjectKey(name) != nil || DocumentKey(name) != nil, "\(name)")
        }
    }
}
