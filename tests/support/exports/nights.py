"""Night after night of one backup, against a sandbox whose clock only the test moves."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tests.support.exports.batch_rig import QUICK, KilledError, Rig, asked, client

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.export.batch import Batch
from canvas_exports.core.export.changes.list_readings import ListReadings
from canvas_exports.core.export.changes.probe import Reading
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.storage.local import FileStore
from canvas_sandbox import Course, NewQuizzes, Sandbox, Switches

DAY = 86_400

#: The sandbox's clock begins long before the real one, so that no night is in the future of a store.
MANUAL = replace(
    QUICK, manual_clock=True, clock_ahead=-400.0 * DAY, new_quizzes=NewQuizzes.NONE, duration=1.0
)


class Nights:
    """A backup of the courses of a sandbox.

    Args:
        canvas: with a manual clock.
        folder: the archive.
        also: further archives.
        listed: whether a list of the account is read before each batch, and says when the courses were last updated.
        options: of ``build_options``.
    """

    def __init__(
        self,
        canvas: Sandbox,
        folder: Path,
        *,
        also: Sequence[Path] = (),
        listed: bool = False,
        **options: Any,
    ) -> None:
        self.canvas = canvas
        self.folder = folder
        self.store = FileStore(folder.as_uri(), folder)
        self.also = also
        self.listed = listed
        self.options = {"courses": ["100"], "skip_unchanged": "P7D", **options}
        self.count = 0

    def rig(self, *, die_at: Container[int] = (), stored: bool = True, **options: Any) -> Rig:
        """The batch of the next night, a day later."""
        self.count += 1
        self.canvas.advance(DAY)
        run = RunInfo("campus_backup", f"night-{self.count}", "export", date(2026, 11, 23))
        return Rig(
            self.canvas,
            self.folder,
            also=self.also,
            run=run,
            die_at=die_at,
            stored=stored,
            readings=self.readings() if self.listed else None,
            **{**self.options, **options},
        )

    def readings(self) -> dict[str, Reading]:
        """When each course was last updated, as the list of the account says now."""
        found: dict[str, Reading] = {}
        with closing(client(self.canvas)) as canvas:
            listed = canvas.account_courses("1", updated_at=True)
            for _ in ListReadings(canvas, found).collect("1", listed):
                pass
        return found

    def night(self, rig: Rig | None = None, **options: Any) -> dict[str, Item]:
        """Run the batch of the next night, process after process, to its end; the items by context."""
        rig = rig or self.rig(**options)
        while True:
            with rig.process() as batch, suppress(KilledError):
                return {item.context: item for item in self.finish(batch)}
            rig.deaths += 1

    def finish(self, batch: Batch) -> Sequence[Item]:
        """Advance the batch, and Canvas's clock with it."""
        while (wait := batch.advance()) is not None:
            self.canvas.advance(60)
            batch.record_polls(batch.poll(wait.exports, wait.wake))
        return batch.items

    def outcomes(self, **options: Any) -> dict[str, str]:
        """Run the next night; the outcomes by context."""
        return {
            name: str(item.outcome and item.outcome.value) for name, item in self.night(**options).items()
        }

    def results(self, **options: Any) -> dict[str, str | None]:
        """Run the next night; by context, what the probe has led to."""
        return {name: item.probe_result for name, item in self.night(**options).items()}

    def copies(self, number: int = 100, folder: Path | None = None) -> tuple[Copy, ...]:
        """The copies of a course, oldest first."""
        store = self.store if folder is None else FileStore(folder.as_uri(), folder)
        return copies_of(store, "course", number).copies

    def manifests(self, number: int = 100) -> list[dict[str, Any]]:
        """The manifests of a course, in the order of their names."""
        return [
            json.loads(path.read_text())
            for path in sorted((self.folder / "courses" / str(number)).glob("*.json"))
        ]

    def now(self) -> datetime:
        """Canvas's time."""
        with closing(client(self.canvas)) as canvas:
            canvas.whoami()
            return canvas.server_now()

    @property
    def posts(self) -> int:
        """Exports that Canvas was asked for."""
        return asked(self.canvas, "POST", r"/content_exports$")

    @property
    def questions(self) -> int:
        """Requests for probes."""
        return asked(self.canvas, "POST", r"/api/graphql$")


@contextmanager
def nights(folder: Path, *courses: Course, switches: Switches = MANUAL, **options: Any) -> Iterator[Nights]:
    """Start a sandbox with a manual clock and an empty archive."""
    with Sandbox(courses or (plain(100),), switches=switches) as canvas:
        yield Nights(canvas, folder, **options)


def plain(number: int) -> Course:
    """A small course without New Quizzes."""
    return Course(id=number, name=f"Biology {number}", course_code=f"BIO-{number}", size=1_000)
