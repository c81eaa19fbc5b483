import Glibc
import MediaGraph
import Recording
import YAMLConfiguration

/// What this box cannot do of a plan, beside what the engine cannot.
struct PlanCheck {
    let box: BoxConfiguration
    let places: Places

    /// One for each; none when it can be activated.
    func details(of plan: RecordingPlan) -> [GraphError.Detail] {
        var details: [GraphError.Detail] = []
        if let file = plan.file, !isAllowed(file.directory) {
            let allowed = box.filePaths.isEmpty ? "nowhere" : "below \(box.filePaths.joined(separator: ", "))"
            details.append(
                Self.refusal(
                    of: file, "files may be written \(allowed)",
                    "add the directory to graph: { filePaths: [...] } in cvr.yaml and run `cvrctl reload`."))
        }
        let length = CameraName(instance: plan.instance).map { places.workerSocket($0, .a).utf8.count } ?? 0
        if length > 107 {
            details.append(
                GraphError.Detail(
                    .moduleValidationError, at: "$.Name",
                    "The name is too long for this box: a socket below runtime.path would need \(length) bytes, of 107; "
                        + "take a shorter one, or a shorter runtime.path in cvr.yaml."))
        }
        return details
    }

    /// What `graph.filePaths` names for the plan's files is made if it is not there, as LVA's /var/media is not on most
    /// boxes.
    ///
    /// True when it was. A disk that does not answer refuses nothing: its files wait.
    func makeFolder(of plan: RecordingPlan, _ disks: DiskLooks) async throws(GraphError) -> Bool {
        guard let file = plan.file, let root = box.filePaths.first(where: { file.directory.isBelow($0) }) else {
            return false
        }
        let failure = await disks.look(at: root, atMost: .seconds(5)) { () -> Int32 in
            mkdir(root, 0o750) == 0 ? 0 : errno
        }
        guard let failure, failure != EEXIST else { return false }
        guard failure != 0 else { return true }
        let refusal = Self.refusal(
            of: file, "\(root) cannot be made: \(String(cString: strerror(failure)))",
            "make it a directory of the user that cvrd runs as, and see ReadWritePaths= of cvrd.service.")
        if let error = plan.error(with: [refusal]) { throw error }
        return false
    }

    private static func refusal(
        of file: RecordingPlan.FileOutput, _ reason: String, _ nextStep: String
    ) -> GraphError.Detail {
        GraphError.Detail(
            .moduleValidationError, at: file.place,
            "The sink \(file.nodeName) writes to \(file.directory), and \(reason); \(nextStep)")
    }

    func isAllowed(_ directory: String) -> Bool { box.filePaths.contains { directory.isBelow($0) } }
}

extension String {
    fileprivate func isBelow(_ folder: String) -> Bool { self == folder || hasPrefix(folder + "/") }
}
