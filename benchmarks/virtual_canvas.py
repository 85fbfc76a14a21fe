"""A Canvas in virtual time: thousands of exports run through in seconds, and nothing depends on how busy a machine is.

Exports live in the sandbox's own world (its job queue, its order of writes). HTTP is left out; ``virtual_http`` adds it. The
event loop never sleeps: where it would, its clock jumps.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import datetime, timezone
from typing import Any, TypeVar

from canvas_exports.core.canvas.api.models import (
    Attachment,
    ContentExport,
    ExportState,
    Progress,
    ProgressState,
    User,
)
from canvas_exports.core.model.contexts import Context
from canvas_sandbox import Course, Switches
from canvas_sandbox.content.selection import Selection
from canvas_sandbox.packages.virtual_file import VirtualFile
from canvas_sandbox.records import Attachment as StoredPackage
from canvas_sandbox.records import Export, ExportRequest
from canvas_sandbox.world import World

T = TypeVar("T")

_FIRST_FILE = 1_000_000
_PACKAGE = Attachment(id=1, filename="package.imscc", size=1, url="https://canvas.test/files/1/download")


class _Jumps(selectors.SelectSelector):
    """Waits for nothing: tells the loop how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everybody waits for ever")
        self.passed += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next moment at which something is to be done."""

    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        """Seconds of virtual time since the loop was made."""
        return self._jumps.passed


def live(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own, in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()


class VirtualCanvas:
    """What watching needs of a Canvas, and what it cannot know: when each export was really finished.

    Parameters:
        durations: seconds that each course's export takes, in the order of the courses, which are numbered from 1.
        workers: exports that run at the same time; the others queue, first come, first served.
        files: of each course; by default as many as the sandbox gives it.
        concluded: how many of the last courses are concluded.
        switches: of the sandbox, beside clock and workers.
    """

    def __init__(
        self,
        durations: Sequence[float],
        workers: int,
        *,
        files: Sequence[int] = (),
        concluded: int = 0,
        **switches: Any,
    ) -> None:
        courses = [
            Course(
                id=number,
                duration=seconds,
                files=files[number - 1] if files else None,
                state="completed" if number > len(durations) - concluded else "available",
            )
            for number, seconds in enumerate(durations, start=1)
        ]
        self.world = World(
            courses=courses, switches=Switches(manual_clock=True, job_workers=workers, **switches)
        )
        self._admin = next(user for user in self.world.users.values() if user.role == "admin")
        self.world.exports.attach = self._attach  # type: ignore[method-assign]
        self._origin = self.world.kernel.clock.now()
        self.looks: Counter[int] = Counter()
        self.shows: Counter[int] = Counter()
        self.seen_at: dict[int, float] = {}

    def now(self) -> float:
        """Seconds since the beginning."""
        return asyncio.get_running_loop().time()

    def create(self, course: int) -> ContentExport:
        """``POST .../content_exports``."""
        self.settle()
        export = self.world.exports.create(
            ExportRequest(self.world.courses[course], "common_cartridge", self._admin, Selection())
        )
        return self._told(export)

    async def progress(self, progress_id: int) -> Progress:
        """``GET /api/v1/progress/:id``."""
        self.settle()
        progress = self.world.kernel.progresses[progress_id]
        self.looks[progress.context_id] += 1
        if progress.workflow_state == "completed":
            self.seen_at.setdefault(progress.context_id, self.now())
        return Progress(progress_id, ProgressState(progress.workflow_state), progress.completion)

    async def whoami(self) -> User:
        """``GET /api/v1/users/self``."""
        return User(self._admin.id)

    async def show_export(self, context: Context, export_id: int) -> ContentExport:
        """``GET .../content_exports/:id``."""
        del context
        self.settle()
        self.shows[export_id] += 1
        return self._told(self.world.exports.rows[export_id])

    def finished_at(self, export_id: int) -> float:
        """When an export was really finished, in seconds since the beginning."""
        moment = self.world.exports.rows[export_id].finished_at
        assert moment is not None
        return moment - self._origin

    def completed_at(self, export_id: int) -> float:
        """When its Progress was completed, in seconds since the beginning; the export is finished a moment later."""
        progress = self.world.exports.rows[export_id].progress
        assert progress is not None
        return progress.updated_at - self._origin

    def created_at(self, export_id: int) -> float:
        """When it was asked for."""
        return self.world.exports.rows[export_id].created_at - self._origin

    def duration(self, export_id: int) -> float:
        """Seconds that it takes once a worker has it."""
        return self.world.exports.rows[export_id].context.duration or 0.0

    def settle(self) -> None:
        """Let everything happen that is due."""
        behind = self._origin + self.now() - self.world.kernel.clock.now()
        if behind > 0:
            self.world.kernel.clock.advance(behind)
        self.world.kernel.run_due_jobs()

    @property
    def started(self) -> datetime:
        """Canvas's time at the beginning."""
        return datetime.fromtimestamp(self._origin, tz=timezone.utc)

    @property
    def moment(self) -> float:
        """Canvas's time, in seconds since the epoch."""
        self.settle()
        return self.world.kernel.clock.now()

    def _attach(self, export: Export, moment: float) -> StoredPackage:
        """Give an export a package that is never built."""
        row = StoredPackage(
            id=_FIRST_FILE + export.id,
            uuid="0" * 40,
            name="package.imscc",
            content_type="application/octet-stream",
            size=1,
            created_at=moment,
            export=export,
            build=lambda: VirtualFile([]),
        )
        self.world.exports.attachments[row.id] = row
        return row

    def _told(self, export: Export) -> ContentExport:
        assert export.progress is not None
        return ContentExport(
            export.id,
            datetime.fromtimestamp(export.created_at - self._origin, tz=timezone.utc),
            export.export_type,
            ExportState(export.workflow_state),
            attachment=_PACKAGE if export.attachment else None,
            progress_url=f"https://canvas.test/api/v1/progress/{export.progress.id}",
        )
