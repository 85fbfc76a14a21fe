"""Helpers of tests that restore a copy into the sandbox."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

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
from canvas_exports.core.restore.request import RestoreRequest
from canvas_exports.core.restore.restore import Restore
from canvas_exports.core.restore.result import RestoreResult
from canvas_exports.core.restore.state import RestoreState
from canvas_exports.core.restore.timing import RestoreTiming
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Store
from canvas_sandbox import Fault, Sandbox
from canvas_sandbox.faults import FaultCounter

SOURCE, EMPTY, OTHER, FULL = 101, 300, 301, 102

#: Waits that a test can afford.
QUICK = RestoreTiming(settle=0.01, settle_url=0.01, upload_backoff=(0.0, 0.01, 0.01))


def back_up(client: CanvasClient, store: Store, course: int, export_type: str = "common_cartridge") -> Copy:
    """Store a copy of a course as a backup does, and return it."""
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


class RestoreTask:
    """A restore that survives its processes: each new one begins with the state that was saved last."""

    def __init__(
        self,
        client: CanvasClient,
        store: Store,
        *,
        timing: RestoreTiming = QUICK,
        now: Callable[[], float] = time.time,
        **arguments: Any,
    ) -> None:
        self.client, self.store, self.now = client, store, now
        self.request = RestoreRequest.build(**{"course": SOURCE, "into": EMPTY, **arguments})
        self.written = json.dumps(RestoreState(deadline=time.time() + 60).to_json())
        self.saves = 0
        self.die_at: Container[int] = ()
        self.timing = timing
        self.restore = self.new_process()

    def new_process(self) -> Restore:
        """Return the restore of a new process."""
        state = RestoreState.from_json(json.loads(self.written))
        assert state is not None
        return Restore(
            client=self.client,
            store=self.store,
            request=self.request,
            state=state,
            save=self.save,
            timing=self.timing,
            now=self.now,
        )

    def save(self, document: dict[str, Any]) -> None:
        self.written = json.dumps(document)
        self.saves += 1
        if self.saves in self.die_at:
            raise KilledError

    def run_to_end(self) -> RestoreResult:
        """Run to the end, in one process unless it is killed."""
        while not self._is_done():
            time.sleep(0.02)
        assert self.restore.result is not None
        return self.restore.result

    def _is_done(self) -> bool:
        try:
            return self.restore.advance() is None
        except KilledError:
            self.restore = self.new_process()
            return False


class KilledError(BaseException):
    """Stands for a killed process."""


def imports(canvas: Sandbox) -> int:
    """Return how often a package was imported into a course."""
    return sum(record.imports for record in canvas.migrations)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@contextmanager
def web(folder: Path) -> Iterator[str]:
    """Serve the archive over HTTP, as an object store serves signed URLs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


CREATE = r"/courses/300/content_migrations$"
UPLOAD = r"^/canvas-|^/files|bucket|/files_api"


def posts(canvas: Sandbox, path: str = CREATE) -> int:
    return sum(record.method == "POST" and bool(re.search(path, record.path)) for record in canvas.requests)


def busy(canvas: Sandbox, client: CanvasClient, store: FileStore) -> None:
    """Somebody else's import into the empty course, which never ends."""
    canvas.world.courses[EMPTY].active_faults = FaultCounter([Fault.IMPORT_STUCK])
    assert RestoreTask(client, store).restore.advance() is not None
