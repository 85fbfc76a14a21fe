"""A sandbox per test, and clients for its people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.support.canvas.sandbox_client import FROZEN, Call, Caller, Start

from canvas_sandbox import Course, Sandbox


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def start(stack: ExitStack) -> Start:
    """Starts a sandbox with the given courses, by default one numbered 101 and a clock that stands still."""

    def start_sandbox(*courses: Course, **options: Any) -> Sandbox:
        options.setdefault("switches", FROZEN)
        return stack.enter_context(Sandbox(courses or [Course(id=101, name="Biology 101")], **options))

    return start_sandbox


@pytest.fixture
def call(stack: ExitStack) -> Call:
    """A caller with a role's token; ``None`` for nobody's."""

    def make_caller(canvas: Sandbox, role: str | None = "admin") -> Caller:
        caller = Caller(canvas, canvas.tokens[role] if role else None)
        stack.callback(caller.close)
        return caller

    return make_caller


@pytest.fixture
def canvas(start: Start) -> Sandbox:
    return start()


@pytest.fixture
def admin(canvas: Sandbox, call: Call) -> Caller:
    return call(canvas)


@pytest.fixture
def teacher(canvas: Sandbox, call: Call) -> Caller:
    return call(canvas, "teacher")


@pytest.fixture
def student(canvas: Sandbox, call: Call) -> Caller:
    return call(canvas, "student")


@pytest.fixture
def outsider(canvas: Sandbox, call: Call) -> Caller:
    return call(canvas, "outsider")
