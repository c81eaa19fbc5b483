import MediaGraph
import Recording
import YAMLConfiguration

/// What an instance says of the camera that it becomes.
extension CameraConfiguration {
    /// `session` is the asset of this activation, where its name has a time in it.
    init(_ plan: RecordingPlan, name: CameraName, session: String, usual: CameraDefaults) {
        var graph = GraphInstance(name: plan.instance, password: plan.source.password)
        graph.isURLSecret = plan.source.isURLSecret
        graph.takesAudio = plan.takesAudio
        graph.takesVideo = plan.takesVideo
        graph.preRoll = plan.gate?.preRoll
        graph.sessionAsset = session
        graph.files = plan.file.map { Files(directory: $0.directory, maximumBytes: $0.maximumBytes) }
        graph.uploads = plan.asset != nil
        self.init(
            name: name, url: plan.source.url.revealed(), username: plan.source.username.revealed(),
            transport: plan.source.transport == .http ? .http : .tcp,
            segmentLength: plan.asset?.segmentLength ?? usual.segmentLength, retention: usual.retention,
            asset: Self.ownAsset(of: plan, name), cacheBudgetBytes: plan.asset?.cacheBytes ?? usual.cacheBudgetBytes,
            origin: "the media graph's instance \(plan.instance)", graph: graph)
    }

    /// One whose name has a time in it is a session's, and the camera's own is called as the camera.
    private static func ownAsset(of plan: RecordingPlan, _ name: CameraName) -> String {
        guard let pattern = plan.asset?.pattern, !pattern.hasTime else { return name.text }
        return pattern.resolve(at: .now)
    }
}

extension Instance {
    /// A camera of a file, as the instance of `cvr-asset` that it is; nil when it cannot be told as one.
    static func shown(
        _ camera: CameraConfiguration, _ places: Places, state: InstanceState, since: WallTime
    ) -> Instance? {
        // LVA knows no RTP over UDP: that is not told.
        .camera(
            camera.name, url: camera.url, username: camera.username, segmentLength: camera.segmentLength,
            cacheBytes: camera.cacheBudgetBytes, asset: camera.asset,
            transport: camera.transport == .udp ? nil : camera.transport.rawValue,
            cachePath: places.cacheDirectory(camera.name), state: state, since: since)
    }
}

extension RecordingPlan {
    /// The asset of an activation that begins at `time` and records all the time; empty without one.
    ///
    /// Each session says where it goes: the instance may be set anew later, with another asset or none.
    func sessionAsset(at time: WallTime) -> String {
        guard gate == nil, let pattern = asset?.pattern else { return "" }
        return pattern.resolve(at: time)
    }

    /// Where all of an activation that records all the time goes.
    func continuousAsset(_ camera: CameraConfiguration) -> String {
        guard asset != nil else { return "" }
        let session = camera.graph?.sessionAsset ?? ""
        return session.isEmpty ? camera.asset : session
    }
}
