package import Recording

/// Everything that `cvr.yaml` and `cameras.d` say about one recorder box, which is never a secret; cvrd adds the cameras of
/// its media graphs, which hold their passwords.
package struct BoxConfiguration: Hashable, Sendable {
    /// No camera is called so: below the runtime directory these are other processes'.
    package static let reservedNames: Set = ["sync", "playback", "gateway"]

    package var site: SiteName
    /// Sockets and worker states.
    package var runtimePath: String
    /// Catalog, cameras added by cvrctl, credentials, identities.
    package var statePath: String
    /// One directory per camera below it.
    package var cachePath: String
    /// Share of the cache's disk that recording leaves free.
    package var minimumFreePercent: Double
    package var store: StoreConfiguration
    /// `clock: { trust: always }`: the kernel's word on synchronisation is not asked.
    package var trustsClock: Bool
    package var playback = PlaybackConfiguration.usual
    /// Nil runs no cvr-gateway.
    package var gateway: GatewayConfiguration?
    /// `graph: { filePaths }`: absolute paths, below which file sinks may write.
    package var filePaths = Self.usualFilePaths
    /// Where LVA's container has the files of its samples.
    static let usualFilePaths = ["/var/media"]
    /// What a camera has that says nothing itself.
    package var usual = CameraDefaults()
    package var cameras: [CameraName: CameraConfiguration]
}

package struct StoreConfiguration: Hashable, Sendable {
    package var url: String
    package var location: StoreLocation
    package var credential: String?
    /// Absolute path of a PEM file.
    package var certificateAuthority: String?
    /// As `http://HOST:PORT`.
    package var proxy: String?
    /// In the store's own words; nil is its default.
    package var storageClass: String?
    /// Absolute path of the price table; nil is the installed one.
    package var prices: String?
    package var bandwidth = BandwidthConfiguration()
}

/// One camera; which file defines it is in `origin`.
package struct CameraConfiguration: Hashable, Sendable {
    package var name: CameraName
    /// `rtsp://` or `rtsps://`, without userinfo.
    package var url: String
    package var username: String
    /// Name of a credential or absolute path of its file; read when the worker is spawned.
    package var credential: String?
    package var transport: Transport
    package var segmentLength: TimeSpan
    /// Nil keeps for ever.
    package var retention: TimeSpan?
    package var asset: String
    /// Nil: a share of the disk by bit rate.
    package var cacheBudgetBytes: Int64?
    package var cacheFull: CacheFull
    package var acceptsUnverifiedTLS: Bool
    /// False after `cvrctl camera stop`, over restarts.
    package var enabled: Bool
    package var origin: String
    /// What only an instance of a media graph says; nil for a camera of a file.
    package var graph: GraphInstance?

    package init(
        name: CameraName, url: String, username: String = "", credential: String? = nil, transport: Transport = .tcp,
        segmentLength: TimeSpan, retention: TimeSpan?, asset: String, cacheBudgetBytes: Int64? = nil,
        cacheFull: CacheFull = .dropOldest, acceptsUnverifiedTLS: Bool = false, enabled: Bool = true, origin: String,
        graph: GraphInstance? = nil
    ) {
        self.name = name
        self.url = url
        self.username = username
        self.credential = credential
        self.transport = transport
        self.segmentLength = segmentLength
        self.retention = retention
        self.asset = asset
        self.cacheBudgetBytes = cacheBudgetBytes
        self.cacheFull = cacheFull
        self.acceptsUnverifiedTLS = acceptsUnverifiedTLS
        self.enabled = enabled
        self.origin = origin
        self.graph = graph
    }

    package var isTLS: Bool { Self.isTLS(url) }
    static func isTLS(_ url: String) -> Bool { url.lowercased().hasPrefix("rtsps:") }

    package enum Transport: String, Sendable, CaseIterable {
        case tcp, udp
        /// RTSP tunnelled in HTTP.
        case http
    }

    /// What happens when the cache's budget is used up by segments that the store does not have yet.
    package enum CacheFull: String, Sendable, CaseIterable {
        case dropOldest, stopRecording
    }
}

extension CameraConfiguration {
    /// How a camera differs that an instance of a media graph defines.
    package struct GraphInstance: Hashable, Sendable {
        /// As it was set; the camera's name is this in lower case.
        package var name: String
        /// In the place of a credential.
        package var password: Secret
        /// The URL is a secret, too, and listed nowhere.
        package var isURLSecret = false
        package var takesAudio = true
        package var takesVideo = true
        /// Records nothing but the windows that it is told of, each from so long before its signal; nil records everything.
        package var preRoll: TimeSpan?
        /// The asset of this activation alone; empty is the camera's own.
        package var sessionAsset = ""
        /// Where its sessions become files; nil is nowhere.
        package var files: Files?
        /// False: its sessions go to files alone.
        package var uploads = true

        package init(name: String, password: Secret) {
            self.name = name
            self.password = password
        }
    }

    package struct Files: Hashable, Sendable {
        /// Absolute path.
        package var directory: String
        /// Beyond it the oldest files of this camera go; nil is no limit.
        package var maximumBytes: Int64?

        package init(directory: String, maximumBytes: Int64?) {
            self.directory = directory
            self.maximumBytes = maximumBytes
        }
    }
}

/// `defaults` and what `cache` says of each camera.
package struct CameraDefaults: Hashable, Sendable {
    package var segmentLength = TimeSpan.seconds(30)
    /// Nil keeps for ever.
    package var retention: TimeSpan?
    package var transport = CameraConfiguration.Transport.tcp
    /// Nil: a share of the disk by bit rate.
    package var cacheBudgetBytes: Int64?
    package var cacheFull = CameraConfiguration.CacheFull.dropOldest
}

/// `clock.trust`.
enum ClockTrust: String, CaseIterable {
    case always, synchronised
}

/// `tls.verify`.
enum TLSVerification: String, CaseIterable {
    case none
}
