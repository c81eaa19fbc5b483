package import Recording

/// The types of `io.cvr.Sync` (see io.cvr.Sync.varlink, which documents each field) that `Listing` does not hold.
package enum SyncInterface {
    package static let interface = "io.cvr.Sync"

    /// Where a camera's sessions become files.
    package struct Files: Codable, Hashable, Sendable {
        package var directory: String
        package var maximumBytes: Int64?

        package init(directory: String, maximumBytes: Int64? = nil) {
            self.directory = directory
            self.maximumBytes = maximumBytes
        }
    }

    package struct Camera: Codable, Hashable, Sendable {
        package var name: String
        package var asset: String
        package var configured: Bool
        package var segmentLength: Double
        package var retention: Double?
        package var cacheBudgetBytes: Int64
        package var dropsOldest: Bool
        package var files: Files?
        /// Nil from a cvrd of an older build, which uploads all.
        package var uploads: Bool?
        /// Nil from a cvrd of an older build.
        package var recorded: Bool?

        package init(
            name: String, asset: String, configured: Bool, segmentLength: Double, retention: Double?,
            cacheBudgetBytes: Int64, dropsOldest: Bool, files: Files? = nil, uploads: Bool? = true,
            recorded: Bool? = true
        ) {
            self.name = name
            self.asset = asset
            self.configured = configured
            self.segmentLength = segmentLength
            self.retention = retention
            self.cacheBudgetBytes = cacheBudgetBytes
            self.dropsOldest = dropsOldest
            self.files = files
            self.uploads = uploads
            self.recorded = recorded
        }
    }

    /// How a store that is a service is reached.
    package struct StoreAccess: Codable, Hashable, Sendable {
        package var credential: Secret?
        /// PEM; in place of those of the system.
        package var certificateAuthority: String?
        /// As `http://HOST:PORT`.
        package var proxy: String?
        package var storageClass: String?

        package init(
            credential: Secret? = nil, certificateAuthority: String? = nil, proxy: String? = nil,
            storageClass: String? = nil
        ) {
            self.credential = credential
            self.certificateAuthority = certificateAuthority
            self.proxy = proxy
            self.storageClass = storageClass
        }
    }

    /// What may be sent to the store; bits a second, null unlimited, 0 nothing.
    package struct Bandwidth: Codable, Hashable, Sendable {
        package struct Window: Codable, Hashable, Sendable {
            package var days: [Int64]
            package var from: Int64
            package var to: Int64
            package var limit: Int64?
            package var liveOnly: Bool

            package init(days: [Int64], from: Int64, to: Int64, limit: Int64?, liveOnly: Bool) {
                self.days = days
                self.from = from
                self.to = to
                self.limit = limit
                self.liveOnly = liveOnly
            }
        }

        package struct Metered: Codable, Hashable, Sendable {
            package var interfaces: [String]
            package var limit: Int64?
            package var liveOnly: Bool

            package init(interfaces: [String], limit: Int64?, liveOnly: Bool) {
                self.interfaces = interfaces
                self.limit = limit
                self.liveOnly = liveOnly
            }
        }

        package var limit: Int64?
        package var schedule: [Window]
        package var metered: Metered?

        package init(limit: Int64?, schedule: [Window] = [], metered: Metered? = nil) {
            self.limit = limit
            self.schedule = schedule
            self.metered = metered
        }
    }

    package struct Configuration: Codable, Hashable, Sendable {
        package var site: String
        package var cachePath: String
        package var statePath: String
        package var storeURL: String
        package var storeAccess: StoreAccess?
        package var heartbeatPath: String
        package var minimumFreePercent: Double
        package var trustsClock: Bool
        package var cameras: [Camera]
        package var bandwidth: Bandwidth?
        /// Nil from a cvrd of an older build.
        package var filePaths: [String]?

        package init(
            site: String, cachePath: String, statePath: String, storeURL: String, storeAccess: StoreAccess? = nil,
            heartbeatPath: String, minimumFreePercent: Double, trustsClock: Bool, cameras: [Camera],
            bandwidth: Bandwidth? = nil, filePaths: [String]? = []
        ) {
            self.site = site
            self.cachePath = cachePath
            self.statePath = statePath
            self.storeURL = storeURL
            self.storeAccess = storeAccess
            self.heartbeatPath = heartbeatPath
            self.minimumFreePercent = minimumFreePercent
            self.trustsClock = trustsClock
            self.cameras = cameras
            self.bandwidth = bandwidth
            self.filePaths = filePaths
        }
    }

    package struct Hint: Codable, Hashable, Sendable {
        package var camera: String

        package init(camera: String) { self.camera = camera }
    }

    /// Some sessions of a camera.
    package struct Sessions: Codable, Hashable, Sendable {
        package var camera: String
        package var from: Int64
        package var through: Int64

        package init(camera: String, from: Int64, through: Int64) {
            (self.camera, self.from, self.through) = (camera, from, through)
        }
    }

    package struct Outcome: Codable, Hashable, Sendable {
        package var stored: Bool
        package var waiting: Int64
        package var unfiled: Int64
        package var files: [String]
        package var over: Bool

        package init(stored: Bool, waiting: Int64, unfiled: Int64, files: [String], over: Bool) {
            (self.stored, self.waiting, self.unfiled) = (stored, waiting, unfiled)
            (self.files, self.over) = (files, over)
        }
    }

    /// A segment by its numbers.
    package struct StoredThrough: Codable, Hashable, Sendable {
        package var session: Int64
        package var counter: Int64

        package init(session: Int64, counter: Int64) {
            self.session = session
            self.counter = counter
        }
    }

    package struct CacheState: Codable, Hashable, Sendable {
        package var name: String
        package var cacheBytes: Int64
        package var pendingSegments: Int64
        package var pendingBytes: Int64
        package var oldestLocal: String?
        package var evictionIn: Double?
        package var storedThrough: StoredThrough?
        package var filedThrough: Int64?
        package var recorded: Bool?

        package init(
            name: String, cacheBytes: Int64, pendingSegments: Int64, pendingBytes: Int64, oldestLocal: String?,
            evictionIn: Double? = nil, storedThrough: StoredThrough? = nil, filedThrough: Int64? = nil,
            recorded: Bool? = nil
        ) {
            self.name = name
            self.cacheBytes = cacheBytes
            self.pendingSegments = pendingSegments
            self.pendingBytes = pendingBytes
            self.oldestLocal = oldestLocal
            self.evictionIn = evictionIn
            self.storedThrough = storedThrough
            self.filedThrough = filedThrough
            self.recorded = recorded
        }
    }

    package struct Status: Codable, Hashable, Sendable {
        package var state: String
        package var writes: Int64
        package var retries: Int64
        package var lag: Double
        package var breaker: String
        package var lastError: Admin.Fault?
        package var caches: [CacheState]
        package var sandbox: String?
        package var build: String?
        package var store: Admin.StoreCapabilities?

        package init(
            state: String, writes: Int64, retries: Int64, lag: Double, breaker: String, lastError: Admin.Fault?,
            caches: [CacheState], sandbox: String? = nil, build: String? = nil,
            store: Admin.StoreCapabilities? = nil
        ) {
            self.state = state
            self.writes = writes
            self.retries = retries
            self.lag = lag
            self.breaker = breaker
            self.lastError = lastError
            self.caches = caches
            self.sandbox = sandbox
            self.build = build
            self.store = store
        }
    }

    package struct PassReport: Codable, Hashable, Sendable {
        package var uploaded: Int64
        package var failed: Int64

        package init(uploaded: Int64, failed: Int64) {
            self.uploaded = uploaded
            self.failed = failed
        }
    }

    package struct Stop: Codable, Hashable, Sendable {
        package var limit: Double

        package init(limit: Double) { self.limit = limit }
    }

    package struct Stopped: Codable, Hashable, Sendable {
        package var uploaded: Int64

        package init(uploaded: Int64) { self.uploaded = uploaded }
    }
}
