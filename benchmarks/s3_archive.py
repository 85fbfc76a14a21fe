"""An S3 server with an archive of any size, in a process of its own: ``python -m benchmarks.s3_archive COURSES COPIES``.

So many copies of each course, of weeks in a row. Pages of the listing and manifests are made up as they are asked for; what is
written, the index and documents of runs, is kept. ``GET /counts`` tells how often it was asked for what; ``GET /week`` adds a
copy to each course.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

from benchmarks.http_server import Line, Reply, Request, Server
from benchmarks.s3_sink import BUCKET, Sink
from canvas_exports.core.storage.store import ObjectInfo

FIRST = 1_000_001
_PAGE = 1000
_MOST_COPIES = 1000
_MANIFEST_SIZE = 1500
_ROOT = "canvas/"
NEWEST = datetime(2026, 11, 22, 2, tzinfo=timezone.utc)
_SIZE = 52_827_104


class Archive(Sink):
    """What the server knows.

    Args:
        courses: how many.
        copies: of each of them, the last made at ``NEWEST``.
    """

    kept = 8 * 1024 * 1024  # of the index, and of reports

    def __init__(self, courses: int, copies: int) -> None:
        super().__init__()
        self._courses, self._copies, self._first = courses, copies, NEWEST - timedelta(weeks=copies - 1)
        self.counts: Counter[str] = Counter()

    def answer(self, request: Request) -> Reply:
        """One request."""
        parts = urlsplit(request.target)
        if parts.path == "/counts":
            return Reply(200, {"Content-Type": "application/json"}, json.dumps(self.counts).encode())
        if parts.path == "/week":
            self._copies += 1
            return Reply(200, {"Content-Type": "text/plain"}, b"")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if "list-type" in query:
            self.counts["listings"] += 1
            return self._list(query["prefix"].removeprefix(_ROOT), int(query.get("continuation-token", 0)))
        key = parts.path.removeprefix(f"/{BUCKET}/{_ROOT}")
        if request.method == "GET" and key.startswith("courses/"):
            self.counts["manifests"] += 1
            return Reply(200, _HEADERS, manifest_document(key))
        self.counts[f"index {request.method}"] += 1
        return super().answer(request)

    def _list(self, prefix: str, start: int) -> Reply:
        if prefix == "courses/":
            last = self._courses * self._copies * 2  # a package and its manifest each
            stop = min(start + _PAGE, last)
            rows = "".join(_row(at, self._copies, self._first) for at in range(start, stop))
            more = f"<NextContinuationToken>{stop}</NextContinuationToken>" if stop < last else ""
        else:
            start, more = 0, ""
            with self._lock:
                found = {name.removeprefix(f"/{BUCKET}/"): stored for name, stored in self._objects.items()}
            rows = "".join(
                _entry(name, stored.size, NEWEST)
                for name, stored in sorted(found.items())
                if name.startswith(_ROOT + prefix)
            )
        body = f"<ListBucketResult><IsTruncated>{'true' if more else 'false'}</IsTruncated>{more}{rows}</ListBucketResult>"
        return Reply(200, {"Content-Type": "application/xml"}, body.encode())


_HEADERS = {
    "ETag": '"0"',
    "Last-Modified": "Sun, 22 Nov 2026 02:05:00 GMT",
    "Content-Type": "application/json",
}


def _row(at: int, copies: int, first: datetime) -> str:
    """The object at a place in the listing."""
    course, rest = divmod(at, copies * 2)
    copy, is_manifest = divmod(rest, 2)
    created = first + timedelta(weeks=copy)
    stem = _stem(FIRST + course, copy, created)
    if is_manifest:
        return _entry(f"{_ROOT}{stem}.json", _MANIFEST_SIZE, created)
    return _entry(f"{_ROOT}{stem}.imscc", _SIZE, created)


def _stem(course: int, copy: int, created: datetime) -> str:
    return f"courses/{course}/{created:%Y%m%dT%H%M%SZ}-common_cartridge-{course * _MOST_COPIES + copy}"


def listed_manifests(courses: int, copies: int) -> Iterator[tuple[str, ObjectInfo]]:
    """The manifests of an archive of that size, as its listing shows them."""
    for course in range(FIRST, FIRST + courses):
        for copy in range(copies):
            created = NEWEST - timedelta(weeks=copies - 1 - copy)
            key = f"{_stem(course, copy, created)}.json"
            yield key, ObjectInfo(key, _MANIFEST_SIZE, created)


def _entry(key: str, size: int, modified: datetime) -> str:
    return (
        f"<Contents><Key>{key}</Key><LastModified>{modified:%Y-%m-%dT%H:%M:%S}.000Z</LastModified>"
        f'<ETag>"0"</ETag><Size>{size}</Size></Contents>'
    )


def manifest_document(key: str) -> bytes:
    """Of the package beside it. One course in fifty is incomplete."""
    _, course, name = key.split("/")
    created, export_type, number = name.removesuffix(".json").split("-")
    moment = datetime.strptime(created, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    digest = f"{int(number):064x}"
    document = {
        "schema": "urn:canvas-exports:manifest:1",
        "context": {
            "kind": "course",
            "id": int(course),
            "name": f"Introduction to the Study of Subject {course}",
            "course_code": f"SUBJ-{course}",
            "sis_id": f"2026-FALL-{course}",
            "uuid": f"{int(course):040x}",
            "account_id": 1,
            "term": "Fall 2026",
        },
        "export": {
            "id": int(number),
            "type": export_type,
            "created_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "canvas_host": "canvas.example.edu",
            "user_id": 1,
            "finished_at": None,
            "select": None,
        },
        "package": {
            "key": key.removesuffix("json") + "imscc",
            "size": _SIZE,
            "sha256": digest,
            "content_digest": digest[::-1],
            "member_count": 29,
            "media_type": "application/zip",
        },
        "proof": {
            "level": "directory",
            "verdict": "whole" if int(course) % 50 else "incomplete",
            "findings": [],
            "counts": {"files": 29, "folders": 10, "bytes": 64_587_000, "references": 29, "missing": 0},
            "never_held": ["enrolments", "submissions and grades"],
        },
        "run": {
            "software": "canvas_exports 0.1.0",
            "dag_id": "canvas_backup_weekly",
            "run_id": f"scheduled__{moment:%Y-%m-%d}",
            "task_id": "export",
            "map_index": 0,
            "attempt": 1,
        },
        "stored_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
    }
    return json.dumps(document, indent=2).encode()


def main() -> None:
    """Print the address, and serve until the standard input ends."""
    line, (courses, copies) = Line.parse("courses", "copies")
    Server(line, Archive(int(courses), int(copies)).answer).run()


if __name__ == "__main__":
    main()
