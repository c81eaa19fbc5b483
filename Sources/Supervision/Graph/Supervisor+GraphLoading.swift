import JSON
import Logging
import MediaGraph
import Recording
import YAMLConfiguration

/// Media graphs as an earlier cvrd left them on disk: in the book, and in the table those that were active.
extension Supervisor {
    /// Reads what an earlier cvrd kept, before any camera is started: false when that takes longer.
    ///
    /// Again at a reload: what could not be read, and what could not run.
    @discardableResult
    func loadGraphs(within limit: TimeSpan) async -> Bool {
        let (files, wanted) = (graphFiles, graph.isLoaded ? graph.unread : nil)
        guard limit > .zero, let contents = await offPool(atMost: Duration(limit), { try files.load(only: wanted) })
        else { return false }
        tell(of: contents)
        for topology in contents.topologies where isWanted("topologies/\(topology.name)") {
            graph.book.restore(topology: topology)
        }
        for (text, chronicle) in contents.chronicles {
            guard let name = CameraName(text), graph.chronicles[name] == nil else { continue }
            graph.chronicles[name] = chronicle
        }
        let held = graph.held.compactMap { graph.book.instance($0.text) }
        let found = contents.instances.filter { isWanted("instances/\($0.name)") }
        graph.unread = Set(contents.unread.keys)
        for instance in found + held { restore(instance) }
        graph.isLoaded = true
        showCameras()
        noteEarlySessions()
        return true
    }

    /// A reload tries what could not be read when cvrd started, or could not run.
    func recallGraphs() async {
        guard !graph.isLoaded || !graph.unread.isEmpty || !graph.held.isEmpty else { return }
        let (before, isFirst) = (Set(graph.active.keys), !graph.isLoaded)
        guard await loadGraphs(within: .seconds(30)) else {
            events.append(
                "graphsNotRead", level: .error,
                "\(places.graph) cannot be read: media graphs are left as they are, and their workers record on. "
                    + "Make it readable, run `cvrctl reload`")
            tellTrouble("graphsNotRead", "media graphs cannot be read")
            return
        }
        await apply(withInstances(written))
        for name in graph.active.keys where !before.contains(name) { graphInbox.yield(.resumed(name)) }
        for name in graph.held where isFirst && isDraining(name) { graphInbox.yield(.stopped(name)) }
        for name in rows.keys { noteEnd(of: name) }
        await removeStrays()
    }

    /// Whose files have no folder any more: their footage waits, and after a restart they would not run.
    var lostFolders: [CameraName: String] {
        let check = PlanCheck(box: written, places: places)
        return graph.active.filter { $0.value.camera.enabled }.compactMapValues { active in
            guard let file = active.plan.file, !check.isAllowed(file.directory) else { return nil }
            return "the media graph's instance \(active.instance) writes files to \(file.directory), which graph: "
                + "{ filePaths } does not name any more: they are not written. Name it again, or run "
                + "`cvrctl graph instance deactivate \(active.instance)`"
        }
    }

    /// Whether a file is to be taken in: what was set anew meanwhile is not.
    private func isWanted(_ file: String) -> Bool { !graph.isLoaded || graph.unread.contains(file.lowercased()) }

    private func tell(of contents: GraphFiles.Contents) {
        for words in contents.refused { events.append("graphFileRefused", level: .error, words) }
        for (reason, files) in Dictionary(grouping: contents.unread.keys, by: { contents.unread[$0] ?? "" }) {
            let first = files.sorted().prefix(3).map { "\(places.graph)/\($0).json" }.joined(separator: ", ")
            events.append(
                "graphsNotRead", level: .error,
                "\(files.count) files of media graphs cannot be read now (\(first)\(files.count > 3 ? ", …" : "")) and are "
                    + "left as they are; workers of their instances record on: \(reason). "
                    + "What is lost for good, remove, and run `cvrctl reload`")
            tellTrouble("graphsNotRead", "media graphs cannot be read")
        }
    }

    /// Puts an instance into the book as an earlier cvrd left it, and into the table if it was active.
    private func restore(_ found: Instance) {
        var instance = found
        // Its activation was not answered, and is not to be asked for again.
        if instance.state == .activating { instance.state = .active }
        graph.book.restore(instance: instance)
        guard instance.state != .inactive, let name = CameraName(instance: instance.name) else { return }
        do throws(GraphError) {
            try resume(instance, name)
            graph.held.remove(name)
        } catch {
            graph.held.insert(name)
            let reasons = [error.message] + error.details.map(\.message)
            events.append(
                "graphNotActivated", level: .error,
                "the media graph's instance \(instance.name) stays \(instance.state.rawValue) and cannot run: "
                    + reasons.joined(separator: " ")
                    + " Correct that and run `cvrctl reload`, or `cvrctl graph instance deactivate \(instance.name)`")
        }
    }

    private func resume(_ instance: Instance, _ name: CameraName) throws(GraphError) {
        let plan = try graph.book.plan(of: instance.name)
        var active = try active(plan, name, begun: graph.chronicles[name]?.continuousAsset)
        if instance.state == .deactivating { active.camera.enabled = false }
        if let settings = plan.gate, let known = graph.chronicles[name]?.gate {
            active.gate = SignalGate(settings, restoring: known) ?? active.gate
        }
        if plan.gate == nil, instance.state == .active, graph.chronicles[name]?.continuousAsset == nil {
            graph.chronicles[name, default: Chronicle()].begin(asset: plan.continuousAsset(active.camera))
            graph.unwritten.insert(name)
            graphInbox.yield(.recorded(name))
        }
        if let other = written.cameras.removeValue(forKey: name) {
            events.append(
                "configurationRefused", camera: name, level: .error,
                "the camera \(name) of \(other.origin) has the name of the media graph's active instance "
                    + "\(instance.name) and is left out: rename it, or run "
                    + "`cvrctl graph instance deactivate \(instance.name)` and `cvrctl reload`")
        }
        graph.active[name] = active
        // Others of the same asset are to find it.
        box.cameras[name] = active.camera
    }

    /// Whether what an instance recorded is still to be stored.
    func isDraining(_ name: CameraName) -> Bool { graph.book.instance(name.text)?.state == .deactivating }
}
