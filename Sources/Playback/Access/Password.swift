import Crypto
import CryptoExtras
import Foundation

/// What an account's credential file says of its password: the password itself, or only its scrypt hash
/// (RFC 7914), as `scrypt$ROUNDS$BLOCKSIZE$PARALLELISM$SALT$HASH` with salt and hash in Base64.
package struct Password: Sendable {
    private enum Kept {
        case plain(SHA256Digest)
        case hashed(Hash)
    }

    private struct Hash {
        var rounds: Int
        var blockSize: Int
        var parallelism: Int
        var salt: [UInt8]
        var key: [UInt8]
    }

    private let kept: Kept

    /// Nil for an empty one, and for a hash that is malformed or would cost more than 64 MiB.
    package init?(_ text: String) {
        guard text.hasPrefix("scrypt$") else {
            guard !text.isEmpty else { return nil }
            kept = .plain(SHA256.hash(data: Data(text.utf8)))
            return
        }
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, let rounds = Int(parts[1]), let blockSize = Int(parts[2]),
            let parallelism = Int(parts[3]), let salt = Data(base64Encoded: String(parts[4])),
            let key = Data(base64Encoded: String(parts[5])), (1024...1 << 20).contains(rounds),
            rounds.nonzeroBitCount == 1, (1...32).contains(blockSize), (1...4).contains(parallelism),
            128 * rounds * blockSize <= 64 << 20, salt.count >= 8, (16...64).contains(key.count)
        else { return nil }
        kept = .hashed(
            Hash(rounds: rounds, blockSize: blockSize, parallelism: parallelism, salt: Array(salt), key: Array(key)))
    }

    /// Takes the same time wherever the two differ: for a hash tens of milliseconds, and the memory that it asks for.
    package func matches(_ attempt: String) throws -> Bool {
        switch kept {
        case .plain(let digest): return digest == SHA256.hash(data: Data(attempt.utf8))
        case .hashed(let hash):
            let key = try KDF.Scrypt.deriveKey(
                from: Data(attempt.utf8), salt: hash.salt, outputByteCount: hash.key.count, rounds: hash.rounds,
                blockSize: hash.blockSize, parallelism: hash.parallelism)
            // Of digests, which are compared in constant time.
            return key.withUnsafeBytes { SHA256.hash(data: $0) } == SHA256.hash(data: hash.key)
        }
    }
}
