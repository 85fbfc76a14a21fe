"""A sandbox with a course that has a copy, empty target courses, and an archive in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.exports import batch_rig
from tests.support.exports.restore_rig import EMPTY, FULL, OTHER, SOURCE, back_up

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.storage.local import FileStore
from canvas_sandbox import Course, Sandbox, Switches


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
