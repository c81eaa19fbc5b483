import FoundationEssentials
import JSON
import MediaGraph
package import Messages
import Recording
import YAMLConfiguration

/// Messages for the IoT Hub message sources of instances: signals that open their gates.
extension Supervisor {
    /// What IoT Hub takes in one message.
    private static let longestBody = 256 << 10
    private static let longestInput = 256

    /// Returns once it is on disk, with the names of the instances that it reached.
    package nonisolated func send(_ message: Admin.InputMessage) async throws(ChangeRefusal) -> Admin.Reached {
        guard (1...Self.longestInput).contains(message.input.utf8.count) else {
            throw .invalid(
                "input has not 1 to \(Self.longestInput) bytes", nextStep: "Name the input as the topology does")
        }
        guard (message.body?.text.utf8.count ?? 0) <= Self.longestBody else {
            throw .invalid("the message has more than \(Self.longestBody) bytes", nextStep: "Send a shorter one")
        }
        let (answers, answer) = AsyncStream.makeStream(of: Result<[String], ChangeRefusal>.self)
        let stopping = ChangeRefusal.failed("cvrd is stopping", nextStep: "Start it again")
        if case .terminated = graphInbox.yield(.message(message, answer)) { throw stopping }
        for await result in answers { return Admin.Reached(instances: try result.get()) }
        throw stopping
    }

    func take(_ message: Admin.InputMessage) async -> Result<[String], ChangeRefusal> {
        let received = WallTime.now
        var at = received
        if let text = message.properties?["eventTime"] {
            guard let time = WallTime(rfc3339: text) else {
                return .failure(.invalid("eventTime is no time", nextStep: "Write it as RFC 3339, or leave it out"))
            }
            at = time
        }
        let reached = graph.active.filter { _, active in
            active.camera.enabled && active.plan.messageSources.contains { $0.inputName == message.input }
        }.keys.sorted()
        do {
            for name in reached { try await signal(name, message, at: at, received) }
        } catch {
            return .failure(
                .failed(
                    "the message cannot be kept: \(error)", nextStep: "Make room on the state's disk, send it again"))
        }
        return .success(reached.compactMap { graph.active[$0]?.instance })
    }

    private func signal(_ name: CameraName, _ message: Admin.InputMessage, at time: WallTime, _ received: WallTime)
        async throws
    {
        let windows =
            graph.active[name]?.gate?.signal(at: time, received: received) { UUID().uuidString.lowercased() } ?? []
        let new = note(windows, of: name)
        try await keepChronicle(of: name)
        await rows[name]?.link.take(new)
        await passOn(message, of: name, at: min(time, received))
    }

    /// What a gate lets through goes out by the message sinks behind it.
    private func passOn(_ message: Admin.InputMessage, of name: CameraName, at time: WallTime) async {
        guard let active = graph.active[name], let correlation = active.gate?.correlation(of: time) else { return }
        let source = active.plan.messageSources.first { $0.inputName == message.input }
        for sink in active.plan.messageSinks {
            let event = MediaGraphEvent.inference(
                .source(source?.nodeName ?? "", of: active.instance), body: message.body ?? .null, at: time,
                output: sink.outputName)
            await tell(
                event, camera: name, at: time, correlation: correlation,
                "a message of input \(message.input) for output \(sink.outputName)")
        }
    }

    /// Windows of a gate as the worker is told of them.
    private func note(_ windows: [SignalWindow], of name: CameraName) -> [RecordingWindow] {
        guard let plan = graph.active[name]?.plan else { return [] }
        return windows.map { window in
            let file = plan.file?.pattern.resolve(at: window.from) ?? ""
            let made = RecordingWindow(
                id: window.correlation, from: window.from, until: window.until,
                asset: plan.asset?.pattern.resolve(at: window.from) ?? "", file: file, correlation: window.correlation)
            let path = plan.file.map { "\($0.directory)/\(file).mp4" } ?? ""
            return graph.chronicles[name, default: Chronicle()].take(made, file: path)
        }
    }

    /// A gate's evaluation window may have passed.
    func settleGate(of name: CameraName) async {
        let windows = graph.active[name]?.gate?.pass(to: .now) ?? []
        guard !windows.isEmpty else { return }
        let new = note(windows, of: name)
        await writeChronicle(of: name)
        await rows[name]?.link.take(new)
    }

    /// Comes back when a gate has something to settle.
    func wake(_ name: CameraName, _ group: inout DiscardingTaskGroup) {
        guard let due = graph.active[name]?.gate?.nextPass, graph.wakes[name] != due else { return }
        graph.wakes[name] = due
        group.addTask { [graphInbox] in
            // Cancelled only when nobody reads the inbox any more.
            try? await Task.sleep(for: Duration(max(due - .now, .milliseconds(1))))
            graphInbox.yield(.due(name))
        }
    }

    /// Workers that are new, or were left by an earlier cvrd, hear of the windows that are not over.
    func recallWindows() async {
        for (name, chronicle) in graph.chronicles { await rows[name]?.link.take(chronicle.openWindows) }
    }
}
