"""A Canvas and its storage in a process of its own: ``python -m benchmarks.source FILE``.

Its one course has an export for every POST, finished at once; the package of each is the file. The download leads from
Canvas to the storage of another host by a redirect, as Canvas's does. Storage resumes, answers ranges and has an ETag.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.http_server import Line, Reply, Request, Server
from benchmarks.package import COURSE

TOKEN = "benchmark"  # noqa: S105 - of a Canvas that lets everybody in
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Source:
    """Answers as Canvas, and as its storage under the name ``localhost``."""

    def __init__(self, file: str) -> None:
        self.size = Path(file).stat().st_size
        self.etag = f'"{self.size:032x}"'
        self.origin = ""
        self._numbers = itertools.count(1)

    def answer(self, request: Request) -> Reply:
        """One request."""
        path = urlsplit(request.target).path
        if request.method == "POST":
            request.drain()
            return self._document(self._export(next(self._numbers)))
        if path.startswith("/storage/"):
            return self._stored(request)
        if path.startswith("/files/"):
            storage = self.origin.replace("127.0.0.1", "localhost")
            return Reply(302, {"Location": f"{storage}/storage/package.imscc?signature=benchmark"})
        if "/content_exports/" in path:
            return self._document(self._export(int(path.rpartition("/")[2])))
        return self._document({"id": COURSE, "name": "Benchmark", "course_code": "BENCH-1", "account_id": 1})

    def _document(self, document: object) -> Reply:
        body = json.dumps(document).encode()
        return Reply(
            200, {"Content-Type": "application/json; charset=utf-8", "Date": formatdate(usegmt=True)}, body
        )

    def _export(self, number: int) -> dict[str, object]:
        return {
            "id": number,
            "user_id": 1,
            "created_at": "2026-11-23T02:00:00Z",
            "export_type": "common_cartridge",
            "workflow_state": "exported",
            "course_id": COURSE,
            "attachment": {
                "id": number,
                "filename": "bench-1-export.imscc",
                "size": self.size,
                "url": f"{self.origin}/files/{number}/download?verifier=benchmark",
            },
        }

    def _stored(self, request: Request) -> Reply:
        headers = {"ETag": self.etag, "Accept-Ranges": "bytes", "Content-Type": "application/zip"}
        if request.method == "HEAD":
            return Reply(200, headers, length=self.size)
        found = _RANGE.fullmatch(request.headers.get("range", ""))
        if found is None or request.headers.get("if-range", self.etag) != self.etag:
            return Reply(200, headers, part=range(self.size))
        first, last = int(found[1]), min(int(found[2] or self.size), self.size - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{self.size}"
        return Reply(206, headers, part=range(first, last + 1))


def main() -> None:
    """Serve the file until the standard input ends."""
    line, (file,) = Line.parse("file")
    source = Source(os.fspath(file))
    server = Server(line, source.answer, file)
    source.origin = server.origin
    server.run(token=TOKEN, courses=[COURSE], bytes=source.size)


if __name__ == "__main__":
    main()
