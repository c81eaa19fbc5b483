import HTTP
import Recording

extension HTTPResponse {
    /// The service's name for what went wrong: in a header of its own, since an answer to HEAD has no body.
    var azureCode: String {
        if let code = self["x-ms-error-code"] { return code }
        // A body that is no XML is somebody else's, such as a proxy's, and has no code.
        let leaves = (try? XMLScanner.leaves(body, root: "Error")) ?? []
        return leaves.first { $0.path == ["Error", "Code"] }?.text ?? ""
    }

    /// The service's own word: a 404 of anybody else, such as a proxy, says nothing about a blob.
    var isNoSuchBlob: Bool { status == 404 && azureCode == "BlobNotFound" }
    /// The condition of a request did not hold.
    var isConditionNotMet: Bool { status == 409 && azureCode == "BlobAlreadyExists" || status == 412 }
}

extension ObjectStoreError {
    /// An answer of Azure Blob Storage that is not the one hoped for.
    init(_ operation: String, _ thing: String, azure response: HTTPResponse) {
        let code = response.azureCode
        let meaning = AzureMeaning(response.status, code)
        // Bounded, and of letters only: it is shown to operators, and came over a network.
        let name = String(code.prefix(64).filter { $0.isASCII && ($0.isLetter || $0.isNumber) })
        self.init(
            operation, thing, detail: "answered \(response.status)\(name.isEmpty ? "" : " \(name)")",
            nextStep: meaning.nextStep, scope: meaning.scope)
        outlook = meaning.outlook
        mayConcernOne = meaning.mayConcernOne
        if response.status == 429 || response.status == 503 {
            retryAfter = response.retryAfter(otherwise: .seconds(1))
        }
    }
}

/// What an answer asks of us: "Status and error codes" and "Blob Storage error codes" of the REST reference, as far as
/// one can meet them.
private struct AzureMeaning {
    var nextStep = ""
    var scope = ObjectStoreError.Scope.store
    var outlook = ObjectStoreError.Outlook.lasting
    var mayConcernOne = false

    private static let access = "check the store's credential, whether it expired, and this box's clock"

    init(_ status: Int, _ code: String) {
        switch code {
        case "ContainerNotFound": nextStep = "create the container that store.url names"
        case "ContainerBeingDeleted": nextStep = "wait until the container is deleted, and create it again"
        case "ContainerDisabled", "AccountIsDisabled": nextStep = "enable the storage account again"
        case "AuthorizationPermissionMismatch", "InsufficientAccountPermissions", "AuthorizationResourceTypeMismatch":
            nextStep = "give the credential the right to read, create, write, list and delete blobs"
        case "AuthenticationFailed", "AuthorizationFailure", "InvalidAuthenticationInfo", "NoAuthenticationInformation":
            nextStep = Self.access
        case "AuthorizationProtocolMismatch": nextStep = "use https in store.url: the SAS asks for it"
        case "InvalidHeaderValue": nextStep = "correct store.storageClass: Hot, Cool or Cold"
        case "RequestBodyTooLarge":
            (nextStep, scope) = ("shorten segmentLength: the store takes 5,000 MiB at once", .object)
        case "BlobArchived", "BlobBeingRehydrated":
            (nextStep, scope) = ("bring the blob back from the archive tier", .object)
        case "BlobImmutableDueToPolicy", "LeaseIdMissing", "SnapshotsPresent":
            (nextStep, scope) = ("none: a policy, a lease or a snapshot keeps this blob", .object)
        // What arrived is not what was sent, or is not there any more: the same is sent again.
        case "Md5Mismatch", "Crc64Mismatch", "InvalidBlockList", "InvalidBlobOrBlock":
            (nextStep, outlook) = ("none; it is sent again", .passing)
        default: readStatus(status)
        }
    }

    private mutating func readStatus(_ status: Int) {
        switch status {
        case 401: nextStep = Self.access
        case 403: (nextStep, mayConcernOne) = (Self.access, true)
        case 300..<400: nextStep = "write the address that the store redirects to into store.url"
        case 407: nextStep = "give the proxy's URL the user and password that it asks for"
        case 408, 429, 500...: (nextStep, outlook) = ("none; it is retried", .passing)
        case 413, 414, 431: (nextStep, scope) = ("let what stands before the store take larger requests", .object)
        default:
            (nextStep, mayConcernOne) = (
                "check store.url: what answers there does not behave as Azure Blob Storage", true
            )
        }
    }
}
