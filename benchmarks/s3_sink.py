"""An S3 server that throws large bodies away, in a process of its own: ``python -m benchmarks.s3_sink``.

It speaks what an upload of packages and manifests needs, so that the client is what is measured: put and get an object,
look one up, list none; begin a multipart upload, take parts, complete it, abort it. Of an object that came in parts it
knows the size alone. Signatures are not checked.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BUCKET = "sink"
_KEPT = 1024 * 1024  # bytes of an object that are kept; a larger one is only counted
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass
class Stored:
    """An object: its size, and its bytes if it is small."""

    size: int
    data: bytes | None = None
    modified: str = field(default_factory=lambda: formatdate(usegmt=True))

    @property
    def etag(self) -> str:
        """Something that S3 would call an ETag."""
        return f'"{self.size:032x}"'


class Contents:
    """What the server knows, shared by its threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.objects: dict[str, Stored] = {}
        self.uploads: dict[str, dict[int, int]] = {}
        self.numbers = itertools.count(1)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    rbufsize = 1024 * 1024
    wbufsize = -1  # one packet for an answer, so that none waits for an acknowledgement
    contents: Contents

    def do_PUT(self) -> None:
        """An object, or a part of one."""
        path, query = self._target()
        size, data = self._body()
        if "partNumber" in query:
            with self.contents.lock:
                parts = self.contents.uploads.get(query["uploadId"])
                if parts is not None:
                    parts[int(query["partNumber"])] = size
            self._answer(200 if parts is not None else 404, headers={"ETag": f'"{size:032x}"'})
            return
        with self.contents.lock:
            if self.headers.get("If-None-Match") == "*" and path in self.contents.objects:
                status = 412
            else:
                status, self.contents.objects[path] = 200, Stored(size, data)
        self._answer(status, headers={"ETag": f'"{size:032x}"'})

    def do_POST(self) -> None:
        """Begin or complete an upload in parts."""
        path, query = self._target()
        self._body()
        if "uploads" in query:
            with self.contents.lock:
                upload = f"upload-{next(self.contents.numbers)}"
                self.contents.uploads[upload] = {}
            inner = f"<Bucket>{BUCKET}</Bucket><Key>{path}</Key><UploadId>{upload}</UploadId>"
            self._answer(200, f"<InitiateMultipartUploadResult>{inner}</InitiateMultipartUploadResult>")
            return
        with self.contents.lock:
            parts = self.contents.uploads.pop(query.get("uploadId", ""), None)
            if parts is not None:
                self.contents.objects[path] = Stored(sum(parts.values()))
        etag = hashlib.sha256(path.encode()).hexdigest()[:32]
        inner = f'<Bucket>{BUCKET}</Bucket><Key>{path}</Key><ETag>"{etag}"</ETag>'
        self._answer(
            200 if parts is not None else 404,
            f"<CompleteMultipartUploadResult>{inner}</CompleteMultipartUploadResult>",
        )

    def do_GET(self) -> None:
        """A small object whole; a listing is always empty."""
        path, query = self._target()
        if "list-type" in query or "uploads" in query:
            name = "ListBucketResult" if "list-type" in query else "ListMultipartUploadsResult"
            self._answer(200, f"<{name}><IsTruncated>false</IsTruncated></{name}>")
            return
        with self.contents.lock:
            found = self.contents.objects.get(path)
        if found is None or found.data is None:
            self._answer(404, "<Error><Code>NoSuchKey</Code></Error>")
            return
        headers = {"ETag": found.etag, "Last-Modified": found.modified}
        self._answer(200, headers=headers, body=found.data)

    def do_HEAD(self) -> None:
        """Size and date of an object."""
        path, _ = self._target()
        with self.contents.lock:
            found = self.contents.objects.get(path)
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(found.size if found else 0))
        if found is not None:
            self.send_header("ETag", found.etag)
            self.send_header("Last-Modified", found.modified)
        self.end_headers()

    def do_DELETE(self) -> None:
        """Remove an object, or abort an upload."""
        path, query = self._target()
        with self.contents.lock:
            if "uploadId" in query:
                self.contents.uploads.pop(query["uploadId"], None)
            else:
                self.contents.objects.pop(path, None)
        self._answer(204)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def _target(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        return parts.path, {name: values[0] for name, values in query.items()}

    def _body(self) -> tuple[int, bytes | None]:
        """Read the body; its size, and its bytes if they are few."""
        size = int(self.headers.get("Content-Length") or 0)
        if size <= _KEPT:
            return size, self.rfile.read(size)
        buffer, left = memoryview(bytearray(_KEPT)), size
        while left:
            count = self.rfile.readinto(buffer[: min(left, _KEPT)])
            if not count:
                raise ConnectionError("the client hung up")
            left -= count
        return size, None

    def _answer(
        self, status: int, xml: str = "", *, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> None:
        body = (_XML + xml).encode() if xml else body
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Print the address, and serve until the standard input ends."""
    Handler.contents = Contents()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f'{{"url": "http://127.0.0.1:{server.server_port}"}}\n')
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
