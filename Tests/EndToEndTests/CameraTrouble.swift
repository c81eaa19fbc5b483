import Foundation
import Messages
import TestSupport
import Testing

/// One box with a camera for each way in which a camera can go away or refuse, shared by the checks of each.
struct CameraTrouble: Sendable {
    /// A way to go, and how it must look.
    struct Kind: Sendable, CustomTestStringConvertible {
        let name: String
        /// The rig's commands that bring it about, with the camera's name left out.
        let command: String
        /// `lastError.code` in status while it lasts.
        let code: String
        /// Reasons that the hole may have; a hole that begins with a broken connection may say that.
        let reasons: Set<String>
        /// Authentication of a camera that knows us by the canary at first.
        var scheme: String?

        var testDescription: String { name }
    }

    static let kinds = [
        Kind(name: "away", command: "vanish", code: "connectionRefused", reasons: ["cameraOffline"]),
        Kind(name: "stalled", command: "stall", code: "silent", reasons: ["cameraOffline", "networkLoss"]),
        Kind(name: "silent", command: "fail silent", code: "timeout", reasons: ["cameraOffline"]),
        Kind(name: "mute", command: "fail mute", code: "silent", reasons: ["cameraOffline"]),
        Kind(name: "unauthorised", command: "fail 401", code: "authentication", reasons: ["authentication"]),
        Kind(
            name: "digest", command: "password other; kick", code: "authentication",
            reasons: ["authentication", "networkLoss"], scheme: "digest"),
        Kind(
            name: "basic", command: "password other; kick", code: "authentication",
            reasons: ["authentication", "networkLoss"], scheme: "basic"),
        Kind(name: "forbidden", command: "fail 403", code: "forbidden", reasons: ["authentication"]),
        Kind(name: "unknown-path", command: "fail 404", code: "notFound", reasons: ["cameraRefused"]),
        Kind(name: "circular", command: "fail 302", code: "timeout", reasons: ["cameraOffline"]),
        Kind(name: "crowded", command: "fail 453", code: "refused", reasons: ["cameraRefused"]),
        Kind(name: "broken", command: "fail 500", code: "cameraError", reasons: ["cameraRefused"]),
        Kind(name: "unavailable", command: "fail 503", code: "cameraError", reasons: ["cameraRefused"]),
        Kind(name: "mjpeg", command: "fail mjpeg", code: "unsupportedCodec", reasons: ["unsupportedCodec"]),
        Kind(name: "vp8", command: "fail vp8", code: "unsupportedCodec", reasons: ["unsupportedCodec"]),
        Kind(name: "garbage", command: "fail garbage", code: "timeout", reasons: ["cameraOffline"]),
        Kind(name: "endless", command: "fail endless", code: "timeout", reasons: ["cameraOffline"]),
    ]

    /// Right at first, then wrong, then right again.
    static let canary = "canary-\(UUID())@home"
    static let user = "viewer"

    /// In status while the trouble lasted, with the expected code, if that ever came.
    var during: [String: Admin.Camera] = [:]
    /// What status said last, of a camera that never showed the expected code.
    var instead: [String: Admin.Camera] = [:]
    /// The worker of each camera before and after.
    var workers: [String: (before: BoxProcess, after: BoxProcess)] = [:]
    var after: [String: RecordedCamera] = [:]
    /// Every session of every camera.
    var footage: [Footage] = []
    var secretTraces: [String] = []

    static let evidence = Evidence()
    static let shared = Task { try await Machine.shared.place(.oneForLong) { try await CameraTrouble() } }

    private init() async throws {
        let names = Self.kinds.map(\.name)
        let cameras = Self.kinds.map { kind in
            var camera = CameraRig.Camera(kind.name, clip: "h264-video")
            if let scheme = kind.scheme { camera.options = ["user=\(Self.user)", "password=none", "auth=\(scheme)"] }
            return camera
        }
        self = try await withCameras(cameras, sharedBy: Self.evidence, settings: Self.adapt) { box, rig in
            for kind in Self.kinds where kind.scheme != nil {
                try await rig.tell("password \(kind.name) \(Self.canary)")
            }
            var run = self
            try await box.start()
            for name in names { try await box.untilStored(1, of: name) }
            let before = Dictionary(uniqueKeysWithValues: try names.map { ($0, try box.worker(of: $0)) })
            for command in Self.kinds.flatMap(\.causes) { try await rig.tell(command) }
            try await run.observe(box)
            for command in Self.kinds.flatMap(\.cures) { try await rig.tell(command) }
            try await run.recover(names, before, in: box)
            run.secretTraces = try await box.traces(
                of: Self.canary, user: Self.user, cameras: names,
                except: Set(names.map { "\(box.root)/state/credentials/\($0)" }))
            return run
        }
    }

    private static func adapt(_ settings: inout BoxSettings) {
        for (index, kind) in kinds.enumerated() where kind.scheme != nil {
            (settings.cameras[index].username, settings.cameras[index].password) = (user, canary)
        }
        settings.segmentLength = "PT5S"
    }

    /// Waits until every camera's trouble has its own code; a camera whose never has is noted, not fatal.
    private mutating func observe(_ box: Box) async throws {
        let deadline = ContinuousClock.now + .seconds(75)
        try await eventually("every trouble has its code", within: .seconds(90), every: .seconds(1)) {
            for camera in try await box.status().cameras {
                guard let kind = Self.kinds.first(where: { $0.name == camera.name }) else { continue }
                if camera.state != "recording", camera.lastError?.code == kind.code {
                    during[kind.name] = camera
                } else if during[kind.name] == nil {
                    instead[kind.name] = camera
                }
            }
            return during.count == Self.kinds.count || ContinuousClock.now > deadline ? true : nil
        }
    }

    private mutating func recover(_ names: [String], _ before: [String: BoxProcess], in box: Box) async throws {
        let stored = try await counts(names, in: box)
        try await box.until(names, are: "recording", within: .seconds(90))
        for name in names {
            try await box.untilStored((stored[name] ?? 0) + 1, of: name)
            after[name] = try await RecordedCamera(name, in: box)
            if let before = before[name] { workers[name] = (before, try box.worker(of: name)) }
        }
        footage = try await withThrowingTaskGroup(of: Footage.self) { group in
            let clip = try await SourceClip("h264-video")
            for camera in after.values {
                for session in camera.sessions {
                    let files = TestBox.cached(camera.name, session: session, in: box.root)
                    group.addTask { try await Footage(files, of: clip) }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func counts(_ names: [String], in box: Box) async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for name in names { counts[name] = try await box.segments(of: name).filter { $0.state == "verified" }.count }
        return counts
    }
}

extension CameraTrouble.Kind {
    /// The rig's commands with the camera's name, their second word.
    var causes: [String] {
        command.split(separator: ";").map { command in
            let words = command.split(separator: " ")
            return ([words[0], Substring(name)] + words.dropFirst()).joined(separator: " ")
        }
    }

    var cures: [String] { [scheme == nil ? "resume \(name)" : "password \(name) \(CameraTrouble.canary)"] }
}
