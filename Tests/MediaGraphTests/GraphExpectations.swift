import FoundationEssentials
import MediaGraph
import Recording

let someTime = WallTime(seconds: 1_618_860_169, nanoseconds: 296_000_000)

/// What an expression is expected to throw; nil when it does not.
func graphError<Value>(_ body: () throws(GraphError) -> Value) -> GraphError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error
    }
}

extension GraphError {
    /// Codes and places of all mistakes, in order.
    var summary: [String] { details.map { "\($0.code) \($0.target ?? "-")" } }
}

/// Seals by turning every byte round; nothing of the text is left to read.
func seal(_ secret: Secret) -> String {
    secret.revealed().utf8.map { String($0 ^ 0xFF, radix: 16) }.joined(separator: " ")
}

func unseal(_ text: String) throws -> Secret {
    let bytes = text.split(separator: " ").compactMap { UInt8($0, radix: 16) }.map { $0 ^ 0xFF }
    return Secret(String(decoding: bytes, as: UTF8.self))
}
