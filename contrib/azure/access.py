"""Who may do what: SharedKey, shared access signatures and bearer tokens.

Every signature is computed anew by the code of Microsoft's own client, azure-storage-blob, from what arrived on the
wire, and compared: what a client signs is held to an implementation that is not ours.
"""

import hmac
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from urllib.parse import parse_qsl, unquote

from azure.core.pipeline.transport import HttpRequest
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy
from azure.storage.blob._shared.shared_access_signature import QueryStringConstants
from azure.storage.blob._shared_access_signature import _BlobSharedAccessHelper

from refusal import Refusal

SKEW = timedelta(minutes=15)
# From this version on the text that a SAS signs has the form that today's client signs.
OLDEST_SAS = "2020-12-06"
NEEDS_CONTAINER = {"list", "createContainer", "deleteContainer", "containerProperties"}


class Access:
    """The gate of one account.

    `tokens` says whether a bearer token is good; without it none is.
    """

    def __init__(self, account: str, key: str, tokens=None, secure: bool = False):
        self.account = account
        self.key = key
        self.tokens = tokens
        self.secure = secure

    def check(self, request):
        """Lets a request pass, or raises a Refusal; `request` has method, target, query, headers, operation."""
        authorization = request.headers.get("authorization", "")
        if authorization.startswith("SharedKey "):
            self._check_shared_key(request, authorization)
        elif authorization.startswith("Bearer "):
            self._check_token(authorization.removeprefix("Bearer "))
        elif authorization:
            raise Refusal("InvalidAuthenticationInfo", f"unknown scheme {authorization.split()[0]}")
        elif "sig" in request.query:
            self._check_sas(request)
        else:
            raise Refusal("AuthorizationFailure", "anonymous")

    def _check_token(self, token: str):
        if not self.secure:
            raise Refusal("AuthenticationFailed", "a bearer token came over plain HTTP")
        if self.tokens is None or not self.tokens(token):
            raise Refusal("InvalidAuthenticationInfo", "the token is unknown or expired")

    def _check_shared_key(self, request, authorization: str):
        self._check_date(request)
        signed = HttpRequest(request.method, "http://host" + request.target)
        for name, value in request.headers.items():
            if name != "authorization":
                signed.headers[name] = value
        SharedKeyCredentialPolicy(self.account, self.key).on_request(
            SimpleNamespace(http_request=signed, context=SimpleNamespace(transport=None))
        )
        if not hmac.compare_digest(signed.headers["Authorization"], authorization):
            raise Refusal("AuthorizationFailure", "the signature is not that of this request")

    @staticmethod
    def _check_date(request):
        text = request.headers.get("x-ms-date") or request.headers.get("date")
        try:
            sent = parsedate_to_datetime(text or "")
        except ValueError:
            raise Refusal("AuthenticationFailed", "no x-ms-date in RFC 1123's form") from None
        if abs(datetime.now(timezone.utc) - sent) > SKEW:
            raise Refusal("AuthenticationFailed", "Request date header too old")

    def _check_sas(self, request):
        query = dict(parse_qsl(request.query_text, keep_blank_values=True))
        if query.get("sv", "") < OLDEST_SAS:
            raise Refusal("AuthenticationFailed", f"sv is older than {OLDEST_SAS}")
        if not hmac.compare_digest(self._sas_signature(request, query), query["sig"]):
            raise Refusal("AuthenticationFailed", "the signature is not that of this SAS")
        self._check_sas_time(query)
        if query.get("spr") == "https" and not self.secure:
            raise Refusal("AuthorizationProtocolMismatch")
        if "sip" in query and query["sip"] != request.client:
            raise Refusal("AuthorizationSourceIPMismatch")
        self._check_sas_resource(request, query)
        self._check_sas_permission(request, query.get("sp", ""))

    def _sas_signature(self, request, query: dict[str, str]) -> str:
        """The `sig` that Microsoft's client gives to a SAS with these members."""
        helper = _BlobSharedAccessHelper()
        for name in QueryStringConstants.to_list():
            if name != "sig":
                helper._add_query(name, query.get(name))
        if "ss" in query:
            helper.add_account_signature(self.account, self.key)
        else:
            path = request.container if query.get("sr") == "c" else f"{request.container}/{request.blob}"
            helper.add_resource_signature(self.account, self.key, path)
        return helper.query_dict["sig"]

    @staticmethod
    def _check_sas_time(query: dict[str, str]):
        now = datetime.now(timezone.utc)
        for name, is_good in (("st", lambda time: time <= now), ("se", lambda time: now < time)):
            if name not in query:
                if name == "se":
                    raise Refusal("AuthenticationFailed", "no se")
                continue
            try:
                time = datetime.fromisoformat(query[name].replace("Z", "+00:00"))
            except ValueError:
                raise Refusal("AuthenticationFailed", f"{name} is no time") from None
            time = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
            if not is_good(time):
                raise Refusal("AuthenticationFailed", f"{name} does not hold now")

    @staticmethod
    def _check_sas_resource(request, query: dict[str, str]):
        is_container = request.operation in NEEDS_CONTAINER
        if "ss" in query:
            if "b" not in query["ss"]:
                raise Refusal("AuthorizationServiceMismatch")
            if ("c" if is_container else "o") not in query.get("srt", ""):
                raise Refusal("AuthorizationResourceTypeMismatch")
        elif request.operation != "list" and is_container or is_container and query.get("sr") != "c":
            raise Refusal("AuthorizationResourceTypeMismatch")

    @staticmethod
    def _check_sas_permission(request, granted: str):
        needed = {
            "list": "l", "containerProperties": "r", "deleteBlob": "d", "getBlob": "r", "headBlob": "r", "getBlockList": "r", "getMetadata": "r",
            "putBlob": "cw", "putBlock": "cw", "putBlockList": "cw", "setTier": "w", "setMetadata": "w",
        }.get(request.operation, "")  # fmt: skip
        if not any(letter in granted for letter in needed):
            raise Refusal("AuthorizationPermissionMismatch")
        if request.operation in ("putBlob", "putBlockList") and "w" not in granted:
            request.may_overwrite = False


def decoded(path: str) -> str:
    """A path of a request line as the name that it stands for."""
    return unquote(path, errors="strict")
