import MediaGraph
import Messages
import Recording
import YAMLConfiguration

/// What gates wait for: beside the methods, so that no disk keeps a window from its worker.
enum GateWork: Sendable {
    /// A gate may have something to settle later.
    case look(CameraName)
    /// It has, from that time on.
    case due(CameraName, WallTime)
    /// cvr-sync may know what became of recordings.
    case ask(CameraName)
    /// What is known of cameras' recordings is to be on disk; somebody may wait for that.
    case keep([CameraName], AsyncThrowingStream<Void, any Error>.Continuation)
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
                case .due(let name, let due):
                    graph.timers.rang(name, at: due)
                    group.addTask { await self.settleGate(of: name) }
                case .ask(let name):
                    guard graph.asking.begins(name) else { continue }
                    group.addTask { await self.ask(name) }
                case .keep(let names, let end): group.addTask { await self.keepChronicles(of: names, end) }
                }
            }
            group.cancelAll()
        }
    }

    /// One at a time of each camera: who comes meanwhile may be of something that this one did not hear.
    private func ask(_ name: CameraName) async {
        repeat {
            // Away for now: it is asked again.
            do { try await tellOutcomes(of: name) } catch { graph.asked[name] = nil }
        } while graph.asking.isToBeRepeated(name)
    }

    /// Comes back when a gate has something to settle.
    private func wake(_ name: CameraName, _ group: inout DiscardingTaskGroup) {
        guard let due = graph.active[name]?.gate?.nextPass, graph.timers.arm(name, at: due) else { return }
        group.addTask { [gates] in
            // Cancelled only when nobody reads the inbox any more.
            try? await Task.sleep(for: Duration(max(due - .now, .milliseconds(1))))
            gates.inbox.yield(.due(name, due))
        }
    }

    // MARK: Windows

    /// Workers that are new, or were left by an earlier cvrd, hear of the windows that are not over.
    private func recallWindows() async {
        for (name, chronicle) in graph.chronicles {
            for window in chronicle.openWindows { graph.ends.note(window, at: .now, wall: .now) }
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
        for (name, chronicle) in graph.chronicles {
            let past = chronicle.openWindows.filter {
                graph.ends.note($0, at: .now, wall: .now) + surroundings.gateRound < .now
            }
            guard !past.isEmpty else { continue }
            let isHeard = await rows[name]?.link.ask(past) ?? false
            let lost = graph.ends.asked(
                past, isHeard: isHeard || isWithoutWorker(name), within: surroundings.windowPatience, at: .now)
            guard !lost.isEmpty else { continue }
            tell(name, graph.chronicles[name]?.gaveUp(on: lost) ?? [])
            await forgetWindows(of: name)
        }
        graph.ends.keep(Set(graph.chronicles.values.flatMap(\.openWindows).map(\.id)))
    }

    /// Nobody is there, or on the way, who may have recorded for it.
    private func isWithoutWorker(_ name: CameraName) -> Bool {
        rows[name]?.kept?.pid == nil && !graph.leftAlone.contains(name)
    }

    /// Its worker need not hear any more of windows that are over.
    func forgetWindows(of name: CameraName) async {
        graph.unwritten.insert(name)
        graphInbox.yield(.recorded(name))
        await rows[name]?.link.keepWindows(Set(graph.chronicles[name]?.openWindows.map(\.id) ?? []))
    }
}
