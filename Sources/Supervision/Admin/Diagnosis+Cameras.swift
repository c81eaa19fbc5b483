package import Messages
package import Recording
package import YAMLConfiguration

/// Findings about one camera.
extension Diagnosis {
    /// What is known of a camera, of its worker and of its footage.
    package struct Camera: Sendable {
        package var configuration: CameraConfiguration
        package var row: Admin.Camera
        package var keyframeInterval: TimeSpan?
        /// In its worker's words; nil without one.
        package var sandbox: String?
        package var build: String?

        package init(
            _ configuration: CameraConfiguration, _ row: Admin.Camera, keyframeInterval: TimeSpan? = nil,
            sandbox: String? = nil, build: String? = nil
        ) {
            self.configuration = configuration
            self.row = row
            self.keyframeInterval = keyframeInterval
            self.sandbox = sandbox
            self.build = build
        }

        var name: String { configuration.name.text }
        var state: CameraState? { CameraState(rawValue: row.state) }
    }

    /// Everything that can be said of a camera; of one that is stopped, that it is.
    package static func camera(_ camera: Camera, release: String, uploadLag: TimeSpan) -> [Check] {
        guard camera.state != .stopped else { return [reachability(camera)] }
        return [
            reachability(camera), keyframes(camera), space(camera, uploadLag: uploadLag), sandbox(camera),
            build(camera, release: release),
        ].compactMap(\.self)
    }

    static func reachability(_ camera: Camera) -> Check {
        func check(_ verdict: Check.Verdict, _ message: String, nextStep: String = "") -> Check {
            Check("camera", camera: camera.name, verdict, message, nextStep: nextStep)
        }
        switch camera.state {
        case .recording:
            let age = camera.row.lastFrameAge.map { ", the last frame came \(tenths($0)) s ago" } ?? ""
            return check(.ok, "it is recorded\(age)")
        case .stopped: return check(.ok, "it is stopped; `cvrctl camera start \(camera.name)` records it")
        case .starting:
            return check(.warning, "its worker has only just started", nextStep: "Run doctor again in a minute")
        default:
            let state = camera.row.state.map { $0.isUppercase ? " \($0.lowercased())" : "\($0)" }.joined()
            return check(
                .failed, "nothing is recorded (\(state)): \(camera.row.lastError?.message ?? "no reason is known")",
                nextStep: camera.row.lastError?.nextStep ?? "See `cvrctl events`")
        }
    }

    /// Playback seeks to keyframes and a segment ends at one: far between, seeking is slow and segments grow.
    package static let longestKeyframeInterval = TimeSpan.seconds(10)

    static func keyframes(_ camera: Camera) -> Check? {
        guard camera.state == .recording, camera.row.width > 0 else { return nil }
        let nextStep = "Set the camera's I-frame interval (GOP) to 1 to 2 s, and switch smart codecs off"
        guard let interval = camera.keyframeInterval else {
            return Check(
                "keyframes", camera: camera.name, .warning, "no second keyframe has arrived yet",
                nextStep: "Run doctor again in a minute. " + nextStep)
        }
        let found = "a keyframe comes every \(tenths(interval.seconds)) s"
        let limit = min(longestKeyframeInterval, camera.configuration.segmentLength)
        guard interval > limit + .milliseconds(50) else { return Check("keyframes", camera: camera.name, .ok, found) }
        return Check(
            "keyframes", camera: camera.name, .warning,
            "\(found): segments get longer than the \(tenths(camera.configuration.segmentLength.seconds)) s asked for, "
                + "and seeking gets as coarse", nextStep: nextStep)
    }

    /// For so long at least a cache should hold what a store that is away cannot take.
    package static let leastHolding = TimeSpan.seconds(3600)

    static func space(_ camera: Camera, uploadLag: TimeSpan) -> Check? {
        let (budget, rate) = (Double(camera.row.cacheBudgetBytes), camera.row.bitsPerSecond)
        guard camera.state == .recording, budget > 0, rate > 0 else { return nil }
        let span = budget * 8 / rate
        let found = "\(mebibytes(budget)) of cache hold \(duration(span)) at \(tenths(rate / 1_000_000)) Mb/s"
        let nextStep = "Raise localMediaCacheMaximumSizeMiB, add a disk, or lower the camera's bit rate"
        let loss =
            camera.configuration.cacheFull == .dropOldest
            ? "the oldest footage is dropped before it is stored" : "recording stops"
        if Double(camera.row.pendingBytes) > budget / 2 {
            return Check(
                "space", camera: camera.name, .failed,
                "\(found), and more than half waits for its upload: when it is full, \(loss)",
                nextStep: "See why uploads lag (`cvrctl sync status`). " + nextStep)
        }
        guard span < max(leastHolding.seconds, 2 * uploadLag.seconds) else {
            return Check("space", camera: camera.name, .ok, found)
        }
        return Check(
            "space", camera: camera.name, .warning, "\(found): when the store is away for longer, \(loss)",
            nextStep: nextStep)
    }

    static func sandbox(_ camera: Camera) -> Check? {
        guard camera.row.pid != nil else { return nil }
        return sandbox(of: "its worker", camera: camera.name, says: camera.sandbox)
    }

    /// `process` is how the finding calls it, `said` what it says itself (`SandboxWord`).
    static func sandbox(of process: String, camera: String? = nil, says said: String?) -> Check {
        guard let said, !said.isEmpty else {
            return Check(
                "sandbox", camera: camera, .warning, "\(process) does not say what confines it",
                nextStep: "Run doctor again in a minute; if it recurs, install all programs from one package")
        }
        guard let degradation = SandboxWord(said).degradation else {
            return Check("sandbox", camera: camera, .ok, "\(process) is confined: \(said)")
        }
        return Check(
            "sandbox", camera: camera, .warning,
            "\(process) is only partly confined: \(degradation)", nextStep: SandboxWord.nextStep)
    }

    static func build(_ camera: Camera, release: String) -> Check? {
        guard let build = camera.build else { return nil }
        // The build id behind the release is for `cvrctl upgrade`.
        if build.prefix(while: { $0 != "+" }) == release {
            return Check("build", camera: camera.name, .ok, "its worker is of release \(build)")
        }
        return Check(
            "build", camera: camera.name, .warning, "its worker is of release \(build), cvrd of \(release)",
            nextStep: "Run `cvrctl upgrade`")
    }
}
