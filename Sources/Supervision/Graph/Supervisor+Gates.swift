import MediaGraph
import Messages
import Recording
import YAMLConfiguration

/// What gates wait for: beside the methods, so that no disk keeps a window from its worker.
enum GateWork: Sendable {
    /// A gate may have something to settle later.
    case look(CameraName)
    /// It has.
    case due(CameraName)
    /// cvr-sync may know what became of recordings.
    case ask(CameraName)
}

struct GateInbox: Sendable {
    let work: AsyncStream<GateWork>
    let inbox: AsyncStream<GateWork>.Continuation

    init() { (work, inbox) = AsyncStream.makeStream() }
}

/// Signal gates as time passes, and what becomes of recordings.
extension Supervisor {
    /// After so many rounds cvr-sync is asked again, whatever it says of itself.
    private static let mostRounds = 12

    func keepGates() async {
        for await _ in hasBegun {}
        await withDiscardingTaskGroup { group in
            await recallWindows()
            for name in graph.active.keys { wake(name, &group) }
            group.addTask { await self.keepAsking() }
            for await work in gates.work {
                switch work {
                case .look(let name): wake(name, &group)
                case .due(let name): group.addTask { await self.settleGate(of: name) }
                case .ask(let name):
                    group.addTask {
                        // Away for now: it is asked again.
                        do { try await self.tellOutcomes(of: name) } catch { await self.forgetAsking(name) }
                    }
                }
            }
            group.cancelAll()
        }
    }

    private func forgetAsking(_ name: CameraName) { graph.asked[name] = nil }

    /// Comes back when a gate has something to settle.
    private func wake(_ name: CameraName, _ group: inout DiscardingTaskGroup) {
        guard let due = graph.active[name]?.gate?.nextPass, graph.wakes[name] != due else { return }
        graph.wakes[name] = due
        group.addTask { [gates] in
            // Cancelled only when nobody reads the inbox any more.
            try? await Task.sleep(for: Duration(max(due - .now, .milliseconds(1))))
            gates.inbox.yield(.due(name))
        }
    }

    // MARK: Windows

    /// Workers that are new, or were left by an earlier cvrd, hear of the windows that are not over.
    private func recallWindows() async {
        for (name, chronicle) in graph.chronicles {
            for window in chronicle.openWindows { _ = graph.end(of: window) }
            await rows[name]?.link.take(chronicle.openWindows)
        }
    }

    /// Asks for each window that should be over until its worker says so: what it said may be lost.
    private func keepAsking() async {
        var rounds = 0
        do {
            while true {
                try await Task.sleep(for: Duration(surroundings.gateRound))
                await askForWindows()
                rounds = (rounds + 1) % Self.mostRounds
                if rounds == 0 { graph.asked = [:] }
            }
        } catch {
            // Cancelled: cvrd ends.
        }
    }

    private func askForWindows() async {
        let now = MonotonicTime.now
        var open: Set<String> = []
        for (name, chronicle) in graph.chronicles {
            let windows = chronicle.openWindows
            open.formUnion(windows.map(\.id))
            let past = windows.filter { graph.end(of: $0) + surroundings.gateRound < now }
            guard !past.isEmpty else { continue }
            await rows[name]?.link.take(past)
            let lost = Set(past.filter { graph.end(of: $0) + Chronicle.patience < now }.map(\.id))
            guard !lost.isEmpty else { continue }
            await tell(name, graph.chronicles[name]?.gaveUp(on: lost) ?? [])
            await forgetWindows(of: name)
        }
        graph.keepEnds(of: open)
    }

    /// Its worker need not hear any more of windows that are over.
    func forgetWindows(of name: CameraName) async {
        graph.unwritten.insert(name)
        graphInbox.yield(.recorded(name))
        await rows[name]?.link.keepWindows(Set(graph.chronicles[name]?.openWindows.map(\.id) ?? []))
    }
}
