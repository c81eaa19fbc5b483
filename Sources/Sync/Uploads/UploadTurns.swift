import Catalog
import Dispatch
import Foundation
import Recording
import Synchronization

/// What the threads of a pass share: what is next, what came of it, and whether it is over.
final class UploadTurns: Sendable {
    private struct State {
        var queue: UploadQueue
        var report: UploadPass.Report
        var failure: (any Error)?
        /// Of each camera, uploads that are under way.
        var underWay: [CameraName: Int] = [:]
        /// Of each camera, uploads since its watermark was looked at.
        var unmarked: [CameraName: Int] = [:]
    }

    private let state: Mutex<State>
    private let bell: Bell
    private let isStopping: @Sendable () -> Bool

    /// `bell` is rung with every upload that is done.
    init(
        _ queue: UploadQueue, _ report: UploadPass.Report, _ bell: Bell, isStopping: @escaping @Sendable () -> Bool
    ) {
        state = Mutex(State(queue: queue, report: report))
        self.bell = bell
        self.isStopping = isStopping
    }

    /// Told to end, or one of the threads met what concerns all.
    var isOver: Bool { isStopping() || state.withLock { $0.failure != nil } }

    var report: UploadPass.Report { state.withLock { $0.report } }

    enum Turn {
        case upload(SegmentRow)
        /// What waits is of cameras that have as many uploads under way as they may: until the bell is rung.
        case wait
        case none
    }

    /// None when nothing waits, or it is over; `entered` as in `Progress`.
    ///
    /// No camera has more than `share` uploads under way, unless it is alone: what closes at the others finds a thread,
    /// however large its segments are.
    func next(
        _ allowance: BandwidthPlan.Allowance, _ entered: [CameraName: Int64], share: Int
    ) throws -> Turn {
        guard !isOver, !allowance.isPause else { return .none }
        return try state.withLock { state in
            let busy = Set(state.underWay.filter { $0.value >= share }.keys)
            let row = try state.queue.next(isLiveOnly: allowance.isLiveOnly, entered, sparing: busy)
            guard let row else { return state.queue.isSparing ? .wait : .none }
            state.underWay[row.camera, default: 0] += 1
            return .upload(row)
        }
    }

    func done(_ row: SegmentRow) {
        state.withLock { $0.underWay[row.camera, default: 0] -= 1 }
        bell.ring()
    }

    /// The next of those that wait for all others to be done.
    func nextOfLast(_ allowance: BandwidthPlan.Allowance) throws -> SegmentRow? {
        guard !isOver, !allowance.isPause, !allowance.isLiveOnly else { return nil }
        return try state.withLock { try $0.queue.nextOfLast() }
    }

    func note(_ change: @Sendable (inout UploadPass.Report) -> Void) { state.withLock { change(&$0.report) } }

    /// The first is the one to tell.
    func fail(_ error: any Error) { state.withLock { $0.failure = $0.failure ?? error } }

    /// Ends the turns: with the error that ended them, if one did.
    func end() throws {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    /// True with each `count`th upload of a camera.
    func isMarkDue(_ camera: CameraName, every count: Int) -> Bool {
        state.withLock { state in
            let uploads = state.unmarked[camera, default: 0] + 1
            state.unmarked[camera] = uploads % count
            return uploads == count
        }
    }
}

/// Threads that block: the cooperative pool must not wait for a store.
enum UploadThreads {
    private static let stack = 1 << 20

    /// Runs `body` on `count` threads, one of them the caller's, and waits for all.
    static func run(_ count: Int, _ body: @escaping @Sendable () -> Void) {
        let others = DispatchGroup()
        for _ in 1..<max(1, count) {
            others.enter()
            let thread = Thread {
                body()
                others.leave()
            }
            thread.stackSize = stack
            thread.name = "upload"
            thread.start()
        }
        body()
        others.wait()
    }
}
