import FoundationEssentials
import JSON
import MediaGraph
package import Messages
import Recording
import YAMLConfiguration

/// Messages for the IoT Hub message sources of instances: signals that open their gates.
extension Supervisor {
    /// What IoT Hub takes in one message.
    static let longestBody = 256 << 10

    /// Returns once it is on disk, with the names of the instances that it reached.
    ///
    /// Workers hear first: what they have ahead of an event is seconds. A crash before it is on disk leaves a recording of
    /// which nothing is told, and a sender without an answer. Throws also as long as it is not known who listens, and when
    /// the disk takes longer than `messagePatience`: whoever sent it has it still, and sends it again.
    package func send(_ message: Admin.InputMessage) async throws(ChangeRefusal) -> Admin.Reached {
        let received = WallTime.now
        let time = try Self.check(message) ?? received
        for await _ in hasBegun {}
        guard !isStopping else { throw .failed("cvrd is stopping", nextStep: "Start it again") }
        guard graph.isLoaded else {
            throw .failed("media graphs are not read yet", nextStep: "Send it again; `cvrctl events` tells why")
        }
        let reached = graph.active.filter { _, active in
            active.camera.enabled && active.plan.messageSources.contains { $0.inputName == message.input }
        }.keys.sorted()
        var opened: [(name: CameraName, correlation: String)] = []
        for name in reached {
            if let correlation = await signal(name, at: time, received) { opened.append((name, correlation)) }
        }
        for (name, correlation) in opened { passOn(message, of: name, at: min(time, received), correlation) }
        // What goes on of it is in the spool before.
        try await settleOnDisk(reached)
        for name in reached { gates.inbox.yield(.look(name)) }
        return Admin.Reached(instances: reached.compactMap { graph.active[$0]?.instance })
    }

    static func isTooLong(_ message: Admin.InputMessage) -> Bool {
        (message.body?.text.utf8.count ?? 0) > longestBody
    }

    /// When it happened, where it says so in RFC 3339.
    private static func check(_ message: Admin.InputMessage) throws(ChangeRefusal) -> WallTime? {
        guard (1...GraphLimits.nodeNameLength).contains(message.input.utf8.count) else {
            throw .invalid(
                "input has not 1 to \(GraphLimits.nodeNameLength) bytes",
                nextStep: "Name the input as the topology does")
        }
        guard !isTooLong(message) else {
            throw .invalid("the message has more than \(longestBody) bytes", nextStep: "Send a shorter one")
        }
        // A property of the sender's own may have that name; the message is none the less a signal.
        return message.properties?["eventTime"].flatMap { WallTime(rfc3339: $0) }
    }

    /// Returns the id that the message goes by; nil of one that opens no gate.
    private func signal(_ name: CameraName, at time: WallTime, _ received: WallTime) async -> String? {
        let heard = graph.active[name]?.gate?.signal(at: time, received: received) { UUID().uuidString.lowercased() }
        graph.unwritten.insert(name)
        await take(heard?.windows ?? [], of: name)
        return heard?.correlation
    }

    private func settleOnDisk(_ cameras: [CameraName]) async throws(ChangeRefusal) {
        let patience = surroundings.messagePatience
        // Behind a write that stands still already nobody waits: of those who do there are not more and more.
        guard !cameras.contains(where: { graph.writing[$0].map { $0.since + patience < .now } ?? false }) else {
            throw .unkept(after: patience)
        }
        let (ends, end) = AsyncThrowingStream.makeStream(of: Void.self)
        gates.inbox.yield(.keep(cameras, end))
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await _ in ends {}
                    try Task.checkCancellation()
                }
                group.addTask {
                    try await Task.sleep(for: Duration(patience))
                    throw ChangeRefusal.unkept(after: patience)
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch let refusal as ChangeRefusal {
            throw refusal
        } catch {
            throw .failed(
                "the message cannot be kept: \(error)", nextStep: "Make room on the state's disk, send it again")
        }
    }

    /// Beside one another: disks are slow.
    ///
    /// Whoever waits for that may stop doing so, and it goes on: a write that was let go of could land on a newer one.
    func keepChronicles(of cameras: [CameraName], _ end: AsyncThrowingStream<Void, any Error>.Continuation) async {
        do {
            try await withThrowingDiscardingTaskGroup { group in
                for camera in cameras { group.addTask { try await self.keepChronicle(of: camera) } }
            }
            end.finish()
        } catch {
            end.finish(throwing: error)
        }
    }

    /// What a gate lets through goes out by the message sinks behind it.
    private func passOn(
        _ message: Admin.InputMessage, of name: CameraName, at time: WallTime, _ correlation: String
    ) {
        guard let active = graph.active[name] else { return }
        let source = active.plan.messageSources.first { $0.inputName == message.input }
        for sink in active.plan.messageSinks {
            let event = MediaGraphEvent.inference(
                .source(source?.nodeName ?? "", of: active.instance), body: message.body ?? .null, at: time,
                output: sink.outputName)
            tell(
                event, camera: name, at: time, correlation: correlation,
                "a message of input \(message.input) for output \(sink.outputName)")
        }
    }

    /// Tells the worker of windows of its gate.
    private func take(_ windows: [SignalWindow], of name: CameraName) async {
        guard !windows.isEmpty, let plan = graph.active[name]?.plan else { return }
        let new = windows.map { window in
            let file = plan.file?.pattern.resolve(at: window.from) ?? ""
            let made = RecordingWindow(
                id: window.correlation, from: window.from, until: window.until,
                asset: plan.asset?.pattern.resolve(at: window.from) ?? "", file: file, correlation: window.correlation)
            let path = plan.file.map { "\($0.directory)/\(file).mp4" } ?? ""
            return graph.chronicles[name, default: Chronicle()].take(made, file: path)
        }
        for window in new { graph.ends.note(window, at: .now, wall: .now) }
        await rows[name]?.link.take(new)
        tell(name, graph.chronicles[name]?.bound() ?? [])
    }

    /// A gate's evaluation window may have passed.
    func settleGate(of name: CameraName) async {
        let windows = graph.active[name]?.gate?.pass(to: .now) ?? []
        if !windows.isEmpty {
            await take(windows, of: name)
            graph.unwritten.insert(name)
            graphInbox.yield(.recorded(name))
        }
        gates.inbox.yield(.look(name))
    }
}

extension ChangeRefusal {
    fileprivate static func unkept(after patience: TimeSpan) -> ChangeRefusal {
        .failed(
            "the state's disk has not taken the message within \(patience.seconds) s; workers have heard of it",
            nextStep: "Check that disk (dmesg, smartctl), send it again")
    }
}
