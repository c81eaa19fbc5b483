import Foundation
import FragmentedMP4
import Recording
import SegmentStore
import Testing

/// Real processes that die by SIGKILL at every failpoint of this module, and recovery after them.
@Suite("Crashes")
struct CrashTests {
    let directory: TemporaryDirectory
    static let lifeSteps = Failpoint.Step.allCases.filter { !$0.rawValue.hasPrefix("recover.") }
    static let recoverSteps = Failpoint.Step.allCases.filter { $0.rawValue.hasPrefix("recover.") }

    init() throws { directory = try TemporaryDirectory() }

    /// Runs `CrashChild` in a process of its own; true when it was killed at the failpoint.
    func runChild(_ role: CrashChild.Role, killedAt failpoint: String) throws -> Bool {
        let child = Process()
        child.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = ["--testing-library", "swift-testing", "--filter", "CrashChild"]
        child.environment = ProcessInfo.processInfo.environment.merging([
            "CVR_FAILPOINT": failpoint, CrashChild.roleKey: role.rawValue, CrashChild.cacheKey: directory.path,
        ]) { $1 }
        child.standardOutput = FileHandle.nullDevice
        child.standardError = FileHandle.nullDevice
        try child.run()
        child.waitUntilExit()
        if child.terminationReason == .uncaughtSignal {
            #expect(child.terminationStatus == SIGKILL)
            return true
        }
        #expect(child.terminationStatus == 0)
        return false
    }

    @Test("killed at any step of a segment's life: nothing synced is lost, the gap is known", arguments: lifeSteps)
    func life(step: Failpoint.Step) throws {
        for pass in 1...2 {
            let isKilled = try runChild(.live, killedAt: "\(step.rawValue):\(pass)")
            #expect(isKilled || pass > 1, "\(step.rawValue) is never reached")
            let sessions = try directory.records().compactMap { record in
                if case .sessionStart(let session, _, _, _, _) = record.event { session } else { nil }
            }
            let acknowledged = try CrashChild.acknowledged(in: directory.path)
            let report = try directory.recover()
            #expect(report.deferred.isEmpty)
            #expect(report.lastSession >= sessions.max() ?? 0)
            #expect((report.openGap != nil) == (report.lastSession > 0))
            try expectWhole(acknowledged)
            let snapshot = try directory.snapshot()
            _ = try directory.recover()
            #expect(try directory.snapshot() == snapshot, "recovery is idempotent")
        }
    }

    /// Every file is a closed segment with at least the fragments that were synced; only what was evicted is absent.
    func expectWhole(_ acknowledged: [SegmentID: Int]) throws {
        var missing = acknowledged
        for (name, _) in try directory.cache().listing() {
            let bytes = try directory.bytes(name.relativePath)
            let synced = missing.removeValue(forKey: name.id) ?? 0
            let candidates = try (max(1, synced)...4).map {
                try Footage.closed(session: name.id.session, counter: name.id.counter, fragments: $0)
            }
            #expect(candidates.contains(bytes), "\(name)")
            #expect(name.stage == .closed)
        }
        let evicted = try directory.records().compactMap { record in
            if case .evicted(let id, _, _, _, _) = record.event { id } else { nil }
        }
        #expect(Set(missing.keys).isSubset(of: evicted))
    }

    @Test("recovery killed at any two steps and run again gives the same bytes and records", arguments: recoverSteps)
    func recovery(first: Failpoint.Step) throws {
        #expect(try !runChild(.leaveWreck, killedAt: "none"))
        let wreck = try directory.copy()
        _ = try wreck.recover()
        let expected = try wreck.snapshot().filter { $0.key.contains(".mp4") }
        #expect(expected.count == 2)
        let events = Set(try wreck.records().map(\.event))
        #expect(try runChild(.recover, killedAt: first.rawValue), "\(first.rawValue) is never reached")
        for second in Self.recoverSteps { _ = try runChild(.recover, killedAt: second.rawValue) }
        _ = try directory.recover()
        #expect(try directory.snapshot().filter { $0.key.contains(".mp4") } == expected)
        let final = try directory.records().map(\.event)
        #expect(Set(final).subtracting(events).isEmpty)
        #expect(final.count == Set(final).count, "no record twice")
        #expect(events.subtracting(final).isEmpty)
    }
}

/// The process that `CrashTests` kills.
@Suite("CrashChild", .enabled(if: ProcessInfo.processInfo.environment["CVR_CRASH_CACHE"] != nil))
struct CrashChild {
    enum Role: String {
        case live, leaveWreck, recover
    }

    static let cacheKey = "CVR_CRASH_CACHE"
    static let roleKey = "CVR_CRASH_ROLE"
    let path: String
    let role: Role
    let cache: CacheDirectory

    init() throws {
        let environment = ProcessInfo.processInfo.environment
        path = try #require(environment[Self.cacheKey])
        role = try #require(Role(rawValue: environment[Self.roleKey] ?? ""))
        cache = try CacheDirectory(path: path, camera: try #require(Footage.camera))
    }

    @Test func run() throws {
        let lock = try SlotLock(in: cache, slot: .a, build: "1", protocolVersion: 1)
        let journal = try Journal(in: cache, now: Footage.anchor)
        let report = try Recovery.run(
            in: cache, journal: journal, now: Footage.anchor + .seconds(60), predecessorEnd: nil, bootChanged: false)
        let session = report.lastSession + 1
        switch role {
        case .live: try live(session, journal)
        case .leaveWreck: try leaveWreck(session, journal)
        case .recover: break
        }
        withExtendedLifetime(lock) {}
    }

    func start(_ session: Int64, _ journal: Journal) throws {
        try journal.append(
            .sessionStart(session: session, anchor: Footage.anchor, quality: .synchronised, codecs: "alaw"),
            at: Footage.anchor)
        if journal.state.openGap != nil {
            try journal.append(.gapClose(to: Footage.anchor), at: Footage.anchor)
        }
    }

    func live(_ session: Int64, _ journal: Journal) throws {
        try start(session, journal)
        let first = try record(session, 0, fragments: 3, journal)
        try close(first, journal)
        let second = try record(session, 1, fragments: 1, journal)
        try second.appender.setAside()
        try EvictableWatermark.publish(first.footage.id, in: cache)
        try Eviction.evict(
            first.footage.name, because: .verified, in: cache, journal: journal, now: Footage.anchor + .seconds(30))
        try close(try record(session, 2, fragments: 2, journal), journal)
        let end = Footage.anchor + .seconds(9)
        try journal.append(.sessionEnd(session: session, end: end, reason: .stopped), at: end)
        try journal.append(.gapOpen(from: end, reason: .stopped, detail: ""), at: end)
    }

    /// One torn partial, one that holds nothing, one set aside.
    func leaveWreck(_ session: Int64, _ journal: Journal) throws {
        try start(session, journal)
        try record(session, 0, fragments: 2, journal).appender.setAside()
        _ = try record(session, 1, fragments: 0, journal)
        try record(session, 2, fragments: 2, journal).appender.append([UInt8](repeating: 0, count: 5000))
    }

    struct Open {
        var footage: Footage
        let appender: SegmentAppender
    }

    func record(_ session: Int64, _ counter: Int64, fragments: Int, _ journal: Journal) throws -> Open {
        var footage = try Footage(session: session, counter: counter)
        let appender = try SegmentAppender(footage, in: cache, journal)
        for count in 0..<fragments {
            try appender.append(footage.fragment())
            try appender.sync()
            try Data([UInt8(count + 1)]).write(to: URL(filePath: "\(path)/synced.\(session).\(counter)"))
        }
        return Open(footage: footage, appender: appender)
    }

    func close(_ open: Open, _ journal: Journal) throws {
        _ = try open.appender.close(
            trailer: open.footage.encoder.trailer(), duration: .seconds(1), journal: journal, now: Footage.anchor)
    }

    /// Fragments that a child knew to be on disk, by segment.
    static func acknowledged(in path: String) throws -> [SegmentID: Int] {
        var found: [SegmentID: Int] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: path) where name.hasPrefix("synced.") {
            let numbers = name.split(separator: ".").compactMap { Int64($0) }
            let count = try Data(contentsOf: URL(filePath: "\(path)/\(name)")).first
            found[SegmentID(session: numbers[0], counter: numbers[1])] = Int(count ?? 0)
        }
        return found
    }
}
