"""An S3 server with one large cartridge: ``python -m benchmarks.large_course GIB LAYOUT``.

The cartridge exists only as a description: the sandbox lays it out as Canvas does, its documents are kept, and every byte of its
films is made up when it is asked for. Nothing of it is stored, so its size costs nothing. ``GET /counts`` tells how many requests
were answered, and how many bytes of the package were sent.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from email.utils import formatdate
from urllib.parse import urlsplit

from benchmarks.http_server import Line, Reply, Request, Server
from benchmarks.s3_sink import BUCKET
from canvas_sandbox.content.model import Content, Item, Kind
from canvas_sandbox.exports.cartridge_package import Cartridge
from canvas_sandbox.exports.package_spec import PackageSpec
from canvas_sandbox.packages.virtual_file import VirtualFile
from canvas_sandbox.packages.zip_layout import Member, lay_out, text_member

KEY = "canvas/courses/101/20261122T020000Z-common_cartridge-501.imscc"
CREATED = datetime(2026, 11, 22, 2, tzinfo=timezone.utc)
GIB = 1024**3

#: In which order the members lie: as the sandbox writes them, with all documents at the end, or by name.
LAYOUTS: dict[str, Callable[[Member], object]] = {
    "texts-first": lambda _: 0,
    "files-first": lambda member: not member.name.startswith("web_resources/"),
    "by-name": lambda member: member.name,
}
_PAGES, _ASSIGNMENTS, _QUIZZES, _DISCUSSIONS, _ANNOUNCEMENTS, _FILES = 300, 120, 40, 60, 80, 2_000
_WORDS = (
    "measure",
    "light",
    "cell",
    "model",
    "theory",
    "sample",
    "value",
    "method",
    "field",
    "energy",
    "history",
    "market",
)
_FRONT = (
    '<html>\n<head>\n<title>Home</title>\n<meta name="identifier" content="g0"/>\n<meta name="front_page" content="true"/>\n'
    '<meta name="workflow_state" content="active"/>\n</head>\n<body>\n<h1>Welcome</h1>\n</body>\n</html>\n'
)


class LargeCourse:
    """What the server knows.

    Args:
        size: bytes of the files of the course.
        layout: one of ``LAYOUTS``.
    """

    def __init__(self, size: int, layout: str) -> None:
        spec = PackageSpec("course:101", 101, "Field methods", _content(size), 0, 1, 501, CREATED.timestamp())
        members = sorted(_with_front_page(Cartridge(spec).members()), key=LAYOUTS[layout])  # type: ignore[arg-type]
        self.members = sum(not member.name.endswith("/") for member in members)
        self.package: VirtualFile = lay_out(members, CREATED.timestamp())
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Reply:
        """One request."""
        path = urlsplit(request.target).path
        if path == "/counts":
            return Reply(200, {"Content-Type": "application/json"}, json.dumps(self._counts).encode())
        headers = {"ETag": self.package.etag, "Last-Modified": formatdate(CREATED.timestamp(), usegmt=True)}
        if path != f"/{BUCKET}/{KEY}" or request.method not in ("GET", "HEAD"):
            return Reply(404)
        if request.method == "HEAD":
            return Reply(200, headers, length=self.package.size)
        first, _, last = request.headers.get("range", "bytes=0-0").removeprefix("bytes=").partition("-")
        stop = min(int(last) + 1 if last else self.package.size, self.package.size)
        data = self.package.read(int(first), stop)
        with self._lock:
            self._counts["requests"] += 1
            self._counts["bytes"] += len(data)
        return Reply(206, {**headers, "Content-Range": f"bytes {first}-{stop - 1}/{self.package.size}"}, data)


def _content(size: int) -> Content:
    """A course that fills a term: the same each time."""
    items: dict[int, Item] = {}
    dice = random.Random(20)  # noqa: S311 - words, no secrets

    def add(kind: Kind, title: str, **fields: object) -> int:
        item = Item(kind, len(items) + 1, title, **fields)  # type: ignore[arg-type]  # fields of Item, by name
        items[item.id] = item
        return item.id

    def prose() -> str:
        return ". ".join(" ".join(dice.choices(_WORDS, k=12)) for _ in range(60))

    root = add(Kind.FOLDER, "course files")
    folders = [add(Kind.FOLDER, f"Week {week}", parent=root) for week in range(1, 16)]
    files = [
        add(Kind.FILE, f"Film {n}.mp4", parent=folders[n % 15], size=size // _FILES) for n in range(_FILES)
    ]
    pages = [add(Kind.PAGE, f"Page {n}", body=prose(), links=(files[n],)) for n in range(_PAGES)]
    group = add(Kind.ASSIGNMENT_GROUP, "Coursework")
    tasks = [add(Kind.ASSIGNMENT, f"Task {n}", body=prose(), parent=group) for n in range(_ASSIGNMENTS)]
    quizzes = [add(Kind.QUIZ, f"Quiz {n}", body=prose()) for n in range(_QUIZZES)]
    for kind, number in ((Kind.DISCUSSION, _DISCUSSIONS), (Kind.ANNOUNCEMENT, _ANNOUNCEMENTS)):
        for n in range(number):
            add(kind, f"Topic {n}", body=prose())
    for week, folder in enumerate(folders, start=1):
        module = add(Kind.MODULE, items[folder].title)
        for target in (*pages[week::15], *tasks[week::15], *quizzes[week::15]):
            add(Kind.MODULE_ITEM, items[target].title, parent=module, target=target)
    return Content(root, items)


def _with_front_page(members: Iterator[Member]) -> Iterator[Member]:
    for member in members:
        is_front = member.name == "wiki_content/page-0.html"
        yield text_member(member.name, _FRONT) if is_front else member


def main() -> None:
    """Print the address, size and number of members, and serve until the standard input ends."""
    line, (gib, layout) = Line.parse("gib", "layout")
    course = LargeCourse(int(float(gib) * GIB), layout)
    Server(line, course.answer).run(size=course.package.size, members=course.members)


if __name__ == "__main__":
    main()
