"""Amazon S3 and servers like it, through botocore: lists, locks and unfinished uploads."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from urllib3.connection import HTTPConnection

from canvas_exports.core.storage.cloud.error_codes import (
    ErrorResponse,
    FailedRequestError,
    no_answer,
    no_credentials,
)
from canvas_exports.core.storage.cloud.listings import PAGE, Listing, Place, Row, moment
from canvas_exports.core.storage.cloud.locks import HELD, Locks
from canvas_exports.core.storage.cloud.response_limits import send_within
from canvas_exports.core.storage.cloud.sdk import CONNECT_TIMEOUT, READ_TIMEOUT, Sdk
from canvas_exports.core.storage.cloud.unfinished_uploads import UnfinishedUploads, Upload
from canvas_exports.core.storage.options import KeysProvider, LockMode, StoreOptions
from canvas_exports.errors import ArchiveDeniedError, ArchiveError, ArchiveUnavailableError, InputError

STYLES = ("auto", "path", "virtual")

# What can be the first label of a host's name, and is covered by a wildcard certificate.
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9])")
# What XML cannot hold, as some stores write it all the same: in the name of an object, which may hold anything.
_ILLEGAL = re.compile(
    r"&#(?:x[0-9A-Fa-f]{1,8}|[0-9]{1,10});|[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
)
_LISTS = {"ListObjectsV2": "ListBucketResult", "ListMultipartUploads": "ListMultipartUploadsResult"}
_UNREADABLE = 500  # to botocore, whatever the status was, if it could not read the XML
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def is_virtual(style: str, bucket: str, endpoint: str | None) -> bool:
    """Return whether requests name the bucket before the host's name instead of in the path.

    ``auto`` is as boto3 does it: with Amazon, if the bucket's name allows it; not with another server.

    Args:
        style: one of ``STYLES``.
        bucket: its name.
        endpoint: URL of another server than Amazon's.

    Raises:
        InputError: no such style.
    """
    if style not in STYLES:
        raise InputError(
            "addressing_style", f"{style!r} is no way to address a bucket", accepted=", ".join(STYLES)
        )
    return style == "virtual" or (style == "auto" and not endpoint and _LABEL.fullmatch(bucket) is not None)


def bucket_endpoint(endpoint: str, bucket: str) -> str:
    """Return an endpoint with the bucket before its host's name."""
    scheme, _, rest = endpoint.partition("://")
    return f"{scheme}://{bucket}.{rest}"


class S3Sdk(Sdk):
    """Send requests by botocore.

    Args:
        uri: the archive's root, for messages.
        options: of the archive's connection.
        bucket: its name.
        endpoint: URL of the server; ``None`` for Amazon's.
        region: of the bucket.
        keys: asked at each request; ``None``: what botocore finds, down to the machine's role.
        virtual: the bucket is part of the host's name instead of the path.
    """

    def __init__(
        self,
        uri: str,
        options: StoreOptions,
        *,
        bucket: str,
        endpoint: str | None,
        region: str,
        keys: KeysProvider | None,
        virtual: bool = False,
    ) -> None:
        super().__init__(uri, options)
        self.bucket = bucket
        self._endpoint = endpoint
        self._region = region
        self._keys = keys
        self._virtual = virtual

    def _connect(self) -> Any:
        from botocore.config import Config  # noqa: PLC0415 - optional
        from botocore.httpsession import URLLib3Session  # noqa: PLC0415 - as above
        from botocore.session import Session  # noqa: PLC0415 - as above
        from botocore.utils import get_environ_proxies  # noqa: PLC0415 - as above

        if self._keys is None:
            session = Session()
        else:  # a profile that the environment names is not asked for anything, and need not exist
            session = Session(session_vars={"profile": (None, None, None, None)})
            session.register_component("credential_provider", _Provider(self._keys))
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=moment)
        client = session.create_client(
            "s3",
            region_name=self._region,
            endpoint_url=self._endpoint,
            config=Config(
                retries={"total_max_attempts": 1, "mode": "standard"},
                ignore_configured_endpoint_urls=True,  # obstore knows those of the environment alone
                s3={"addressing_style": "virtual" if self._virtual else "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        http = URLLib3Session(
            verify=self._options.verify,
            proxies=get_environ_proxies(client.meta.endpoint_url),
            timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            socket_options=HTTPConnection.default_socket_options,
        )

        def send(request: Any, **_: Any) -> Any:
            request.stream_output = True  # left unread
            return send_within(self._options.limits, lambda: http.send(request))

        client.meta.events.register("before-send.s3", send)
        client.meta.events.register_first("before-parse.s3", _refuse_redirect)
        for operation in _LISTS:
            client.meta.events.register_first(f"before-parse.s3.{operation}", _make_readable)
        for operation in ("PutObjectRetention", "PutObjectLegalHold"):
            client.meta.events.register(f"before-call.s3.{operation}", _add_md5)
        self._opened.callback(client.close)
        self._opened.callback(http.close)
        return client

    def _failure(self, error: Exception) -> ErrorResponse | ArchiveError | None:
        from botocore import exceptions  # noqa: PLC0415 - as above
        from botocore.parsers import ResponseParserError  # noqa: PLC0415 - as above

        if isinstance(error, exceptions.ClientError):
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            # For want of a body, botocore takes the status for the code.
            return ErrorResponse(
                status, code if re.fullmatch(r"[\w.]{1,64}", code) and not code.isdecimal() else None
            )
        if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
            return ArchiveDeniedError(no_credentials(self.uri))
        unreadable = ResponseParserError | ValueError  # a document, or a number in it
        return no_answer(error) if isinstance(error, exceptions.BotoCoreError | unreadable) else None


class S3Listing(Listing):
    """List objects. ``ListObjectsV2``."""

    _sdk: S3Sdk

    def _page(self, prefix: str, place: Place) -> tuple[list[Row], Place | None]:
        page = self._sdk.call(
            "list",
            lambda s3: s3.list_objects_v2(Bucket=self._sdk.bucket, Prefix=prefix, MaxKeys=PAGE, **place),
        )
        rows = [
            Row(row["Key"], row.get("Size"), row.get("LastModified"))
            for row in page.get("Contents", [])
            if row.get("Key", "").startswith(prefix)
        ]
        if not page.get("IsTruncated"):
            return rows, None
        if token := page.get("NextContinuationToken"):
            return rows, {"ContinuationToken": token}
        return rows, {"StartAfter": rows[-1].name} if rows else place


class S3Uploads(UnfinishedUploads):
    """Find and abort unfinished uploads. ``ListMultipartUploads``, ``AbortMultipartUpload``, ``UploadPart``."""

    _sdk: S3Sdk

    def _page(self, prefix: str, place: Place) -> tuple[list[Upload], Place | None]:
        page = self._send(
            lambda s3: s3.list_multipart_uploads(
                Bucket=self._sdk.bucket, Prefix=prefix, EncodingType="url", **place
            ),
        )
        rows = page.get("Uploads", [])
        decode = _decoded if page.get("EncodingType") == "url" else str
        uploads = [
            Upload(decode(row.get("Key", "")), row.get("UploadId", ""), row.get("Initiated")) for row in rows
        ]
        if not page.get("IsTruncated"):
            return uploads, None
        if marker := page.get("NextKeyMarker"):
            upload_id = page.get("NextUploadIdMarker")
        elif uploads:
            marker, upload_id = uploads[-1].name, uploads[-1].id
        else:
            return uploads, place
        following = {"KeyMarker": decode(marker), "UploadIdMarker": upload_id}
        return uploads, {name: value for name, value in following.items() if value}

    def _end(self, upload: Upload) -> None:
        self._send(
            lambda s3: s3.abort_multipart_upload(Bucket=self._sdk.bucket, Key=upload.name, UploadId=upload.id)
        )

    def _try_part(self, upload: Upload) -> ErrorResponse | None:
        return self._sdk.refusal(
            lambda s3: s3.upload_part(
                Bucket=self._sdk.bucket, Key=upload.name, UploadId=upload.id, PartNumber=2, Body=b"-"
            )
        )


class S3Locks(Locks):
    """S3 Object Lock: ``PutObjectRetention``, ``PutObjectLegalHold``, ``HeadObject``, ``GetObjectLockConfiguration``."""

    _sdk: S3Sdk
    _advice = "make a bucket with Object Lock switched on"

    def retain(self, key: str, mode: LockMode, until: datetime) -> None:
        """Lock an object until a time. ``PutObjectRetention``."""
        retention = {"Mode": mode.upper(), "RetainUntilDate": until.replace(microsecond=0)}
        self._lock(key, lambda s3: s3.put_object_retention(**self._object(key), Retention=retention))

    def hold(self, key: str) -> None:
        """Set a legal hold. ``PutObjectLegalHold``."""
        self._lock(key, lambda s3: s3.put_object_legal_hold(**self._object(key), LegalHold={"Status": "ON"}))

    def _ends(self, key: str) -> list[datetime | None]:
        """Return the ends of hold and retention. ``HeadObject``; S3 shows them only with the right to read them."""
        head = self._look(key, lambda s3: s3.head_object(**self._object(key)))
        held = head.get("ObjectLockLegalHoldStatus") == "ON"
        return [HELD if held else None, head.get("ObjectLockRetainUntilDate")]

    def _is_lockable(self) -> bool:
        """Return whether the bucket has Object Lock. ``GetObjectLockConfiguration``."""
        found = self._look("", lambda s3: s3.get_object_lock_configuration(Bucket=self._sdk.bucket))
        return (found.get("ObjectLockConfiguration") or {}).get("ObjectLockEnabled") == "Enabled"

    def _object(self, key: str) -> dict[str, str]:
        return {"Bucket": self._sdk.bucket, "Key": self._root + key}


class _Provider:
    """The component of a botocore session that loads credentials."""

    def __init__(self, keys: KeysProvider) -> None:
        self._keys = keys

    def load_credentials(self) -> Any:
        """Return credentials that are asked for at each request, as an upload may outlive a session token."""
        from botocore.credentials import Credentials  # noqa: PLC0415 - optional

        keys = self._keys

        class Current(Credentials):  # type: ignore[misc]  # botocore has no types
            def get_frozen_credentials(self) -> Any:
                now = keys()
                return Credentials(now.access_key, now.secret_key, now.session_token).get_frozen_credentials()

        return Current("-", "-")


def _make_readable(response_dict: dict[str, Any], operation_model: Any, **_: Any) -> None:
    """Make a list readable for botocore, which takes other documents for empty lists and fails at odd characters.

    Raises:
        ArchiveUnavailableError: it is no such list (retryable).
    """
    text = response_dict["body"].decode(errors="replace")
    is_list = re.search(rf"<(?:\w+:)?{_LISTS[operation_model.name]}[\s>]", text) and "<!DOCTYPE" not in text
    if is_list and response_dict["status_code"] == _UNREADABLE:
        response_dict["status_code"] = 200
    if response_dict["status_code"] >= 300:  # noqa: PLR2004 - HTTP's
        return
    if not is_list:
        raise ArchiveUnavailableError("the store did not list what it holds")
    text = _ILLEGAL.sub(_legal, text)
    response_dict["body"] = re.sub(r"(?i)(<IsTruncated>)\s*true\s*<", r"\1true<", text).encode()


def _refuse_redirect(response_dict: dict[str, Any], **_: Any) -> None:
    """Refuse to be sent to another address: credentials go nowhere but where the connection says."""
    if 300 <= response_dict["status_code"] < 400:  # noqa: PLR2004 - HTTP's
        found = re.search(rb"<Code>([\w.]{1,64})</Code>", response_dict["body"] or b"")
        raise FailedRequestError(
            ErrorResponse(response_dict["status_code"], found[1].decode() if found else None)
        )


def _legal(found: re.Match[str]) -> str:
    """Return a reference to a character that XML can hold as it is; no key of ours holds any other."""
    text = found[0]
    number = -1
    if text.startswith("&#"):
        number = int(text[3:-1], 16) if text[2] == "x" else int(text[2:-1])
    legal = 0 <= number <= sys.maxunicode and (chr(number).isprintable() or chr(number) in "\t\n\r")
    return text if legal else _UNKNOWN


def _add_md5(params: dict[str, Any], **_: Any) -> None:
    """Add the older checksum of a lock's document, without which some servers refuse it."""
    body = params["body"] if isinstance(params["body"], bytes) else params["body"].encode()
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()


def _decoded(name: str) -> str:
    return unquote(name, errors="replace")
