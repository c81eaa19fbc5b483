import HTTP

/// How a box proves to Azure Blob Storage that it may.
///
/// Without a description: two of the three are secrets (I10).
enum AzureCredential: Sendable {
    case sharedKey(AzureSharedKey)
    /// A shared access signature: a query that lets whoever has it do what it says.
    case signature(query: String)
    /// The box itself, known to Azure as a virtual machine or through Azure Arc.
    case identity(AzureIdentity)

    /// Reads the text of a credential: an account's key, a SAS with or without its `?`, or `managed-identity`.
    ///
    /// `identity` is asked for only when it is the last. Throws when it is none of these, or would be sent in clear.
    init(_ text: String, account: String, isSecure: Bool, identity: () -> AzureIdentity) throws(ObjectStoreError) {
        let text = String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
        if text == "managed-identity" {
            guard isSecure else { throw Self.inClear("a token of a managed identity") }
            self = .identity(identity())
        } else if text.contains("sig="), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) {
            guard isSecure else { throw Self.inClear("a shared access signature") }
            self = .signature(query: text.hasPrefix("?") ? String(text.dropFirst()) : text)
        } else if let key = AzureSharedKey(account: account, base64: text) {
            self = .sharedKey(key)
        } else {
            throw ObjectStoreError(
                "read", "the credential of the store", detail: "it is no key, SAS or managed-identity",
                nextStep: "put one of these in: an account key in base64, a SAS query, the word managed-identity",
                scope: .store)
        }
    }

    private static func inClear(_ what: String) -> ObjectStoreError {
        ObjectStoreError(
            "use", what, detail: "the store's endpoint is plain http, where anybody could read it",
            nextStep: "use https, or an account key, which is never sent", scope: .store)
    }
}
