import Glibc
import MediaGraph
import Recording
import YAMLConfiguration

/// What this box cannot do of a plan, beside what the engine cannot.
struct PlanCheck {
    let box: BoxConfiguration
    let places: Places
    /// Where in the topology its file sink says where it writes.
    var filePath: String?

    init(_ plan: RecordingPlan, _ book: GraphBook, box: BoxConfiguration, places: Places) {
        self.init(box: box, places: places)
        guard let file = plan.file, let topology = book.topology(plan.topology) else { return }
        let property = topology.version == .v1 ? ".FilePathPattern" : ".BaseDirectoryPath"
        filePath = topology.node(file.nodeName).map { $0.path + property }
    }

    init(box: BoxConfiguration, places: Places) {
        self.box = box
        self.places = places
    }

    /// Nil when it can be activated under that name; else everything that is against it.
    func refusal(of plan: RecordingPlan, as name: CameraName) -> GraphError? {
        var plan = plan
        if let file = plan.file, !isAllowed(file.directory) {
            let allowed = box.filePaths.isEmpty ? "nowhere" : "below \(box.filePaths.joined(separator: ", "))"
            plan.refusals.append(
                sinkRefusal(
                    of: file, "files may be written \(allowed)",
                    "add the directory to graph: { filePaths: [...] } in cvr.yaml and run `cvrctl reload`."))
        }
        let length = places.workerSocket(name, .a).utf8.count
        if length > 107 {
            plan.refusals.append(
                GraphError.Detail(
                    .moduleValidationError, at: nil,
                    "The name is too long for this box: a socket below runtime.path would need \(length) bytes, of 107; "
                        + "take a shorter one, or a shorter runtime.path in cvr.yaml."))
        }
        return plan.error
    }

    /// Nil when files can be written below what `graph.filePaths` names.
    ///
    /// It is made if it is not there, as LVA's /var/media is not on most boxes. A disk that does not answer refuses
    /// nothing: its files wait.
    func missingFolder(of plan: RecordingPlan, _ disks: DiskLooks) async -> GraphError? {
        guard let file = plan.file, let root = box.filePaths.first(where: { file.directory.isBelow($0) }) else {
            return nil
        }
        let failure = await disks.look(at: root, atMost: .seconds(5)) { () -> Int32 in
            mkdir(root, 0o750) == 0 || errno == EEXIST ? 0 : errno
        }
        guard let failure, failure != 0 else { return nil }
        var plan = plan
        plan.refusals = [
            sinkRefusal(
                of: file, "\(root) cannot be made: \(String(cString: strerror(failure)))",
                "make it a directory of the user that cvrd runs as, and see ReadWritePaths= of cvrd.service.")
        ]
        return plan.error
    }

    private func sinkRefusal(
        of file: RecordingPlan.FileOutput, _ reason: String, _ nextStep: String
    ) -> GraphError.Detail {
        GraphError.Detail(
            .moduleValidationError, at: filePath,
            "The sink \(file.nodeName) writes to \(file.directory), and \(reason); \(nextStep)")
    }

    func isAllowed(_ directory: String) -> Bool { box.filePaths.contains { directory.isBelow($0) } }
}

extension String {
    fileprivate func isBelow(_ folder: String) -> Bool { self == folder || hasPrefix(folder + "/") }
}
