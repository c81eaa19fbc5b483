package import Recording

/// Everything that `cvr.yaml` and `cameras.d` say about one recorder box; never a secret.
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

    package var isTLS: Bool { Self.isTLS(url) }
    static func isTLS(_ url: String) -> Bool { url.lowercased().hasPrefix("rtsps:") }

    package enum Transport: String, Sendable, CaseIterable {
        case tcp, udp
    }

    /// What happens when the cache's budget is used up by segments that the store does not have yet.
    package enum CacheFull: String, Sendable, CaseIterable {
        case dropOldest, stopRecording
    }
}

/// `clock.trust`.
enum ClockTrust: String, CaseIterable {
    case always, synchronised
}

/// `tls.verify`.
enum TLSVerification: String, CaseIterable {
    case none
}
