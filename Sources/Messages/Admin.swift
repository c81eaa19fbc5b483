/// The types of `io.cvr.Admin` (see io.cvr.Admin.varlink, which documents each field).
package enum Admin {
    package static let interface = "io.cvr.Admin"

    package struct Fault: Codable, Hashable, Sendable {
        package var code: String
        package var message: String
        package var nextStep: String
        package var time: String?

        package init(code: String, message: String, nextStep: String, time: String? = nil) {
            self.code = code
            self.message = message
            self.nextStep = nextStep
            self.time = time
        }
    }

    package struct Camera: Codable, Hashable, Sendable {
        package var name: String
        package var state: String
        package var since: String
        package var pid: Int64?
        package var session: Int64 = 0
        package var restarts: Int64 = 0
        package var codec = ""
        package var width: Int64 = 0
        package var height: Int64 = 0
        package var framesPerSecond: Double = 0
        package var bitsPerSecond: Double = 0
        package var framesReceived: Int64 = 0
        /// Nil from a cvrd that does not tell.
        package var bytesReceived: Int64?
        package var lastFrameAge: Double?
        package var anomalies: Int64 = 0
        /// Nil from a cvrd or a worker that does not tell; so are the next two.
        package var fsyncs: Int64?
        package var fsyncTime: Double?
        package var fsyncP99: Double?
        package var cacheBytes: Int64 = 0
        package var cacheBudgetBytes: Int64 = 0
        package var pendingSegments: Int64 = 0
        package var pendingBytes: Int64 = 0
        package var oldestLocal: String?
        package var evictionIn: Double?
        package var cacheFull: String?
        package var lastError: Fault?
        package var unverifiedTLS = false
        package var sandbox: String?
        package var troubles: [String: Int64] = [:]
        package var build = ""
        /// Nil from a cvrd that does not tell.
        package var graph: GraphState?

        package init(name: String, state: String, since: String) {
            self.name = name
            self.state = state
            self.since = since
        }
    }

    /// The instance of a media graph that a camera is; one of a file is one of `cvr-asset`.
    package struct GraphState: Codable, Hashable, Sendable {
        package var instance: String
        package var topology: String
        /// `Inactive`, `Activating`, `Active` or `Deactivating`.
        package var state: String
        /// `open` or `closed`; nil without a signal gate.
        package var gate: String?

        package init(instance: String, topology: String, state: String, gate: String?) {
            self.instance = instance
            self.topology = topology
            self.state = state
            self.gate = gate
        }
    }

    package struct Sync: Codable, Hashable, Sendable {
        package var state: String
        package var pid: Int64?
        package var writes: Int64 = 0
        package var retries: Int64 = 0
        package var lag: Double = 0
        package var breaker = "closed"
        package var lastError: Fault?
        package var sandbox: String?
        package var store: StoreCapabilities?

        package init(state: String) { self.state = state }
    }

    package struct Playback: Codable, Hashable, Sendable {
        package var state: String
        package var pid: Int64?
        package var listen: String?
        /// Nil when off, and from a cvrd that does not tell.
        package var tls: Bool?
        package var viewers: Int64 = 0
        package var lastError: Fault?
        package var sandbox: String?

        package init(state: String) { self.state = state }
    }

    package struct Status: Codable, Hashable, Sendable {
        package var version: String
        package var uptime: Double
        package var cameras: [Camera]
        package var sync: Sync
        /// Nil from a cvrd that knows no cvr-playback.
        package var playback: Playback?
        /// Nil from a cvrd that knows no cvr-gateway.
        package var gateway: Gateway?

        package init(
            version: String, uptime: Double, cameras: [Camera], sync: Sync, playback: Playback? = nil,
            gateway: Gateway? = nil
        ) {
            self.version = version
            self.uptime = uptime
            self.cameras = cameras
            self.sync = sync
            self.playback = playback
            self.gateway = gateway
        }
    }

    package struct CameraConfiguration: Codable, Hashable, Sendable {
        package var name: String
        package var url: String
        package var username: String
        package var transport: String
        package var segmentLength: Double
        package var retention: Double?
        package var asset: String
        package var enabled: Bool
        package var origin: String

        package init(
            name: String, url: String, username: String, transport: String, segmentLength: Double, retention: Double?,
            asset: String, enabled: Bool, origin: String
        ) {
            self.name = name
            self.url = url
            self.username = username
            self.transport = transport
            self.segmentLength = segmentLength
            self.retention = retention
            self.asset = asset
            self.enabled = enabled
            self.origin = origin
        }
    }

    package struct Cameras: Codable, Hashable, Sendable {
        package var cameras: [CameraConfiguration]

        package init(cameras: [CameraConfiguration]) { self.cameras = cameras }
    }

    /// Parameters of `AddCamera`; the password travels here and to its 0600 file, nowhere else.
    package struct AddCamera: Codable, Sendable {
        package var name: String
        package var url: String
        package var username: String?
        package var password: String?
        package var transport: String?
        package var segmentLength: String?
        package var retention: String?

        package init(name: String, url: String) {
            self.name = name
            self.url = url
        }
    }

    /// Parameters of the calls that name one camera.
    package struct NamedCamera: Codable, Hashable, Sendable {
        package var name: String

        package init(name: String) { self.name = name }
    }

    package struct Reloaded: Codable, Hashable, Sendable {
        package var added: [String]
        package var removed: [String]
        package var changed: [String]
        /// What the configuration asks for and is not so, each with what to do; nil from a cvrd that does not tell.
        package var refused: [String]?

        package init(added: [String], removed: [String], changed: [String], refused: [String] = []) {
            self.added = added
            self.removed = removed
            self.changed = changed
            self.refused = refused
        }
    }

    /// One finding of `Doctor`.
    package struct Check: Codable, Hashable, Sendable {
        package enum Verdict: String, Sendable { case ok, warning, failed }

        /// lowerCamelCase, stable, for scripts.
        package var name: String
        package var camera: String?
        package var verdict: String
        package var message: String
        package var nextStep: String

        package init(
            _ name: String, camera: String? = nil, _ verdict: Verdict, _ message: String, nextStep: String = ""
        ) {
            self.name = name
            self.camera = camera
            self.verdict = verdict.rawValue
            self.message = message
            self.nextStep = nextStep
        }
    }

    package struct Checks: Codable, Hashable, Sendable {
        package var checks: [Check]

        package init(checks: [Check]) { self.checks = checks }
    }

    /// One step of an upgrade; the last one has no camera.
    package struct UpgradeStep: Codable, Hashable, Sendable {
        package enum Outcome: String, Sendable {
            case replaced, replacedWithGap, kept, failed, skipped
            /// Of the last one.
            case done, rolledBack
        }

        package var camera: String?
        package var outcome: String
        package var detail: String

        package init(camera: String?, _ outcome: Outcome, _ detail: String) {
            self.camera = camera
            self.outcome = outcome.rawValue
            self.detail = detail
        }
    }

    package struct SyncReport: Codable, Hashable, Sendable {
        package var sync: Sync

        package init(sync: Sync) { self.sync = sync }
    }
}
