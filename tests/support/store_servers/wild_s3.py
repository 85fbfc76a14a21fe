"""An S3 over HTTP with the habits that S3-compatible stores have in the wild, and that no emulator has.

One bucket in memory, addressed by path or by host name. It checks every signature's presence, conditions, ranges, parts,
and answers what it does not know with 501. What it does otherwise than Amazon is said when it is made, in ``Habits``, or
for single requests by ``fault``.
"""

from __future__ import annotations

import hashlib
import html
import re
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

Fault = tuple[int, str]
"""Status and code of a refusal."""

CHANGES_A_SECOND = 1
_HICCUPS = (
    (503, "SlowDown"),
    (429, "TooManyRequests"),
    (409, "OperationAborted"),
    (400, "RequestTimeout"),
)


@dataclass
class Habits:
    """In what the server differs from Amazon.

    Attributes:
        condition: what becomes of ``If-None-Match: *``: honoured; refused with 501 as Backblaze B2 does, or with 400; or not
            even looked at.
        conflicts: so many conditional requests are answered 409 ``ConditionalRequestConflict`` before one is carried out.
        one_change_a_second: an object that was changed within the last second is answered 429, as on Google's.
        encodes_names: honours ``encoding-type=url``; without it, names in lists are as XML can hold them.
        page: objects or uploads in one page of a list.
        tells_marker: a list that goes on says where.
        tells_initiated: in the list of uploads: when each began; ``None``: not at all, a text: that instead of a date.
        abort: what an abort of an upload is answered with; ``None``: it is carried out.
        virtual_only: a bucket is addressed by host name alone.
        lists: rewrites the document of each list before it is sent.
        bears_etag: answers to requests that store bear an ``ETag``.
        sees_late: an object is found by the so manieth look-up or reading after it was stored.
        refuses_each: every so manieth request is refused once, in turn as one that is too slow, too early or too many is.
    """

    condition: Literal["honoured", "501", "400", "ignored"] = "honoured"
    conflicts: int = 0
    one_change_a_second: bool = False
    encodes_names: bool = True
    page: int = 1000
    tells_marker: bool = True
    tells_initiated: str | None = "date"
    abort: Fault | None = None
    virtual_only: bool = False
    lists: Callable[[str], str] = str
    bears_etag: bool = True
    sees_late: int = 1
    refuses_each: int | None = None


@dataclass
class Thing:
    data: bytes
    modified: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    looks: int = 0

    @property
    def etag(self) -> str:
        return _etag(self.data)


@dataclass
class Unfinished:
    name: str
    initiated: datetime
    parts: dict[int, bytes] = field(default_factory=dict)


class RefusedError(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class WildS3:
    """The server. ``seen``: verb, name and query of every request; ``fault``: may refuse one."""

    def __init__(self, bucket: str, habits: Habits | None = None) -> None:
        self.bucket, self.habits = bucket, habits or Habits()
        self.things: dict[str, Thing] = {}
        self.uploads: dict[str, Unfinished] = {}
        self.changed: dict[str, float] = {}
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.hosts: set[str] = set()
        self.fault: Callable[[str, str, dict[str, str]], Fault | None] = lambda *_: None
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.wild = self  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self.named_endpoint = f"http://localhost:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def change(self, name: str, data: bytes | None) -> None:
        """Store an object, or delete it."""
        now = time.monotonic()
        last = self.changed.get(name)
        if self.habits.one_change_a_second and last is not None and now - last < CHANGES_A_SECOND:
            raise RefusedError(429, "rateLimitExceeded")
        if data is None:
            if self.things.pop(name, None) is not None:
                self.changed[name] = now
            return
        self.changed[name] = now
        self.things[name] = Thing(data)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with suppress(ConnectionError):  # a client that has heard enough hangs up
            super().handle()

    def _answer(self) -> None:
        self.wild: WildS3 = self.server.wild  # type: ignore[attr-defined]
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length or 0))
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        try:
            name = self._name(url.path)
            with self.wild.lock:
                self.wild.seen.append((self.command, name, query))
                self._admit(name, query)
                self._do(name, {key: query[key] for key in query if not key.startswith("X-Amz-")}, body)
        except RefusedError as error:
            with suppress(ConnectionError):
                self._send(error.status, f"<Error><Code>{error.code}</Code></Error>".encode())

    def _admit(self, name: str, query: dict[str, str]) -> None:
        self._hiccup()
        fault = self.wild.fault(self.command, name, query)
        if fault is not None:
            raise RefusedError(*fault)
        signed = self.headers.get("Authorization", "") + query.get("X-Amz-Algorithm", "")
        if "AWS4-HMAC-SHA256" not in signed:
            raise RefusedError(403, "AccessDenied")

    def _hiccup(self) -> None:
        each, count = self.wild.habits.refuses_each, len(self.wild.seen)
        if each is not None and count % each == 0:
            refusals = _HICCUPS if self.command != "HEAD" else _HICCUPS[:2]  # whose answers have no code
            raise RefusedError(*refusals[count // each % len(refusals)])

    def _name(self, path: str) -> str:
        """The object's name: after the bucket in the path, or all of it where the host names the bucket."""
        host = self.headers["Host"].partition(":")[0]
        self.wild.hosts.add(host)
        if host.startswith(f"{self.wild.bucket}."):
            return unquote(path[1:])
        bucket, _, name = path[1:].partition("/")
        if self.wild.habits.virtual_only or bucket != self.wild.bucket:
            raise RefusedError(404, "NoSuchBucket")
        return unquote(name)

    def _do(self, name: str, query: dict[str, str], body: bytes) -> None:
        match self.command, sorted(query):
            case "GET", [*asked] if not name and "uploads" in asked:
                self._list_uploads(query)
            case "GET", _ if not name and query.get("list-type") == "2":
                self._list(query)
            case "GET" | "HEAD", []:
                self._read(name)
            case "PUT", []:
                self._heed_condition(name)
                self.wild.change(name, body)
                self._send(200, b"", ETag=self.wild.things[name].etag)
            case "POST", ["uploads"]:
                number = uuid.uuid4().hex
                self.wild.uploads[number] = Unfinished(name, datetime.now(timezone.utc))
                self._send(200, _document("InitiateMultipartUploadResult", f"<UploadId>{number}</UploadId>"))
            case "PUT", ["partNumber", "uploadId"]:
                self._upload(query).parts[int(query["partNumber"])] = body
                self._send(200, b"", ETag=_etag(body))
            case "POST", ["uploadId"]:
                self._complete(name, query, body)
            case "DELETE", ["uploadId"]:
                self._upload(query)
                if self.wild.habits.abort is not None:
                    raise RefusedError(*self.wild.habits.abort)
                del self.wild.uploads[query["uploadId"]]
                self._send(204, b"")
            case "DELETE", []:
                self.wild.change(name, None)
                self._send(204, b"")
            case _:
                raise RefusedError(501, "NotImplemented")

    def _heed_condition(self, name: str) -> None:
        habits = self.wild.habits
        if self.headers.get("If-None-Match") is None or habits.condition == "ignored":
            return
        if habits.condition == "501":
            raise RefusedError(501, "NotImplemented")
        if habits.condition == "400":
            raise RefusedError(400, "InvalidArgument")
        if habits.conflicts:
            habits.conflicts -= 1
            raise RefusedError(409, "ConditionalRequestConflict")
        if name in self.wild.things:
            raise RefusedError(412, "PreconditionFailed")

    def _complete(self, name: str, query: dict[str, str], body: bytes) -> None:
        upload = self._upload(query)
        numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)]
        tags = [html.unescape(tag.decode()) for tag in re.findall(rb"<ETag>(.*?)</ETag>", body)]
        parts = [upload.parts.get(number, b"") for number in numbers]
        if not parts or tags != [_etag(part) for part in parts]:
            raise RefusedError(400, "InvalidPart")
        self.wild.change(name, b"".join(parts))
        del self.wild.uploads[query["uploadId"]]
        self._send(200, _document("CompleteMultipartUploadResult", f"<ETag>{_etag(b'')}</ETag>"))

    def _read(self, name: str) -> None:
        thing = self.wild.things.get(name)
        if thing is not None:
            thing.looks += 1
        if thing is None or thing.looks < self.wild.habits.sees_late:
            raise RefusedError(404, "NoSuchKey")
        told = {"ETag": thing.etag, "Last-Modified": format_datetime(thing.modified, usegmt=True)}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted is None:
            self._send(200, thing.data, **told)
            return
        first = int(wanted[1])
        last = min(int(wanted[2] or len(thing.data) - 1), len(thing.data) - 1)
        if first > last:
            raise RefusedError(416, "InvalidRange")
        told["Content-Range"] = f"bytes {first}-{last}/{len(thing.data)}"
        self._send(206, thing.data[first : last + 1], **told)

    def _list(self, query: dict[str, str]) -> None:
        after = query.get("continuation-token") or query.get("start-after") or ""
        names = sorted(
            (
                name
                for name in self.wild.things
                if name.startswith(query.get("prefix", "")) and name.encode() > after.encode()
            ),
            key=str.encode,
        )
        page = self.wild.habits.page
        rows = "".join(
            f"<Contents><Key>{self._written(name, query)}</Key>"
            f"<LastModified>{_moment(self.wild.things[name].modified)}</LastModified>"
            f"<ETag>{self.wild.things[name].etag}</ETag><Size>{len(self.wild.things[name].data)}</Size></Contents>"
            for name in names[:page]
        )
        more = len(names) > page
        token = (
            f"<NextContinuationToken>{html.escape(names[page - 1])}</NextContinuationToken>" if more else ""
        )
        self._send_list("ListBucketResult", query, more, token, rows)

    def _list_uploads(self, query: dict[str, str]) -> None:
        habits, after = self.wild.habits, (query.get("key-marker", ""), query.get("upload-id-marker", "~"))
        found = sorted(
            (upload.name, number)
            for number, upload in self.wild.uploads.items()
            if upload.name.startswith(query.get("prefix", "")) and (upload.name, number) > after
        )
        rows = ""
        for name, number in found[: habits.page]:
            told = habits.tells_initiated
            began = _moment(self.wild.uploads[number].initiated) if told == "date" else told
            initiated = "" if began is None else f"<Initiated>{began}</Initiated>"
            rows += f"<Upload><Key>{self._written(name, query)}</Key><UploadId>{number}</UploadId>{initiated}</Upload>"
        more = len(found) > habits.page
        marker = ""
        if more:
            name, number = found[habits.page - 1]
            marker = f"<NextKeyMarker>{name}</NextKeyMarker><NextUploadIdMarker>{number}</NextUploadIdMarker>"
        self._send_list("ListMultipartUploadsResult", query, more, marker, rows)

    def _send_list(self, kind: str, query: dict[str, str], more: bool, marker: str, rows: str) -> None:
        habits = self.wild.habits
        encoded = (
            "<EncodingType>url</EncodingType>" if habits.encodes_names and "encoding-type" in query else ""
        )
        text = f"<IsTruncated>{str(more).lower()}</IsTruncated>{marker if habits.tells_marker else ''}"
        self._send(200, _document(kind, habits.lists(encoded + text + rows)))

    def _written(self, name: str, query: dict[str, str]) -> str:
        if self.wild.habits.encodes_names and "encoding-type" in query:
            return quote(name)
        return "".join(each if each >= " " else f"&#x{ord(each):x};" for each in html.escape(name))

    def _upload(self, query: dict[str, str]) -> Unfinished:
        upload = self.wild.uploads.get(query["uploadId"])
        if upload is None:
            raise RefusedError(404, "NoSuchUpload")
        return upload

    def _send(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        if self.command == "PUT" and not self.wild.habits.bears_etag:
            headers.pop("ETag", None)
        for header, value in headers.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def _moment(time: datetime) -> str:
    return f"{time.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _document(kind: str, text: str) -> bytes:
    return f"<?xml version='1.0' encoding='UTF-8'?><{kind}>{text}</{kind}>".encode()


def yesterday() -> datetime:
    return datetime.now(timezone.utc) - timedelta(days=1)
