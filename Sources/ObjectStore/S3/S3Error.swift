import HTTP
import Recording

/// What an answer that is no success says: the status, and S3's own word for it.
///
/// The message beside the code is never shown: it may quote what was signed.
struct S3Refusal: Hashable {
    var status: Int
    /// Empty when what answered gave none, as to a HEAD.
    var code: String

    init(_ response: HTTPResponse) {
        status = response.status
        // An answer that is no error of S3's has no code: what it means is told by its status alone.
        let leaves = (try? XMLScanner.leaves(response.body, root: "Error")) ?? []
        let code = leaves.first { $0.path == ["Error", "Code"] }?.text ?? ""
        self.code = code.utf8.count <= 64 && code.allSatisfy { $0.isASCII && $0.isLetter } ? code : ""
    }

    init(status: Int, code: String) {
        self.status = status
        self.code = code
    }

    var isThrottle: Bool {
        status == 429 || status == 503 || ["SlowDown", "RequestLimitExceeded", "Throttling"].contains(code)
    }

    /// The store does not know what was asked of it: there is another way.
    var isNotImplemented: Bool { status == 501 || code == "NotImplemented" || code == "MethodNotAllowed" }

    private struct Meaning {
        var nextStep: String
        var scope = ObjectStoreError.Scope.store
        var outlook = ObjectStoreError.Outlook.lasting
        var mayConcernOne = false
    }

    func error(_ operation: String, _ thing: String, _ response: HTTPResponse) -> ObjectStoreError {
        let meaning = meaning
        let said = code.isEmpty ? "answered \(status)" : "answered \(status) \(code)"
        var error = ObjectStoreError(
            operation, thing, detail: said, nextStep: meaning.nextStep, scope: meaning.scope)
        error.outlook = meaning.outlook
        error.mayConcernOne = meaning.mayConcernOne
        if isThrottle { error.retryAfter = response.retryAfter(otherwise: .seconds(1)) }
        return error
    }

    private static let permission = "allow this key to list the bucket and to get, put and delete below the prefix"

    /// By S3's word first (Amazon S3 API reference, "Error responses"), by the status where there is none.
    private var meaning: Meaning {
        switch code {
        case _ where isThrottle: Meaning(nextStep: "none; the store asks for fewer requests", outlook: .passing)
        case "RequestTimeTooSkewed":
            Meaning(nextStep: "set this box's clock: the store's differs by more than 15 minutes")
        case "SignatureDoesNotMatch": Meaning(nextStep: "correct the secret in the store's credential")
        case "InvalidAccessKeyId": Meaning(nextStep: "correct the access key in the store's credential")
        case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
            Meaning(nextStep: "renew the session token in the store's credential")
        case "AccessDenied":
            Meaning(nextStep: Self.permission, mayConcernOne: true)
        case "AllAccessDisabled", "AccountProblem": Meaning(nextStep: Self.permission)
        case "NoSuchBucket": Meaning(nextStep: "create the bucket, or correct store.url")
        case "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect",
            "TemporaryRedirect":
            Meaning(nextStep: "correct region= or endpoint= in store.url")
        case "InvalidStorageClass": Meaning(nextStep: "correct store.storageClass")
        case "QuotaExceeded", "InsufficientStorage", "XMinioStorageFull":
            Meaning(nextStep: "free space in the store or shorten retention")
        case "EntityTooLarge", "KeyTooLongError", "MetadataTooLarge":
            Meaning(nextStep: "shorten segmentLength", scope: .object)
        case "InvalidObjectState":
            Meaning(nextStep: "restore the object from its archive class", scope: .object)
        case "BadDigest", "RequestTimeout", "IncompleteBody", "ConditionalRequestConflict", "OperationAborted",
            "InternalError", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch":
            Meaning(nextStep: "none; it is retried", outlook: .passing)
        default: byStatus
        }
    }

    private var byStatus: Meaning {
        switch status {
        case 401: Meaning(nextStep: "check the store's credential, and what it allows")
        case 403: Meaning(nextStep: "check the store's credential, and what it allows", mayConcernOne: true)
        case 300..<400: Meaning(nextStep: "correct region= or endpoint= in store.url: redirects are not followed")
        case 407: Meaning(nextStep: "give the proxy's URL the user and password that it asks for")
        case 408, 500..<507, 508...599: Meaning(nextStep: "none; it is retried", outlook: .passing)
        case 413, 414, 431: Meaning(nextStep: "let what stands before the store take larger requests", scope: .object)
        case 507: Meaning(nextStep: "free space in the store or shorten retention")
        default: Meaning(nextStep: "check store.url: what answers there does not behave as S3", mayConcernOne: true)
        }
    }
}
