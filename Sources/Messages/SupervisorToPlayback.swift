package import Recording

/// The types of `io.cvr.Playback` (see io.cvr.Playback.varlink, which documents each field).
package enum PlaybackInterface {
    package static let interface = "io.cvr.Playback"
    package typealias StoreAccess = SyncInterface.StoreAccess

    package struct Camera: Codable, Hashable, Sendable {
        package var name: String
        package var asset: String

        package init(name: String, asset: String) { (self.name, self.asset) = (name, asset) }
    }

    package struct TLS: Codable, Hashable, Sendable {
        package var certificate: String
        package var key: Secret

        package init(certificate: String, key: Secret) { (self.certificate, self.key) = (certificate, key) }
    }

    package struct Account: Codable, Hashable, Sendable {
        package var name: String
        package var password: Secret
        package var cameras: [String]?

        package init(name: String, password: Secret, cameras: [String]?) {
            (self.name, self.password, self.cameras) = (name, password, cameras)
        }
    }

    package struct TokenKey: Codable, Hashable, Sendable {
        package var kid: String
        package var algorithm: String
        package var publicKey: String

        package init(kid: String, algorithm: String, publicKey: String) {
            (self.kid, self.algorithm, self.publicKey) = (kid, algorithm, publicKey)
        }
    }

    package struct Tokens: Codable, Hashable, Sendable {
        package var issuer: String
        package var audience: String
        package var keys: [TokenKey]

        package init(issuer: String, audience: String, keys: [TokenKey]) {
            (self.issuer, self.audience, self.keys) = (issuer, audience, keys)
        }
    }

    /// Who may watch what.
    package struct Access: Codable, Hashable, Sendable {
        package var accounts: [Account]
        package var tokens: Tokens?
        package var signing: Secret?
        package var proxies: [String]?
        package var allowOrigins: [String]?

        package init(accounts: [Account] = [], tokens: Tokens? = nil, signing: Secret? = nil) {
            (self.accounts, self.tokens, self.signing) = (accounts, tokens, signing)
        }

        /// Whoever can connect may watch everything.
        package var isOpen: Bool { accounts.isEmpty && tokens == nil }
    }

    package struct Configuration: Codable, Hashable, Sendable {
        package var site: String
        package var cachePath: String
        package var statePath: String
        package var storeURL: String
        package var storeAccess: StoreAccess?
        package var listen: String
        package var tls: TLS?
        package var access = Access()
        package var cameras: [Camera]

        package init(
            site: String, cachePath: String, statePath: String, storeURL: String, storeAccess: StoreAccess? = nil,
            listen: String, tls: TLS? = nil, access: Access = Access(), cameras: [Camera]
        ) {
            self.site = site
            self.cachePath = cachePath
            self.statePath = statePath
            self.storeURL = storeURL
            self.storeAccess = storeAccess
            self.listen = listen
            self.tls = tls
            self.access = access
            self.cameras = cameras
        }
    }

    package struct Stop: Codable, Hashable, Sendable {
        package var again: Bool?

        package init(again: Bool? = nil) { self.again = again }
    }

    package struct Report: Codable, Hashable, Sendable {
        package var status: Admin.Status

        package init(status: Admin.Status) { self.status = status }
    }

    package struct Status: Codable, Hashable, Sendable {
        package var state: String
        package var listen: String
        package var viewers: Int64
        package var certificateEnd: String?
        package var lastError: Admin.Fault?
        package var sandbox: String?
        package var build: String?

        package init(
            state: String, listen: String, viewers: Int64 = 0, certificateEnd: String? = nil,
            lastError: Admin.Fault? = nil, sandbox: String? = nil, build: String? = nil
        ) {
            self.state = state
            self.listen = listen
            self.viewers = viewers
            self.certificateEnd = certificateEnd
            self.lastError = lastError
            self.sandbox = sandbox
            self.build = build
        }
    }
}
