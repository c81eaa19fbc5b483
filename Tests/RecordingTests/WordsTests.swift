import Recording
import Testing

@Suite("Words")
struct WordsTests {
    @Test("camera names follow the grammar")
    func cameraNames() {
        for name in ["a", "front-door", "0", "cam-" + String(repeating: "x", count: 28)] {
            #expect(CameraName(name) != nil, "\(name)")
        }
        for name in ["", "-a", "A", "a_b", "a/b", "..", "ä", String(repeating: "x", count: 33)] {
            #expect(CameraName(name) == nil, "\(name)")
        }
    }

    @Test("a host name becomes a site")
    func siteNames() {
        #expect(SiteName(hostName: "Plant_7.example.org").text == "plant7")
        #expect(SiteName(hostName: "---").text == "site")
    }
}

@Suite("Coverage")
struct CoverageTests {
    func at(_ second: Int64) -> WallTime { WallTime(seconds: second) }

    func claim(_ from: Int64, _ to: Int64, _ kind: CoverageSpan.Kind, rank: Int64) -> Coverage.Claim {
        Coverage.Claim(CoverageSpan(from: at(from), to: at(to), kind: kind), rank: rank)
    }

    @Test("a gap shows above the segment that spans it, and the later session above the earlier")
    func ranks() {
        let coverage = Coverage(
            from: at(0), to: at(100),
            claims: [
                claim(0, 40, .recorded(.verified), rank: 2), claim(10, 20, .gap(.networkLoss), rank: 3),
                claim(30, 90, .recorded(.closed), rank: 4), claim(95, 91, .gap(.stopped), rank: 9),
            ])
        #expect(
            coverage.spans == [
                CoverageSpan(from: at(0), to: at(10), kind: .recorded(.verified)),
                CoverageSpan(from: at(10), to: at(20), kind: .gap(.networkLoss)),
                CoverageSpan(from: at(20), to: at(30), kind: .recorded(.verified)),
                CoverageSpan(from: at(30), to: at(90), kind: .recorded(.closed)),
                CoverageSpan(from: at(90), to: at(100), kind: .gap(.unknown)),
            ])
        #expect(coverage.percent == 80)
    }

    @Test("any claims give spans that touch, do not overlap and cover the range")
    func property() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let claims = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                claim(
                    .random(in: -10...110, using: &random), .random(in: -10...110, using: &random),
                    .gap(GapReason.allCases.randomElement(using: &random) ?? .unknown),
                    rank: .random(in: 0...3, using: &random))
            }
            let coverage = Coverage(from: at(0), to: at(100), claims: claims)
            #expect(coverage.spans.first?.from == at(0))
            #expect(coverage.spans.last?.to == at(100))
            for (left, right) in zip(coverage.spans, coverage.spans.dropFirst()) {
                #expect(left.to == right.from && left.kind != right.kind)
            }
            #expect(coverage.spans.allSatisfy { $0.from < $0.to })
        }
    }
}
