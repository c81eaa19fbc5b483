import Foundation
import Messages
import Sync
import Synchronization
import Testing

@Suite("Steps of a verification")
struct VerifyStepsTests {
    private func step(_ number: Int) -> Listing.Verified { Listing.Verified(checked: Int64(number), findings: []) }

    @Test("a client that reads slowly holds the verification up, and misses nothing", .timeLimit(.minutes(1)))
    func pressure() async throws {
        let steps = VerifySteps()
        let told = Mutex(0)
        async let run: Void = steps.run { _, tell in
            await withCheckedContinuation { done in
                Thread.detachNewThread {
                    for number in 1...500 {
                        tell(self.step(number))
                        told.withLock { $0 = number }
                    }
                    done.resume()
                }
            }
        }
        var read = 0
        for try await step in steps.stream {
            read += 1
            #expect(step.checked == read)
            #expect(told.withLock { $0 } <= read - 1 + VerifySteps.room)
            steps.took()
        }
        await run
        #expect(read == 500)
    }

    @Test("a client that goes away ends it, and nobody waits for room any more", .timeLimit(.minutes(1)))
    func left() async throws {
        let steps = VerifySteps()
        let ended = Mutex(false)
        async let run: Void = steps.run { limit, tell in
            await withCheckedContinuation { done in
                Thread.detachNewThread {
                    while !limit.isOn { tell(self.step(1)) }
                    for _ in 0..<100 { tell(self.step(2)) }
                    ended.withLock { $0 = true }
                    done.resume()
                }
            }
        }
        for try await _ in steps.stream { break }
        steps.leave()
        await run
        #expect(ended.withLock { $0 })
    }
}
