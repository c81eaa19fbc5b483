package import Crypto
import Foundation
import Recording

/// Who may see what: accounts, content tokens and signatures; or anybody, where only this machine can ask.
///
/// A value for the life of a server: another configuration is another one.
package struct Access: Sendable {
    package struct Account: Sendable {
        package var password: Password
        package var cameras: Visitor.Cameras

        package init(password: Password, cameras: Visitor.Cameras) {
            self.password = password
            self.cameras = cameras
        }
    }

    /// By name.
    package var accounts: [String: Account]
    package var tokens: ContentTokens?
    /// Signs addresses; without it none is believed.
    package var signing: SymmetricKey?
    /// Nobody is asked who they are.
    package var isOpen: Bool

    package init(
        accounts: [String: Account] = [:], tokens: ContentTokens? = nil, signing: SymmetricKey? = nil, isOpen: Bool
    ) {
        self.accounts = accounts
        self.tokens = tokens
        self.signing = signing
        self.isOpen = isOpen
    }

    /// Loopback without accounts and tokens.
    package static let open = Access(isOpen: true)

    /// A signing key from the bytes of its credential; nil when there are too few to be a secret.
    package static func signingKey(_ secret: String) -> SymmetricKey? {
        guard secret.utf8.count >= 16 else { return nil }
        return SymmetricKey(data: SHA256.hash(data: Data(secret.utf8)))
    }
}
