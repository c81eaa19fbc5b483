import Foundation
import Messages
import Recording
import Serving

/// The file of `--access`: JSON with the keys of `playback` in cvr.yaml, and passwords in place of credentials.
///
/// `{"accounts": {"NAME": {"password": "…", "cameras": ["front"]}}, "tokens": {"issuer": "…", "audience": "…", "keys":
/// [{"kid": "…", "algorithm": "ES256", "file": "/…"}]}, "signing": "…", "proxies": ["10.0.0.7"], "allowOrigins": ["https://portal.example"]}`. A key that is not known is refused: it may be
/// the misspelt one that grants less.
enum AccessFile {
    static func read(_ path: String) throws(ServingError) -> PlaybackInterface.Access {
        let text = try OwnerFile.guardedText(path).mapError(ServingError.init).get()
        let contents: Contents
        do { contents = try JSONDecoder().decode(Contents.self, from: Data(text.utf8)) } catch {
            // What the decoder says may quote a password.
            let place = (error as? DecodingError).map(Self.place) ?? ""
            throw ServingError(
                .configuration, "\(path) is no valid access file\(place)",
                nextStep: "write it as cvr-playback(8) shows it")
        }
        var access = PlaybackInterface.Access(signing: contents.signing)
        (access.proxies, access.allowOrigins) = (contents.proxies, contents.allowOrigins)
        access.accounts = contents.accounts.sorted { $0.key < $1.key }.map { name, account in
            PlaybackInterface.Account(name: name, password: account.password, cameras: account.cameras)
        }
        if let tokens = contents.tokens {
            var keys: [PlaybackInterface.TokenKey] = []
            for key in tokens.keys {
                keys.append(
                    PlaybackInterface.TokenKey(
                        kid: key.kid, algorithm: key.algorithm,
                        publicKey: try OwnerFile.text(key.file).mapError(ServingError.init).get()))
            }
            access.tokens = PlaybackInterface.Tokens(issuer: tokens.issuer, audience: tokens.audience, keys: keys)
        }
        return access
    }

    private static func place(_ error: DecodingError) -> String {
        let path: [any CodingKey] =
            switch error {
            case .keyNotFound(let key, let context): context.codingPath + [key]
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                context.codingPath
            @unknown default: []
            }
        let names = path.map { String($0.stringValue.prefix(64)) }.joined(separator: ".")
        return names.isEmpty ? "" : ": see \(names)"
    }

    private struct Contents: Decodable {
        var accounts: [String: Account] = [:]
        var tokens: Tokens?
        var signing: Secret?
        var proxies: [String]?
        var allowOrigins: [String]?

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(
                knowing: ["accounts", "tokens", "signing", "proxies", "allowOrigins"])
            accounts = try values.decodeIfPresent([String: Account].self, forKey: "accounts") ?? [:]
            tokens = try values.decodeIfPresent(Tokens.self, forKey: "tokens")
            signing = try values.decodeIfPresent(Secret.self, forKey: "signing")
            proxies = try values.decodeIfPresent([String].self, forKey: "proxies")
            allowOrigins = try values.decodeIfPresent([String].self, forKey: "allowOrigins")
        }
    }

    private struct Account: Decodable {
        var password: Secret
        var cameras: [String]?

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(knowing: ["password", "cameras"])
            password = try values.decode(Secret.self, forKey: "password")
            cameras = try values.decodeIfPresent([String].self, forKey: "cameras")
        }
    }

    private struct Tokens: Decodable {
        var issuer: String
        var audience: String
        var keys: [Key]

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(knowing: ["issuer", "audience", "keys"])
            issuer = try values.decode(String.self, forKey: "issuer")
            audience = try values.decode(String.self, forKey: "audience")
            keys = try values.decode([Key].self, forKey: "keys")
        }
    }

    private struct Key: Decodable {
        var kid: String
        var algorithm: String
        var file: String

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(knowing: ["kid", "algorithm", "file"])
            kid = try values.decode(String.self, forKey: "kid")
            algorithm = try values.decode(String.self, forKey: "algorithm")
            file = try values.decode(String.self, forKey: "file")
        }
    }
}

/// A member's name, whatever it is.
private struct MemberName: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringLiteral value: String) { stringValue = value }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// The members of an object, none of which may be another than these.
    fileprivate func container(knowing known: Set<String>) throws -> KeyedDecodingContainer<MemberName> {
        let values = try container(keyedBy: MemberName.self)
        if let other = values.allKeys.first(where: { !known.contains($0.stringValue) }) {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: codingPath + [other], debugDescription: "unknown"))
        }
        return values
    }
}
