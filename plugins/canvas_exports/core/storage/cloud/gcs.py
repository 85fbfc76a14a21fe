"""Google Cloud Storage through its SDK: lists, locks and unfinished uploads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lxml import etree  # type: ignore[import-untyped]  # it has none of its own

from canvas_exports.core.storage.cloud.error_codes import (
    ErrorResponse,
    FailedRequestError,
    no_answer,
    no_credentials,
)
from canvas_exports.core.storage.cloud.listings import PAGE, Listing, Place, Row, moment
from canvas_exports.core.storage.cloud.locks import HELD, Locks
from canvas_exports.core.storage.cloud.response_limits import limit_session
from canvas_exports.core.storage.cloud.sdk import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    Sdk,
    is_installed,
)
from canvas_exports.core.storage.cloud.unfinished_uploads import UnfinishedUploads, Upload
from canvas_exports.core.storage.options import LockMode, StoreOptions
from canvas_exports.errors import ArchiveDeniedError, ArchiveError, ArchiveUnavailableError

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ENDPOINT = "https://storage.googleapis.com"
_PATIENCE: Mapping[str, Any] = {"timeout": (CONNECT_TIMEOUT, READ_TIMEOUT), "retry": None}
_NO_BUCKET_LOOKUPS = "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"
"""Without it the SDK reads the bucket for its traces: in a thread of its own, with a right that an archive does not need."""
_CODE = re.compile(rb"<Code>([\w.]{1,64})</Code>")

CredentialProvider = Callable[[], Any]


def is_available() -> bool:
    """Return whether the SDK is installed."""
    return is_installed("google.cloud.storage")


def credential_provider(options: StoreOptions) -> CredentialProvider | None:
    """Return what makes a credential of the SDK: from a service account's key, or application default credentials.

    ``None``: the SDK is not installed, or the account is one of an emulator, without credentials.
    """
    if not is_available():
        return None
    text = options.service_account
    if text is None and options.key_file:
        text = Path(options.key_file).read_text()
    if text is None:
        return _ambient
    account: dict[str, Any] = json.loads(text)
    return None if account.get("disable_oauth") else lambda: _service_account(account)


@dataclass(frozen=True)
class GcsClient:
    """The SDK's client and its session, for the part of Google's XML API that the client has no calls for."""

    storage: Any
    session: Any
    bucket: Any
    url: str

    def xml(self, verb: str, name: str, query: Mapping[str, str], body: bytes | None = None) -> bytes:
        """Send a request to the XML API.

        Args:
            verb: of HTTP.
            name: of an object; empty for the bucket.
            query: its parameters.
            body: its content.

        Raises:
            FailedRequestError: any status but 2xx.
        """
        answer = self.session.request(
            verb,
            f"{self.url}/{quote(name)}" if name else self.url,
            params=query,
            data=body,
            timeout=_PATIENCE["timeout"],
            allow_redirects=False,
        )
        if not 200 <= answer.status_code < 300:  # noqa: PLR2004 - HTTP's
            found = _CODE.search(answer.content[:4096])
            raise FailedRequestError(ErrorResponse(answer.status_code, found[1].decode() if found else None))
        content: bytes = answer.content
        return content


class GcsSdk(Sdk):
    """A client of google-cloud-storage's.

    Args:
        uri: the archive's root, for messages.
        options: of the archive's connection.
        bucket: its name.
        credential: makes the SDK's.
    """

    def __init__(
        self, uri: str, options: StoreOptions, *, bucket: str, credential: CredentialProvider
    ) -> None:
        super().__init__(uri, options)
        self._bucket = bucket
        self._credential = credential

    def _connect(self) -> Any:
        from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415 - optional
        from google.cloud import storage  # noqa: PLC0415 - as above

        credential = _tokens_of(self._credential())
        endpoint = self._options.endpoint or _ENDPOINT
        session = limit_session(AuthorizedSession(credential), self._options)  # type: ignore[no-untyped-call]
        os.environ.setdefault(_NO_BUCKET_LOOKUPS, "true")
        client = storage.Client(
            project=None,
            credentials=credential,
            _http=session,
            client_options={"api_endpoint": endpoint},
        )
        self._opened.callback(client.close)
        return GcsClient(client, session, client.bucket(self._bucket), f"{endpoint}/{self._bucket}")

    def _failure(self, error: Exception) -> ErrorResponse | ArchiveError | None:
        from google.api_core.exceptions import GoogleAPICallError  # noqa: PLC0415 - as above
        from google.auth import exceptions  # noqa: PLC0415 - as above

        if isinstance(error, GoogleAPICallError):
            code = next((str(each.get("reason", "")) for each in error.errors if isinstance(each, dict)), "")
            return ErrorResponse(error.code, code if re.fullmatch(r"[\w.]{1,64}", code) else None)
        if isinstance(error, exceptions.DefaultCredentialsError):
            return ArchiveDeniedError(no_credentials(self.uri))
        if isinstance(error, exceptions.GoogleAuthError):
            return ArchiveUnavailableError(f"Google gives no token at present: {type(error).__name__}")
        return no_answer(error) if isinstance(error, OSError | ValueError) else None


class GcsListing(Listing):
    """List objects. ``objects.list`` of the JSON API."""

    def _page(self, prefix: str, place: Place) -> tuple[list[Row], Place | None]:
        def read(gcs: GcsClient) -> tuple[list[Any], str | None]:
            found = gcs.storage.list_blobs(
                gcs.bucket,
                prefix=prefix or None,
                page_size=PAGE,
                page_token=place.get("token"),
                fields="items(name,size,updated),nextPageToken",
                **_PATIENCE,
            )
            return list(next(found.pages, ())), found.next_page_token

        blobs, token = self._sdk.call("list", read)
        return [Row(blob.name, blob.size, blob.updated) for blob in blobs], {
            "token": token
        } if token else None


class GcsUploads(UnfinishedUploads):
    """Multipart uploads of the XML API: the list, ``DELETE`` and ``PUT`` of a part. The SDK's client has no calls for them."""

    def _page(self, prefix: str, place: Place) -> tuple[list[Upload], Place | None]:
        document = self._send(lambda gcs: gcs.xml("GET", "", {"uploads": "", "prefix": prefix, **place}))
        try:
            page = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError:
            raise ArchiveUnavailableError("the store did not list what it holds") from None
        uploads = [
            Upload(
                row.findtext("{*}Key", ""),
                row.findtext("{*}UploadId", ""),
                moment(row.findtext("{*}Initiated")),
            )
            for row in page.iterfind("{*}Upload")
        ]
        if page.findtext("{*}IsTruncated", "").lower() != "true":
            return uploads, None
        return uploads, {
            "key-marker": page.findtext("{*}NextKeyMarker", ""),
            "upload-id-marker": page.findtext("{*}NextUploadIdMarker", ""),
        }

    def _end(self, upload: Upload) -> None:
        self._send(lambda gcs: gcs.xml("DELETE", upload.name, {"uploadId": upload.id}))

    def _try_part(self, upload: Upload) -> ErrorResponse | None:
        part = {"partNumber": "2", "uploadId": upload.id}
        refusal: ErrorResponse | None = self._sdk.refusal(lambda gcs: gcs.xml("PUT", upload.name, part, b"-"))
        return refusal


class GcsLocks(Locks):
    """Object retention and holds: ``objects.patch``, ``objects.get`` and ``buckets.get`` of the JSON API."""

    _advice = "switch on object retention when the bucket is made"

    def retain(self, key: str, mode: LockMode, until: datetime) -> None:
        """Lock an object. Google's ``Unlocked`` is ``governance``, its ``Locked`` is ``compliance``."""

        def lock(gcs: GcsClient) -> None:
            blob = gcs.bucket.blob(self._root + key)
            blob.retention.mode = "Locked" if mode == "compliance" else "Unlocked"
            blob.retention.retain_until_time = until.astimezone(timezone.utc).replace(microsecond=0)
            blob.patch(**_PATIENCE)

        self._lock(key, lock)

    def hold(self, key: str) -> None:
        """Set a temporary hold."""

        def lock(gcs: GcsClient) -> None:
            blob = gcs.bucket.blob(self._root + key)
            blob.temporary_hold = True
            blob.patch(**_PATIENCE)

        self._lock(key, lock)

    def _ends(self, key: str) -> list[datetime | None]:
        """Retention of the object or by the bucket's policy, and both kinds of hold."""

        def look(gcs: GcsClient) -> Any:
            blob = gcs.bucket.blob(self._root + key)
            blob.reload(**_PATIENCE)
            return blob

        blob = self._look(key, look)
        held = blob.temporary_hold or blob.event_based_hold
        return [HELD if held else None, blob.retention.retain_until_time, blob.retention_expiration_time]

    def _is_lockable(self) -> bool:
        def look(gcs: GcsClient) -> bool:
            gcs.bucket.reload(**_PATIENCE)
            return bool(gcs.bucket.object_retention_mode == "Enabled")

        return bool(self._look("", look))


def _tokens_of(found: Any) -> Any:
    """Return a credential with the tokens of another, and without the look-ups that Google's library makes beside it.

    Those go to a host of Google's in the background, at a firewall in vain, with a warning each time.
    """
    from google.auth.credentials import Credentials  # noqa: PLC0415 - optional

    class Tokens(Credentials):
        def refresh(self, request: Any) -> None:
            found.refresh(request)
            self.token, self.expiry = found.token, found.expiry

    return Tokens()  # type: ignore[no-untyped-call]


def _service_account(account: Mapping[str, Any]) -> Any:
    """Return tokens that the account signs for itself, as obstore's are: Google is not asked for them."""
    from google.auth.jwt import Credentials  # noqa: PLC0415 - optional

    given = {"token_uri": "", **account}  # asked for, and not used
    return Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        given, audience=None, additional_claims={"scope": _SCOPE}
    )


def _ambient() -> Any:
    import google.auth  # noqa: PLC0415 - optional

    return google.auth.default(scopes=[_SCOPE])[0]
