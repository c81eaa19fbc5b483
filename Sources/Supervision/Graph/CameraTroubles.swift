package import Messages
package import Recording

/// What a worker reports of its camera, as LVA's diagnostic events: each trouble once, when it begins.
package struct CameraTroubles: Sendable {
    package enum Kind: Hashable, Sendable {
        /// An answer of RTSP, as its status code; `4xx` or `5xx` where libavformat tells no more.
        case protocolError(String)
        case authentication(String)
        case authorization(String)
        case network(String)
        case mediaFormat(String)
    }

    /// Fault codes that were told, until the camera is well.
    private var told: Set<String> = []
    /// Older faults are of a trouble that is over.
    private var healthyUntil: WallTime?

    package init() {}

    /// A report, and the time.
    package mutating func hear(_ progress: WorkerProgress, at now: WallTime) -> [Kind] {
        if progress.state == .recording {
            healthyUntil = now
            told = told.filter { Self.lastsWhileRecording.contains($0) }
        }
        guard let fault = progress.lastFault, !told.contains(fault.code) else { return [] }
        if progress.state == .recording {
            guard Self.lastsWhileRecording.contains(fault.code) else { return [] }
        } else if let at = progress.lastFaultAt, let healthyUntil, at < healthyUntil {
            return []
        }
        told.insert(fault.code)
        return Self.kinds[fault.code] ?? []
    }

    private static let lastsWhileRecording: Set<String> = ["unsupportedAudio"]

    /// By the worker's fault codes; what is wrong with our own disk is none of the camera's.
    private static let kinds: [String: [Kind]] = [
        // LVA reports refused credentials as an error of the protocol; whoever looks for the other finds it too.
        "authentication": [.protocolError("401"), .authentication("401")],
        "forbidden": [.protocolError("403"), .authorization("403")],
        "credentialTooLong": [.authentication("credentialTooLong")],
        "notFound": [.protocolError("404")],
        "refused": [.protocolError("4xx")],
        "cameraError": [.protocolError("5xx")],
        "unverifiedTLS": [.protocolError("unverifiedTLS")],
        "invalidData": [.protocolError("invalidData")],
        "redirected": [.protocolError("302")],
        "invalidURL": [.protocolError("invalidUrl")],
        "connectionRefused": [.network("connectionRefused")],
        "unreachable": [.network("unreachable")],
        "noTunnel": [.network("noTunnel")],
        "timeout": [.network("timeout")],
        "silent": [.network("silent")],
        "disconnected": [.network("disconnected")],
        "stalled": [.network("stalled")],
        "engine": [.network("connectionFailed")],
        "unsupportedCodec": [.mediaFormat("unsupportedVideoFormat")],
        "unsupportedAudio": [.mediaFormat("unsupportedAudioFormat")],
        "noKeyframe": [.mediaFormat("noKeyframe")],
        "unsettledFormat": [.mediaFormat("formatChange")],
    ]
}
