"""What the service says no with: status, code and text of the REST reference's tables of error codes."""

STATUS = {
    "AuthenticationFailed": 403,
    "AuthorizationFailure": 403,
    "AuthorizationPermissionMismatch": 403,
    "AuthorizationProtocolMismatch": 403,
    "AuthorizationResourceTypeMismatch": 403,
    "AuthorizationServiceMismatch": 403,
    "AuthorizationSourceIPMismatch": 403,
    "BlobAlreadyExists": 409,
    "BlobNotFound": 404,
    "ConditionNotMet": 412,
    "ContainerAlreadyExists": 409,
    "ContainerNotFound": 404,
    "Crc64Mismatch": 400,
    "EmptyMetadataKey": 400,
    "InvalidAuthenticationInfo": 401,
    "InvalidBlobOrBlock": 400,
    "InvalidBlockList": 400,
    "InvalidHeaderValue": 400,
    "InvalidMd5": 400,
    "InvalidMetadata": 400,
    "InvalidQueryParameterValue": 400,
    "InvalidRange": 416,
    "InvalidResourceName": 400,
    "InvalidUri": 400,
    "InvalidXmlDocument": 400,
    "Md5Mismatch": 400,
    "MetadataTooLarge": 400,
    "MissingContentLengthHeader": 411,
    "MissingRequiredHeader": 400,
    "NotImplemented": 501,
    "OutOfRangeInput": 400,
    "OutOfRangeQueryParameterValue": 400,
    "RequestBodyTooLarge": 413,
    "ResourceNotFound": 404,
    "UnauthorizedBlobOverwrite": 403,
    "UnsupportedHttpVerb": 405,
}


class Refusal(Exception):
    """An error answer; a status of 304 is one too, without a body."""

    def __init__(self, code: str, detail: str = "", headers: dict[str, str] | None = None):
        super().__init__(code)
        self.code = code
        self.status = 304 if code == "NotModified" else STATUS[code]
        self.detail = detail
        self.headers = headers or {}
