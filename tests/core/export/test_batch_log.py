"""The task log tells how each export ended, at the level it deserves, and why another is made."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from tests.support.exports.batch_rig import Rig, course, sandbox

from canvas_exports.core.export.batch_log import BatchLog
from canvas_exports.core.export.engine.engine import Transition
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.model.outcomes import Outcome
from canvas_sandbox import Fault, RequestFault

INFO, WARNING = logging.INFO, logging.WARNING


def ended(number: int, outcome: Outcome, reason: str | None = None, **fields: Any) -> Item:
    return Item(f"course:{number}", "zip", State.DONE, outcome=outcome, reason=reason, **fields)


def told(caplog: pytest.LogCaptureFixture, before: list[Item], after: list[Item]) -> list[tuple[int, str]]:
    caplog.set_level(logging.INFO)
    BatchLog(creations=3).report(map(Transition, before, after))
    return [(record.levelno, record.getMessage()) for record in caplog.records]


@pytest.mark.parametrize("outcome", Outcome)
def test_every_end_has_its_level(caplog: pytest.LogCaptureFixture, outcome: Outcome) -> None:
    ((level, line),) = told(caplog, [Item("course:7", "zip")], [ended(7, outcome, "why")])
    assert level == (INFO if outcome.is_good else WARNING)
    assert line == f"course:7/zip: {outcome.value}: why"


def test_sizes_are_for_people_and_the_course_has_its_code(caplog: pytest.LogCaptureFixture) -> None:
    item = ended(
        7, Outcome.INCOMPLETE, "a.pdf", size=1_234_567_890, findings=2, key="courses/7/x", label="BIO-7"
    )
    assert told(caplog, [Item("course:7", "zip")], [item]) == [
        (WARNING, "course:7/zip (BIO-7): incomplete, 1.2 GB, 2 findings, courses/7/x: a.pdf")
    ]


def test_what_breaks_off_together_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    items = [ended(number, Outcome.INTERRUPTED, "Canvas is down") for number in range(200)]
    assert told(caplog, [Item(item.context, "zip") for item in items], items) == [
        (WARNING, "course:0/zip and 199 more: interrupted: Canvas is down")
    ]


def test_another_export_says_which_of_how_many(caplog: pytest.LogCaptureFixture) -> None:
    before = Item("course:7", "zip", State.READY, export_id=501, creations=1)
    after = Item("course:7", "zip", State.PLANNED, creations=1, reason="storage lost it")
    assert told(caplog, [before], [after]) == [
        (WARNING, "course:7/zip: storage lost it; export 2 of at most 3 is asked for")
    ]


def test_foreign_words_are_harmless(caplog: pytest.LogCaptureFixture) -> None:
    item = ended(7, Outcome.FAILED, "a\x1b[2Jb\nc", label="B\u202eIO")
    ((_, line),) = told(caplog, [Item("course:7", "zip")], [item])
    assert line.isprintable()


def test_a_batch_tells_every_course_its_tries_and_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    courses = [
        course(100),
        course(101, Fault.INCOMPLETE),
        course(102, Fault.DELETED),
        course(103, Fault.EXPORT_FAILS),
        course(104, Fault.LOGIN_PAGE),
        course(105),
    ]
    caplog.set_level(logging.INFO)
    with sandbox(*courses) as canvas:
        canvas.inject(
            RequestFault("bad_request_page", method="POST", path="/105/content_exports$", times=None)
        )
        rig = Rig(canvas, tmp_path, courses=range(100, 106))
        with rig.process() as batch:
            rig.finish(batch)
    lines = [(record.levelno, record.getMessage()) for record in caplog.records]

    def has(level: int, *words: str) -> bool:
        return any(at == level and all(word in line for word in words) for at, line in lines)

    assert has(INFO, "course:100/common_cartridge (BIO-100): stored, ", " kB, courses/100/")
    assert has(WARNING, "course:101/common_cartridge (BIO-101): incomplete", "1 finding")
    assert has(WARNING, "course:102/common_cartridge: gone: ")
    assert has(
        WARNING, "course:103/common_cartridge: Canvas reported the export as failed; export 2 of at most 3"
    )
    assert has(WARNING, "course:103/common_cartridge: failed: Canvas reported", "after 3 exports")
    assert has(WARNING, "course:104/common_cartridge: transfer 3 of 3 failed: ")
    assert has(WARNING, "course:104/common_cartridge: interrupted: ")
    assert has(WARNING, "course:105/common_cartridge: turn 3 of 3: ", "HTTP 400, request ")
    assert has(WARNING, "course:105/common_cartridge: interrupted: ", "HTTP 400, request ")
