import Recording

/// One writer for each asset, and no file written over another's.
extension GraphBook {
    /// The plan with outputs that no other running instance has; throws 409 when its asset is another's.
    ///
    /// Names with a time are the same only when two gates open in one second, as one message may make them: then the
    /// second instance's have its own name behind them.
    func distinct(_ plan: RecordingPlan, in topology: Topology) throws(GraphError) -> RecordingPlan {
        var plan = plan
        let others = plans.filter { $0.key != Self.key(plan.instance) }.map(\.value)
        let suffix = NamePattern.Part.text("-" + plan.instance)
        if let asset = plan.asset, let other = others.first(where: { $0.asset?.pattern == asset.pattern }) {
            let longer = asset.pattern.adding(suffix)
            let isFree = !others.contains { $0.asset?.pattern == longer }
            guard asset.pattern.hasTime, isFree, GraphText.isStorable(longer.resolve(at: .latest)) else {
                throw Self.taken(asset, by: "the instance \(other.instance)", in: topology)
            }
            plan.asset?.pattern = longer
        }
        func isTaken(_ file: RecordingPlan.FileOutput) -> Bool {
            others.contains { $0.file?.directory == file.directory && $0.file?.pattern == file.pattern }
        }
        if var file = plan.file, isTaken(file) {
            file.pattern = file.pattern.adding(suffix)
            guard !isTaken(file), GraphText.isFileName(file.pattern.resolve(at: .latest), isWhole: true) else {
                throw .conflict(
                    .resourceValidationError, at: topology.node(file.nodeName)?.path,
                    "Another running instance gives its files the same names: add ${System.GraphInstanceName} to the "
                        + "pattern.")
            }
            plan.file = file
        }
        return plan
    }

    /// Throws 409 when something else than an instance records to the plan's asset.
    func check(_ plan: RecordingPlan, _ takenAsset: (String) -> String?) throws(GraphError) {
        guard let asset = plan.asset, !asset.pattern.hasTime,
            let owner = takenAsset(asset.pattern.resolve(at: .latest))
        else { return }
        throw Self.taken(asset, by: owner, in: topology(plan.topology))
    }

    private static func taken(
        _ asset: RecordingPlan.AssetOutput, by owner: String, in topology: Topology?
    ) -> GraphError {
        .conflict(
            .resourceValidationError, at: topology?.node(asset.nodeName).map { $0.path + ".AssetNamePattern" },
            "The asset \(asset.pattern.resolve(at: .earliest).prefix(128)) is that of \(owner), and has one writer: "
                + "deactivate that, or tell them apart by ${System.GraphInstanceName} in the name.")
    }
}
