"""A campus in the sandbox, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.canvas.campus import Campus, Found

from canvas_exports.core.canvas.client import CanvasClient
from canvas_sandbox import Course, Group, Sandbox, Switches


@pytest.fixture
def found() -> Iterator[Found]:
    """Founds a campus with a course, a group, a time that stands still, and what else is asked for."""
    opened: list[Sandbox] = []

    def make(*courses: Course, switches: dict[str, Any] | None = None, **options: Any) -> Campus:
        options.setdefault("groups", [Group(7)])
        sandbox = Sandbox(
            courses or [Course(101, sis_course_id="BIO/101.1é")],
            switches=Switches(manual_clock=True, **(switches or {})),
            **options,
        )
        opened.append(sandbox.__enter__())
        return Campus(sandbox)

    yield make
    for sandbox in opened:
        sandbox.close()


@pytest.fixture
def campus(found: Found) -> Campus:
    return found()


@pytest.fixture
def client(campus: Campus) -> Iterator[CanvasClient]:
    with campus.client() as made:
        yield made
