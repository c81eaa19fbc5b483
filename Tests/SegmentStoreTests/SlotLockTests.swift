import Foundation
import Recording
import SegmentStore
import Synchronization
import Testing

@Suite("SlotLock")
struct SlotLockTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func acquire(_ slot: Slot = .a) throws -> SlotLock {
        try SlotLock(in: directory.cache(), slot: slot, build: "1.2 \"x\"", protocolVersion: 3)
    }

    @Test("the second to ask is refused and told what to do; the slots are apart")
    func exclusive() throws {
        let first = try acquire()
        let error = try #require(throws: SegmentStoreError.self) { try acquire() }
        #expect(error.description.contains("another worker records this camera"))
        let other = try acquire(.b)
        withExtendedLifetime((first, other)) {}
    }

    @Test("names this process while it is held and hands over when dropped")
    func holder() throws {
        #expect(try SlotLock.holder(in: directory.cache(), slot: .a) == nil)
        var lock: SlotLock? = try acquire()
        #expect(lock?.predecessor == nil)
        let holder = try #require(try SlotLock.holder(in: directory.cache(), slot: .a))
        #expect(holder.pid == ProcessInfo.processInfo.processIdentifier)
        #expect(holder.build == "1.2 x")
        #expect(holder.protocolVersion == 3)
        #expect(holder.isAlive)
        lock = nil
        let next = try acquire()
        #expect(next.predecessor == holder)
        #expect(lock == nil)
    }

    @Test("the file is one line of JSON as ARCHITECTURE.md says")
    func json() throws {
        let lock = try acquire()
        let bytes = try directory.bytes("lock.a")
        #expect(bytes.last == 10)
        #expect(bytes.count { $0 == 10 } == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        #expect(Set(object.keys) == ["pid", "startTime", "bootID", "build", "protocol"])
        #expect(object["bootID"] as? String == LockHolder.currentBootID)
        withExtendedLifetime(lock) {}
    }

    @Test("a pid that was given out again, another boot and noise are nobody")
    func stale() throws {
        let lock = try acquire()
        let line = String(decoding: try directory.bytes("lock.a"), as: UTF8.self)
        let boot = LockHolder.currentBootID
        let noise = [
            line.replacing(boot, with: "another"), line.replacing(/"startTime": \d+/, with: "\"startTime\": 1"),
        ]
        for text in noise + ["", "\n", "{}\n", "{\"pid\": 99999999999}\n", String(line.dropLast())] {
            try directory.write(Array(text.utf8), to: "lock.b")
            #expect(try SlotLock.holder(in: directory.cache(), slot: .b) == nil)
        }
        withExtendedLifetime(lock) {}
    }

    @Test("of many threads that race exactly one gets it, again and again")
    func race() throws {
        for _ in 0..<20 {
            let won = Mutex([SlotLock]())
            let path = directory.path
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                // Losing is what the other seven are for.
                guard let camera = Footage.camera, let cache = try? CacheDirectory(path: path, camera: camera),
                    // As above.
                    let lock = try? SlotLock(in: cache, slot: .a, build: "1", protocolVersion: 1)
                else { return }
                won.withLock { $0.append(lock) }
            }
            #expect(won.withLock { $0.count } == 1)
        }
    }
}
