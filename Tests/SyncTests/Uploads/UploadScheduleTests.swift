import Recording
import Sync
import Testing

/// Who is next, over thousands of turns of boxes that exist only here.
@Suite("Upload schedule")
struct UploadScheduleTests {
    private typealias Offer = UploadSchedule.Offer

    private func camera(_ number: Int) throws -> CameraName { try #require(CameraName("cam-\(number)")) }

    private func offer(
        _ number: Int, _ lane: UploadSchedule.Lane = .live, bytes: Int64, end: Int64 = 0, deadline: TimeSpan? = nil
    ) throws -> Offer {
        Offer(
            camera: try camera(number), lane: lane, bytes: bytes, end: WallTime(microseconds: end * 1_000_000),
            deadline: deadline)
    }

    @Test("cameras of a lane send equal bytes, whatever their segments' sizes")
    func fairness() throws {
        let offers = try [offer(0, bytes: 94_000_000)] + (1...15).map { try offer($0, bytes: 7_500_000) }
        var schedule = UploadSchedule()
        var sent: [CameraName: Int64] = [:]
        for _ in 0..<2000 {
            guard let next = schedule.choose(among: offers) else { break }
            sent[next.camera, default: 0] += next.bytes
        }
        let (least, most) = try (#require(sent.values.min()), #require(sent.values.max()))
        #expect(sent.count == 16)
        #expect(most - least <= 94_000_000, "never further apart than one segment")
    }

    @Test("one large segment waits for no more than as much of each of the others")
    func large() throws {
        var schedule = UploadSchedule()
        let offers = try [offer(0, bytes: 94_000_000)] + (1...15).map { try offer($0, bytes: 7_500_000) }
        var turns = 0
        while try schedule.choose(among: offers)?.camera != camera(0) { turns += 1 }
        #expect((15 * 12...15 * 13).contains(turns))
    }

    @Test("who was idle has saved up nothing")
    func saving() throws {
        var schedule = UploadSchedule()
        let (busy, back) = try (offer(1, bytes: 1000), offer(2, bytes: 1000))
        for _ in 0..<100 { _ = schedule.choose(among: [busy]) }
        var turns: [CameraName] = []
        for _ in 0..<20 { turns += [schedule.choose(among: [busy, back])].compactMap { $0?.camera } }
        #expect(turns.filter { $0 == back.camera }.count == 10)
    }

    @Test("while both lanes wait the live one has at least 70 % of the bytes at any time, and the backlog some")
    func lanes() throws {
        var schedule = UploadSchedule()
        var sent: [UploadSchedule.Lane: Int64] = [.live: 0, .backlog: 0]
        for turn in 0..<1000 {
            let offers = try (1...4).flatMap { number in
                [
                    try offer(number, bytes: Int64(100 + turn % 7 * 300)),
                    try offer(number, .backlog, bytes: Int64(50 + turn % 5 * 400)),
                ]
            }
            guard let next = schedule.choose(among: offers) else { break }
            sent[next.lane, default: 0] += next.bytes
            let (live, backlog) = try (#require(sent[.live]), #require(sent[.backlog]))
            #expect(Double(live) >= 0.7 * Double(live + backlog))
        }
        #expect(try Double(#require(sent[.backlog])) > 0.1 * Double(#require(sent[.live])))
    }

    @Test("a lane that is alone has everything, and owes nothing for it later")
    func alone() throws {
        var schedule = UploadSchedule()
        let late = try offer(1, .backlog, bytes: 1000)
        for _ in 0..<50 { _ = schedule.choose(among: [late]) }
        let live = try offer(1, bytes: 1000)
        var turns: [UploadSchedule.Lane] = []
        for _ in 0..<5 { turns += [schedule.choose(among: [live, late])].compactMap { $0?.lane } }
        #expect(turns == [.live, .live, .live, .live, .backlog])
        let none = schedule.choose(among: [])
        #expect(none == nil)
    }

    @Test(
        "of the backlog what has to be evicted first goes first; within a factor of two they tie, the newest first",
        arguments: [
            ([3600, 90_000], [0, 0]), ([90_000, 3600], [1, 1]), ([3600, 4000], [1, 0]), ([3600, nil], [0, 0]),
            ([nil, nil], [1, 0]), ([0, 30], [1, 0]),
        ] as [([Int64?], [Int])])
    func deadlines(seconds: [Int64?], order: [Int]) throws {
        var schedule = UploadSchedule()
        let offers = try seconds.enumerated().map { number, seconds in
            try offer(number, .backlog, bytes: 1000, end: Int64(number), deadline: seconds.map { .seconds($0) })
        }
        for expected in order {
            let next = schedule.choose(among: offers)
            #expect(try next?.camera == camera(expected))
        }
    }

    @Test("sizes from a damaged catalog trap nothing")
    func absurd() throws {
        var schedule = UploadSchedule()
        let offers = try [offer(0, bytes: .max), offer(1, bytes: .min), offer(2, bytes: 0), offer(3, bytes: .max)]
        for _ in 0..<10 {
            let next = schedule.choose(among: offers)
            #expect(next != nil)
        }
    }

    /// A box as it would run: every period each camera closes one segment, and the uplink sends so many bytes.
    private func simulate(
        rates: [Double], uplink: Double, periods: Int, backlog: Int
    ) throws -> (worstLag: [Double], drainedAfter: Int?) {
        let period = 30.0
        var waiting: [[(end: Double, bytes: Int64)]] = rates.map { rate in
            (0..<backlog).map { (Double($0 - backlog) * period, Int64(rate * period / 8)) }
        }
        var (schedule, clock, worst, drained) = (UploadSchedule(), 0.0, rates.map { _ in 0.0 }, Int?.none)
        for round in 1...periods {
            let start = Double(round) * period
            for (index, rate) in rates.enumerated() { waiting[index].append((start, Int64(rate * period / 8))) }
            clock = max(clock, start)
            // A pass takes what had closed when it began, for a period.
            while clock < start + period, waiting.contains(where: { !$0.isEmpty }) {
                let offers = try waiting.enumerated().flatMap { index, queue in
                    let newest = queue.last.map { $0.end >= start - 2 * period } == true
                    let oldest = queue.first.map { $0.end >= start - 2 * period } == false
                    return try [
                        newest ? offer(index, bytes: #require(queue.last).bytes, end: 0) : nil,
                        oldest ? offer(index, .backlog, bytes: #require(queue.first).bytes) : nil,
                    ].compactMap(\.self)
                }
                guard let next = schedule.choose(among: offers),
                    let index = try rates.indices.first(where: { try camera($0) == next.camera })
                else { break }
                clock += Double(next.bytes) * 8 / uplink
                let sent = next.lane == .live ? waiting[index].removeLast() : waiting[index].removeFirst()
                // What closed before the first round had waited already.
                if next.lane == .live, sent.end >= period { worst[index] = max(worst[index], clock - sent.end) }
            }
            if drained == nil, waiting.allSatisfy({ $0.isEmpty }) { drained = round }
        }
        return (worst, drained)
    }

    @Test("15 small cameras beside a 25 Mbps one are never more than one period late on a tight uplink")
    func besideA4K() throws {
        let rates = [25e6] + [Double](repeating: 2e6, count: 15)
        let (worst, _) = try simulate(rates: rates, uplink: rates.reduce(0, +) * 1.1, periods: 200, backlog: 0)
        #expect(worst.dropFirst().allSatisfy { $0 <= 60 }, "\(worst)")
    }

    @Test("after an outage fresh footage waits at most two periods, and the backlog is gone in 2.1 times the outage")
    func catchUp() throws {
        let rates = [Double](repeating: 4e6, count: 16)
        let (worst, drained) = try simulate(rates: rates, uplink: 64e6 * 1.5, periods: 260, backlog: 120)
        #expect(worst.allSatisfy { $0 <= 60 }, "\(worst)")
        #expect(try #require(drained) <= 252)
    }
}
