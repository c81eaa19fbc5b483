import Crypto
import FoundationEssentials
package import Recording
import Synchronization

/// The key of media graphs, from when it is known to be theirs: it has opened what is on disk, or sealed it.
///
/// Kept as long as cvrd runs, whatever becomes of the credential meanwhile: two keys would each open a part.
package final class GraphKey: Sendable {
    struct Known: Sendable {
        let text: Secret
        let seal: GraphSeal

        init(_ text: Secret) throws(Refusal) {
            self.text = text
            seal = try GraphSeal(key: text)
        }
    }

    private let state = Mutex<Known?>(nil)

    package init() {}

    var known: Known? { state.withLock { $0 } }

    /// The first is it.
    func isRight(_ key: Known) { state.withLock { $0 = $0 ?? key } }
}

/// Seals the secrets of media graphs for the disk, each for the file that it lies in: moved to another one, it does not
/// open.
package struct GraphSeal: Sendable {
    /// Of a key that cannot be guessed.
    package static let shortestKey = 32

    private let key: SymmetricKey

    /// Throws a refusal for a key that is too short.
    package init(key text: Secret) throws(Refusal) {
        guard text.revealed().utf8.count >= Self.shortestKey else {
            throw Refusal(
                code: "credential", "the credential graph-key has fewer than \(Self.shortestKey) bytes",
                nextStep: "Put back the one that it was and run `cvrctl reload`")
        }
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: Data(text.revealed().utf8)), info: Data("cvr media graph".utf8),
            outputByteCount: 32)
    }

    /// The text of a new key: 32 random bytes.
    package static func makeKey() -> Secret {
        Secret(SymmetricKey(size: .bits256).withUnsafeBytes { Data($0).base64EncodedString() })
    }

    package func seal(_ secret: Secret, for file: String) throws -> String {
        try ChaChaPoly.seal(Data(secret.revealed().utf8), using: key, authenticating: Data(file.utf8)).combined
            .base64EncodedString()
    }

    /// Throws for what was sealed with another key or for another file, or was changed.
    package func open(_ text: String, for file: String) throws -> Secret {
        guard let sealed = Data(base64Encoded: text) else { throw NotSealed() }
        let opened = try ChaChaPoly.open(
            ChaChaPoly.SealedBox(combined: sealed), using: key, authenticating: Data(file.utf8))
        guard let secret = String(validating: opened, as: UTF8.self) else { throw NotSealed() }
        return Secret(secret)
    }

    private struct NotSealed: Error {}
}
