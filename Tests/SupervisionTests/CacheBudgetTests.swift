import Recording
import Supervision
import Testing
import YAMLConfiguration

private func camera(_ name: String) throws -> CameraName { try #require(CameraName(name)) }

@Suite("Supervision: cache budgets")
struct CacheBudgetTests {
    struct Row: Sendable {
        /// MiB to share.
        let usable: Int64
        /// Budget in MiB, and measured rate.
        let claims: [String: (explicit: Int64?, rate: Double?)]
        /// MiB.
        let expected: [String: Int64]
    }

    static let table: [Row] = [
        Row(usable: 900, claims: [:], expected: [:]),
        // Nobody is measured: evenly.
        Row(
            usable: 900, claims: ["a": (nil, nil), "b": (nil, nil), "c": (nil, nil)],
            expected: ["a": 300, "b": 300, "c": 300]),
        // By bit rate, so that all keep the same time.
        Row(usable: 900, claims: ["a": (nil, 8e6), "b": (nil, 1e6)], expected: ["a": 800, "b": 100]),
        // Not measured yet: the mean of the others.
        Row(
            usable: 900, claims: ["a": (nil, 4e6), "b": (nil, 2e6), "c": (nil, nil)],
            expected: ["a": 400, "b": 200, "c": 300]),
        // What explicit budgets leave.
        Row(
            usable: 900, claims: ["a": (600, 1e6), "b": (nil, 1e6), "c": (nil, 2e6)],
            expected: ["a": 600, "b": 100, "c": 200]),
        // They promise all: a quarter of an even share is left to the rest.
        Row(usable: 800, claims: ["a": (5000, nil), "b": (nil, nil)], expected: ["a": 5000, "b": 100]),
        // One that floods, or lies, is bounded by what the others send.
        Row(
            usable: 900, claims: ["a": (nil, 1e300), "b": (nil, 1e6), "c": (nil, 1e6)],
            expected: ["a": 720, "b": 90, "c": 90]),
        // Rates that are none.
        Row(
            usable: 900, claims: ["a": (nil, .nan), "b": (nil, 0), "c": (nil, -.infinity)],
            expected: ["a": 300, "b": 300, "c": 300]),
        Row(usable: 0, claims: ["a": (nil, 1e6)], expected: ["a": 1]),
    ]

    @Test("usable disk, explicit budgets and bit rates → budgets", arguments: table.indices)
    func shares(index: Int) throws {
        let row = Self.table[index]
        var claims: [CameraName: CacheBudget.Claim] = [:]
        for (name, claim) in row.claims {
            claims[try camera(name)] = CacheBudget.Claim(
                explicit: claim.explicit.map { $0 << 20 }, bitsPerSecond: claim.rate)
        }
        let shares = CacheBudget.shares(row.usable << 20, among: claims)
        #expect(Dictionary(uniqueKeysWithValues: shares.map { ($0.text, $1 >> 20) }) == row.expected)
    }

    @Test("whatever rates are claimed, each camera has a budget, and together they have no more than there is")
    func hostileRates() throws {
        let names = try ["a", "b", "c", "d"].map { try camera($0) }
        let hostile: [Double?] = [
            nil, .nan, .infinity, -.infinity, .greatestFiniteMagnitude, -1, 0, .leastNonzeroMagnitude,
            .leastNormalMagnitude, 1e300, 4e6,
        ]
        for _ in 0..<2000 {
            let claims = Dictionary(
                uniqueKeysWithValues: names.map { name in
                    // As a worker's word comes to count.
                    var mean = BitRateMean(patience: .zero, remembered: hostile.randomElement() ?? nil)
                    for second: Int64 in 0..<4 {
                        let rate = (hostile.randomElement() ?? nil) ?? 0
                        mean.add(rate, at: MonotonicTime(microseconds: second * 1_000_000))
                    }
                    #expect(mean.bitsPerSecond.map { (0...1e10).contains($0) } ?? true)
                    let rate = Bool.random() ? mean.bitsPerSecond : hostile.randomElement() ?? nil
                    return (name, CacheBudget.Claim(bitsPerSecond: rate))
                })
            let shares = CacheBudget.shares(1 << 40, among: claims)
            #expect(shares.count == 4 && shares.values.allSatisfy { $0 >= 1 << 20 }, "\(claims)")
            #expect(shares.values.reduce(0, +) <= 1 << 40, "\(claims)")
        }
    }

    @Test("budgets move when one of them does by more than a tenth, or cameras come and go")
    func hysteresis() throws {
        let (a, b) = (try camera("a"), try camera("b"))
        let old: [CameraName: Int64] = [a: 1000, b: 1000]
        #expect(!CacheBudget.isMoved(from: old, to: [a: 1100, b: 900]))
        #expect(CacheBudget.isMoved(from: old, to: [a: 1101, b: 1000]))
        #expect(CacheBudget.isMoved(from: old, to: [a: 1000, b: 899]))
        #expect(CacheBudget.isMoved(from: old, to: [a: 1000]))
        #expect(CacheBudget.isMoved(from: [a: 0], to: [a: 1]))
    }

    @Test("a mean says nothing before it has seen enough, then follows slowly")
    func mean() {
        var mean = BitRateMean(patience: .seconds(10))
        func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(microseconds: seconds * 1_000_000) }
        for second in 0..<10 { mean.add(4e6, at: at(Int64(second))) }
        #expect(mean.bitsPerSecond == nil)
        mean.add(.nan, at: at(10))
        mean.add(4e6, at: at(10))
        #expect(mean.bitsPerSecond == 4e6)
        // A minute of night is a tenth of the ten before.
        for second in 11...600 { mean.add(4e6, at: at(Int64(second))) }
        for second in 601...660 { mean.add(1e6, at: at(Int64(second))) }
        #expect((3.6e6...3.8e6).contains(mean.bitsPerSecond ?? 0))
        #expect(BitRateMean(patience: .seconds(10), remembered: 2e6).bitsPerSecond == 2e6)
    }

    @Test("bit rates outlive cvrd; a damaged file is none")
    func file() throws {
        let box = try TemporaryBox()
        let path = "\(box.root)/bitrates"
        let rates = [try camera("a"): 4e6, try camera("b"): 12_345.0]
        try BitRateFile.write(rates, path)
        #expect(BitRateFile.read(path) == rates)
        try SmallFileFixture.write("a\n\u{0} 1\nb x\nc 5 6\n", path)
        #expect(BitRateFile.read(path).isEmpty)
        #expect(BitRateFile.read("\(path)/nothing").isEmpty)
    }

    @Test("the file system of a path is that of the longest mount above it, the last one there")
    func mounts() {
        let table = MountTable(
            """
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            30 22 0:40 / /srv rw - nfs4 server:/x rw
            31 22 8:17 / /srv/my\\040cache rw - ext4 /dev/sdb1 rw
            32 31 8:33 / /srv/my\\040cache rw - ext4 /dev/sdc1 rw
            torn
            """)
        #expect(table.device(of: "/var/lib") == "8:1")
        #expect(table.device(of: "/srv") == "0:40")
        #expect(table.device(of: "/srvx") == "8:1")
        #expect(table.device(of: "/srv/my cache/front") == "8:33")
        #expect(MountTable("").device(of: "/") == nil)
    }
}
