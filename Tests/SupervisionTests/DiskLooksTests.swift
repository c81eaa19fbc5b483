import Foundation
import Supervision
import Synchronization
import Testing

@Suite("Supervision: looks at disks", .timeLimit(.minutes(1)))
struct DiskLooksTests {
    private final class Counter: Sendable {
        let count = Mutex(0)
    }

    @Test("a disk that hangs keeps one look, however many are asked for, and is looked at again when it answers")
    func hanging() async {
        let (looks, begun, gate) = (DiskLooks(), Counter(), DispatchSemaphore(value: 0))
        let dead: @Sendable () -> Int = {
            begun.count.withLock { $0 += 1 }
            gate.wait()
            return 1
        }
        for _ in 0..<3 {
            #expect(await looks.look(at: "/dead", atMost: .milliseconds(100), dead) == nil)
        }
        #expect(await looks.look(at: "/other", atMost: .seconds(10)) { 2 } == 2)
        #expect(begun.count.withLock { $0 } == 1)
        gate.signal()
        #expect(await looks.look(at: "/dead", atMost: .seconds(10)) { 3 } == 3)
    }
}
