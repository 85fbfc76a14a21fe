"""A sandbox with a course that has been backed up, empty courses to restore into, and an archive in a folder."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.support import batch_rig

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.engine.events import Stored
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.export.options import build_options
from canvas_exports.core.export.replicas import Replicas
from canvas_exports.core.export.transfer import PackageMover
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.restore import restore
from canvas_exports.core.restore.request import RestoreRequest
from canvas_exports.core.restore.restore import Restore
from canvas_exports.core.restore.result import RestoreResult
from canvas_exports.core.restore.state import RestoreState
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Store
from canvas_sandbox import Course, Sandbox, Switches

SOURCE, EMPTY, OTHER, FULL = 101, 300, 301, 102


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "_SETTLE", 0.01)
    monkeypatch.setattr(restore, "_SETTLE_URL", 0.01)
    monkeypatch.setattr(restore, "_BACKOFF", (0.0, 0.01, 0.01))


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    courses = [
        Course(id=SOURCE, name="Biology", sis_course_id="BIO/101", size=30_000),
        Course(id=FULL, name="Chemistry", size=20_000),
        Course(id=EMPTY, name="Drill 1", sis_course_id="DRILL-1", state="claimed", size=0),
        Course(id=OTHER, name="Drill 2", state="claimed", size=0),
    ]
    switches = Switches(job_workers=20, duration=0.05, import_duration=0.05, throttle=False)
    with Sandbox(courses, switches=switches) as sandbox:
        yield sandbox


@pytest.fixture
def client(canvas: Sandbox) -> Iterator[CanvasClient]:
    with batch_rig.client(canvas) as made:
        yield made


@pytest.fixture
def again(canvas: Sandbox) -> Iterator[CanvasClient]:
    """The client of another process."""
    with batch_rig.client(canvas) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    made = FileStore(tmp_path.as_uri(), tmp_path)
    yield made
    made.close()


@pytest.fixture
def copy(client: CanvasClient, store: FileStore) -> Copy:
    """A proven copy of the source course."""
    return back_up(client, store, SOURCE)


def back_up(client: CanvasClient, store: Store, course: int, export_type: str = "common_cartridge") -> Copy:
    """Store a copy of a course as a backup does."""
    options = build_options(courses=[course], export_type=export_type)
    context = Context.parse(course)
    export = client.create_export(context, ExportRequest.build(export_type))
    while not client.show_export(context, export.id).is_ready:
        time.sleep(0.01)
    item = Item(str(context), export_type, canvas_id=course, export_id=export.id)
    run = RunInfo("backup", "run", "export", date(2026, 11, 23))
    event = PackageMover(client, Replicas([store]), options, run).move(item)
    assert isinstance(event, Stored)
    (found,) = [each for each in copies_of(store, "course", course).copies if each.package.key == event.key]
    return found


class Task:
    """A restore through as many processes as its deaths make: each begins with the state that was saved last."""

    def __init__(self, client: CanvasClient, store: Store, **arguments: Any) -> None:
        self.client, self.store = client, store
        self.request = RestoreRequest.build(**{"course": SOURCE, "into": EMPTY, **arguments})
        self.written = json.dumps(RestoreState(deadline=time.time() + 60).to_json())
        self.saves = 0
        self.die_at: Container[int] = ()
        self.restore = self.born()

    def born(self) -> Restore:
        """A new process."""
        state = RestoreState.from_json(json.loads(self.written))
        assert state is not None
        return Restore(
            client=self.client, store=self.store, request=self.request, state=state, save=self.save
        )

    def save(self, document: dict[str, Any]) -> None:
        self.written = json.dumps(document)
        self.saves += 1
        if self.saves in self.die_at:
            raise KilledError

    def live(self) -> RestoreResult:
        """To the end, in one process unless it dies."""
        while not self._is_done():
            time.sleep(0.02)
        assert self.restore.result is not None
        return self.restore.result

    def _is_done(self) -> bool:
        try:
            return self.restore.advance() is None
        except KilledError:
            self.restore = self.born()
            return False


class KilledError(BaseException):
    """The process is gone."""


def imports(canvas: Sandbox) -> int:
    """How often a package was written into a course."""
    return sum(record.imports for record in canvas.migrations)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@contextmanager
def web(folder: Path) -> Iterator[str]:
    """A web server that gives out the archive, as an object store does to whoever holds a signed URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
