"""An S3 server that throws large bodies away, in a process of its own: ``python -m benchmarks.s3_sink``.

It speaks what an upload of packages and manifests needs, so that the client is what is measured: put and get an object,
look one up, list none; begin a multipart upload, take parts, complete it, abort it. Of a large object, and of one that
came in parts, it knows the size alone. The entity tag of an object that came whole is its MD5, as Amazon's is, up to a
mebibyte. Signatures are not checked.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import md5, sha256
from urllib.parse import parse_qs, urlsplit

from benchmarks.http_server import Line, Reply, Request, Server

BUCKET = "sink"
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass
class Stored:
    """An object: its size, and its bytes if it is small."""

    size: int
    etag: str
    data: bytes | None = None
    modified: str = field(default_factory=lambda: formatdate(usegmt=True))


class Sink:
    """What the server knows, shared by its threads."""

    digested = 1024 * 1024  # bytes of an object whose tag is its MD5; a larger one is only counted
    kept = 64 * 1024  # bytes of an object that is kept

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, Stored] = {}
        self._uploads: dict[str, dict[int, int]] = {}
        self._numbers = itertools.count(1)

    def answer(self, request: Request) -> Reply:
        """One request."""
        parts = urlsplit(request.target)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        match request.method:
            case "PUT":
                return self._put(request, parts.path, query)
            case "POST":
                return self._post(request, parts.path, query)
            case "DELETE":
                return self._delete(parts.path, query)
            case "HEAD":
                return self._head(parts.path)
        return self._get(parts.path, query)

    def _put(self, request: Request, path: str, query: dict[str, str]) -> Reply:
        """An object, or a part of one."""
        data = None
        most = max(self.digested, self.kept)
        if int(request.headers.get("content-length", most + 1)) <= most:
            data = request.take()
            size, etag = len(data), f'"{md5(data, usedforsecurity=False).hexdigest()}"'
        else:
            size = request.drain()
            etag = f'"{size:032x}"'
        with self._lock:
            if "partNumber" in query:
                parts = self._uploads.get(query["uploadId"])
                if parts is None:
                    return _xml(404, "<Error><Code>NoSuchUpload</Code></Error>")
                parts[int(query["partNumber"])] = size
            elif request.headers.get("if-none-match") == "*" and path in self._objects:
                return _xml(412, "<Error><Code>PreconditionFailed</Code></Error>")
            else:
                self._objects[path] = Stored(size, etag, data if size <= self.kept else None)
        return Reply(200, {"ETag": etag})

    def _post(self, request: Request, path: str, query: dict[str, str]) -> Reply:
        """Begin or complete an upload in parts."""
        request.take()
        place = f"<Bucket>{BUCKET}</Bucket><Key>{path.removeprefix(f'/{BUCKET}/')}</Key>"
        with self._lock:
            if "uploads" in query:
                upload = f"upload-{next(self._numbers)}"
                self._uploads[upload] = {}
                inner = f"{place}<UploadId>{upload}</UploadId>"
                return _xml(200, f"<InitiateMultipartUploadResult>{inner}</InitiateMultipartUploadResult>")
            parts = self._uploads.pop(query.get("uploadId", ""), None)
            if parts is None:
                return _xml(404, "<Error><Code>NoSuchUpload</Code></Error>")
            etag = f'"{sha256(path.encode()).hexdigest()[:32]}-{len(parts)}"'
            self._objects[path] = Stored(sum(parts.values()), etag)
        result = f"{place}<ETag>{etag}</ETag>"
        return _xml(200, f"<CompleteMultipartUploadResult>{result}</CompleteMultipartUploadResult>")

    def _get(self, path: str, query: dict[str, str]) -> Reply:
        """A small object whole; a listing is always empty."""
        if "list-type" in query or "uploads" in query or path.strip("/") == BUCKET:
            name = "ListMultipartUploadsResult" if "uploads" in query else "ListBucketResult"
            return _xml(200, f"<{name}><IsTruncated>false</IsTruncated></{name}>")
        with self._lock:
            found = self._objects.get(path)
        if found is None or found.data is None:
            return _xml(404, "<Error><Code>NoSuchKey</Code></Error>")
        return Reply(200, {"ETag": found.etag, "Last-Modified": found.modified}, found.data)

    def _head(self, path: str) -> Reply:
        """Size and date of an object."""
        with self._lock:
            found = self._objects.get(path)
        if found is None:
            return Reply(404)
        return Reply(200, {"ETag": found.etag, "Last-Modified": found.modified}, length=found.size)

    def _delete(self, path: str, query: dict[str, str]) -> Reply:
        """Remove an object, or abort an upload."""
        with self._lock:
            if "uploadId" in query:
                self._uploads.pop(query["uploadId"], None)
            else:
                self._objects.pop(path, None)
        return Reply(204)


def _xml(status: int, inner: str) -> Reply:
    return Reply(status, {"Content-Type": "application/xml"}, (_XML + inner).encode())


def main() -> None:
    """Print the address, and serve until the standard input ends."""
    line, _ = Line.parse()
    Server(line, Sink().answer).run()


if __name__ == "__main__":
    main()
