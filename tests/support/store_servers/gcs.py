"""A Google Cloud Storage over HTTP, as far as obstore and the stores use it: Google's XML API and a little of its JSON API.

There is no emulator that speaks the XML API's uploads in parts and honours preconditions, so here is a strict one. It
checks every token and every signature, refuses small parts and unknown uploads, honours
``x-goog-if-generation-match``, ranges, retention and holds, and answers what it does not know with 501.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

EMAIL = "backup@campus.iam.gserviceaccount.com"
SMALLEST_PART = 5 * 1024 * 1024
PAGE = 1000
_HOST = "storage.googleapis.com"  # what Google's signatures are for, whichever way the request came


@lru_cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def service_account(endpoint: str = "https://oauth2.googleapis.com") -> str:
    """A service account key as Google hands it out; tokens come from the endpoint."""
    pem = private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "type": "service_account",
            "client_email": EMAIL,
            "private_key": pem.decode(),
            "private_key_id": "k1",
            "token_uri": f"{endpoint}/token",
        }
    )


@dataclass
class Blob:
    data: bytes
    headers: dict[str, str]
    generation: int
    modified: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    retention: dict[str, str] = field(default_factory=dict)
    held: bool = False

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.data, usedforsecurity=False).hexdigest()}"'

    def locked_by(self) -> str | None:
        """The code with which Google refuses to delete or replace it."""
        if self.held:
            return "ObjectUnderActiveHold"
        until = self.retention.get("retainUntilTime")
        if until and datetime.fromisoformat(until.replace("Z", "+00:00")) > datetime.now(timezone.utc):
            return "RetentionPolicyNotMet"
        return None


@dataclass
class Upload:
    name: str
    headers: dict[str, str]
    initiated: datetime
    parts: dict[int, bytes] = field(default_factory=dict)


class GcsServer:
    """One bucket in memory. ``lockable``: whether object retention is enabled for it. ``seen``: every request."""

    def __init__(self, bucket: str, *, lockable: bool = True, one_change_a_second: bool = False) -> None:
        self.bucket, self.lockable = bucket, lockable
        self.one_change_a_second = one_change_a_second
        self.changed: dict[str, float] = {}
        self.blobs: dict[str, Blob] = {}
        self.uploads: dict[str, Upload] = {}
        self.lock = threading.Lock()
        self.generation = 1_700_000_000_000_000
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.gcs = self  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def store(self, name: str, data: bytes, headers: dict[str, str]) -> Blob:
        self.changing(name)
        self.generation += 1
        blob = self.blobs[name] = Blob(data, _kept(headers), self.generation)
        return blob

    def changing(self, name: str) -> None:
        """Google takes one change of an object a second, where it is told to be so strict."""
        now = time.monotonic()
        if self.one_change_a_second and now - self.changed.get(name, -1) < 1:
            raise _RefusedError(429, "rateLimitExceeded")
        self.changed[name] = now


class _RefusedError(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.gcs: GcsServer = self.server.gcs  # type: ignore[attr-defined]
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length") or 0))
        try:
            with self.gcs.lock:
                self.gcs.seen.append((self.command, self.path, headers))
                if url.path == "/token":
                    self._token(dict(parse_qsl(body.decode())))
                    return
                self._authorize(url.path, query, headers)
                if url.path.startswith("/storage/v1/b/"):
                    self._json(url.path.removeprefix("/storage/v1/b/"), query, body)
                    return
                self._xml(url.path, query, headers, body)
        except _RefusedError as error:
            with suppress(ConnectionError):
                text = f"<?xml version='1.0'?><Error><Code>{error.code}</Code></Error>"
                self._send(error.status, text.encode())

    def _authorize(self, path: str, query: dict[str, str], headers: dict[str, str]) -> None:
        if "X-Goog-Signature" in query:
            self._check_signature(path, dict(query))
            return
        kind, _, token = headers.get("authorization", "").partition(" ")
        try:
            claims = jwt.decode(token, private_key().public_key(), algorithms=["RS256"])
        except jwt.PyJWTError:
            raise _RefusedError(401, "AuthenticationRequired") from None
        if kind != "Bearer" or claims["iss"] != EMAIL or "auth/" not in claims.get("scope", ""):
            raise _RefusedError(403, "AccessDenied")

    def _token(self, form: dict[str, str]) -> None:
        """An access token for one that the account has signed for itself."""
        jwt.decode(
            form["assertion"], private_key().public_key(), algorithms=["RS256"], options={"verify_aud": False}
        )
        claims = {"iss": EMAIL, "scope": "https://www.googleapis.com/auth/cloud-platform"}
        token = jwt.encode(claims, private_key(), algorithm="RS256")
        self._send(200, json.dumps({"access_token": token, "expires_in": 3600}).encode())

    def _check_signature(self, path: str, query: dict[str, str]) -> None:
        """Google's V4 signatures, of which every parameter and the expiry are part."""
        signature = bytes.fromhex(query.pop("X-Goog-Signature"))
        signed_at = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        if datetime.now(timezone.utc) >= signed_at + timedelta(seconds=int(query["X-Goog-Expires"])):
            raise _RefusedError(400, "ExpiredToken")
        line = "&".join(f"{quote(name, '')}={quote(value, '')}" for name, value in sorted(query.items()))
        request = f"{self.command}\n{path}\n{line}\nhost:{_HOST}\n\nhost\nUNSIGNED-PAYLOAD"
        scope = query["X-Goog-Credential"].partition("/")[2]
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"GOOG4-RSA-SHA256\n{query['X-Goog-Date']}\n{scope}\n{digest}"
        try:
            private_key().public_key().verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise _RefusedError(403, "SignatureDoesNotMatch") from None

    def _xml(self, path: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        bucket, _, name = path[1:].partition("/")
        name = unquote(name)
        if unquote(bucket) != self.gcs.bucket:
            raise _RefusedError(404, "NoSuchBucket")
        asked = {parameter for parameter in query if not parameter.startswith("X-Goog-")}
        match self.command, sorted(asked):
            case "GET", ["uploads", *_] | ["prefix", "uploads"] if not name:
                self._list_uploads(query)
            case "GET" | "HEAD", []:
                self._read(name, headers)
            case "PUT", []:
                self._put(name, headers, body)
            case "POST", ["uploads"]:
                upload = uuid.uuid4().hex
                self.gcs.uploads[upload] = Upload(name, headers, datetime.now(timezone.utc))
                self._send(200, _document("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>"))
            case "PUT", ["partNumber", "uploadId"]:
                self._upload(name, query).parts[int(query["partNumber"])] = body
                self._send(200, b"", ETag=_etag(body))
            case "POST", ["uploadId"]:
                self._complete(name, query, body)
            case "DELETE", ["uploadId"]:
                self._upload(name, query)
                del self.gcs.uploads[query["uploadId"]]
                self._send(204, b"")
            case "DELETE", []:
                self._refuse_locked(self._blob(name))
                self.gcs.changing(name)
                del self.gcs.blobs[name]
                self._send(204, b"")
            case _:
                raise _RefusedError(501, "NotImplemented")

    def _put(self, name: str, headers: dict[str, str], body: bytes) -> None:
        found = self.gcs.blobs.get(name)
        wanted = headers.get("x-goog-if-generation-match")
        if wanted is not None and int(wanted) != (found.generation if found else 0):
            raise _RefusedError(412, "PreconditionFailed")
        self._refuse_locked(found)
        blob = self.gcs.store(name, body, headers)
        self._send(200, b"", ETag=blob.etag, **{"x-goog-generation": str(blob.generation)})

    def _complete(self, name: str, query: dict[str, str], body: bytes) -> None:
        upload = self._upload(name, query)
        text = body.decode()
        numbers = [int(number) for number in re.findall(r"<PartNumber>(\d+)</PartNumber>", text)]
        tags = [html.unescape(tag) for tag in re.findall(r"<ETag>(.*?)</ETag>", text)]
        parts = [upload.parts.get(number, b"") for number in numbers]
        if not parts or numbers != sorted(set(numbers)) or tags != [_etag(part) for part in parts]:
            raise _RefusedError(400, "InvalidPart")
        if any(len(part) < SMALLEST_PART for part in parts[:-1]):
            raise _RefusedError(400, "EntityTooSmall")
        self._refuse_locked(self.gcs.blobs.get(name))
        blob = self.gcs.store(name, b"".join(parts), upload.headers)
        del self.gcs.uploads[query["uploadId"]]
        told = f"<Bucket>{self.gcs.bucket}</Bucket><Key>{name}</Key><ETag>{blob.etag}</ETag>"
        self._send(
            200,
            _document("CompleteMultipartUploadResult", told),
            **{"x-goog-generation": str(blob.generation)},
        )

    def _read(self, name: str, headers: dict[str, str]) -> None:
        blob = self._blob(name)
        told = {
            "ETag": blob.etag,
            "Last-Modified": format_datetime(blob.modified, usegmt=True),
            "x-goog-generation": str(blob.generation),
            **blob.headers,
        }
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        if wanted is None:
            self._send(200, blob.data, **told)
            return
        first = int(wanted[1])
        last = min(int(wanted[2] or len(blob.data) - 1), len(blob.data) - 1)
        if first > last:
            raise _RefusedError(416, "InvalidRange")
        told["Content-Range"] = f"bytes {first}-{last}/{len(blob.data)}"
        self._send(206, blob.data[first : last + 1], **told)

    def _list_json(self, query: dict[str, str]) -> None:
        after = query.get("pageToken", "")
        names = sorted(
            name for name in self.gcs.blobs if name.startswith(query.get("prefix", "")) and name > after
        )
        items = [
            {
                "name": name,
                "size": str(len(self.gcs.blobs[name].data)),
                "updated": self.gcs.blobs[name]
                .modified.isoformat(timespec="milliseconds")
                .replace("+00:00", "Z"),
            }
            for name in names[:PAGE]
        ]
        more = {"nextPageToken": names[PAGE - 1]} if len(names) > PAGE else {}
        self._send(200, json.dumps({"items": items, **more}).encode())

    def _list_uploads(self, query: dict[str, str]) -> None:
        rows = "".join(
            f"<Upload><Key>{upload.name}</Key><UploadId>{number}</UploadId>"
            f"<Initiated>{upload.initiated.isoformat(timespec='milliseconds')[:23]}Z</Initiated></Upload>"
            for number, upload in self.gcs.uploads.items()
            if upload.name.startswith(query.get("prefix", ""))
        )
        self._send(200, _document("ListMultipartUploadsResult", f"<IsTruncated>false</IsTruncated>{rows}"))

    def _json(self, path: str, query: dict[str, str], body: bytes) -> None:
        bucket, _, name = path.removesuffix("/o").partition("/o/")
        if bucket != self.gcs.bucket:
            raise _RefusedError(404, "notFound")
        if path.endswith("/o"):
            self._list_json(query)
            return
        if not name:
            enabled: dict[str, Any] = {"objectRetention": {"mode": "Enabled"}} if self.gcs.lockable else {}
            self._send(200, json.dumps({"name": bucket, **enabled}).encode())
            return
        blob = self._blob(unquote(name))
        if self.command == "PATCH":
            change = json.loads(body)
            if "retention" in change:
                if not self.gcs.lockable:
                    raise _RefusedError(400, "invalid")
                if blob.retention.get("mode") == "Locked" and _is_shorter(change["retention"], blob):
                    raise _RefusedError(403, "forbidden")
                blob.retention = change["retention"]
            blob.held = change.get("temporaryHold", blob.held)
        elif self.command != "GET":
            raise _RefusedError(501, "NotImplemented")
        told = {"name": unquote(name), "temporaryHold": blob.held}
        self._send(200, json.dumps(told | ({"retention": blob.retention} if blob.retention else {})).encode())

    def _blob(self, name: str) -> Blob:
        if name not in self.gcs.blobs:
            raise _RefusedError(404, "NoSuchKey")
        return self.gcs.blobs[name]

    def _upload(self, name: str, query: dict[str, str]) -> Upload:
        upload = self.gcs.uploads.get(query["uploadId"])
        if upload is None or upload.name != name:
            raise _RefusedError(404, "NoSuchUpload")
        return upload

    def _refuse_locked(self, blob: Blob | None) -> None:
        if blob is not None and (code := blob.locked_by()) is not None:
            raise _RefusedError(403, code)

    def _send(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for header, value in headers.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = _answer  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def _kept(headers: dict[str, str]) -> dict[str, str]:
    names = ("content-type", "x-goog-storage-class", "x-goog-encryption-kms-key-name")
    kept = {name: headers[name] for name in names if name in headers}
    return {"x-goog-storage-class": "STANDARD", **kept}


def _is_shorter(retention: dict[str, str], blob: Blob) -> bool:
    return retention["retainUntilTime"] < blob.retention["retainUntilTime"]


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _document(kind: str, text: str) -> bytes:
    return f"<?xml version='1.0' encoding='UTF-8'?><{kind}>{text}</{kind}>".encode()
