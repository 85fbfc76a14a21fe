"""A small Canvas with every outcome that is quickly had, and waits that a test can afford."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.airflow.short_waits import no_long_waits  # noqa: F401 - used by each test

from canvas_sandbox import Course, Fault, Sandbox, Switches


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    courses = [
        Course(id=100, name="Biology", size=20_000),
        Course(id=101, name="Botany", size=30_000),
        Course(id=102, name="Anatomy", size=20_000, faults=[Fault.INCOMPLETE]),
        Course(id=103, name="Alchemy", faults=[Fault.DELETED]),
        Course(id=104, name="Zoology", size=20_000, faults=[Fault.EXPORT_FAILS.times(1)]),
        Course(id=105, name="Ecology", size=20_000, faults=[Fault.CORRUPT.times(1)]),
    ]
    with Sandbox(courses, switches=Switches(job_workers=20, duration=0.6, throttle=False)) as sandbox:
        yield sandbox
