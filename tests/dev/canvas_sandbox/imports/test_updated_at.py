"""An import moves its course when it ends, and one that fails half way does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canvas_sandbox import Course, Fault

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Start


def test_the_end_of_an_import_moves_the_course(start: Start, call: Call) -> None:
    canvas = start(Course(id=101), Course(id=102, size=0))
    admin = call(canvas)
    was = canvas.updated_at(102)
    migration = admin.restore(admin.exported())
    assert migration["workflow_state"] == "completed"
    assert canvas.updated_at(102) == migration["finished_at"] != was


def test_an_import_that_fails_half_way_leaves_content_and_the_time_of_the_course(
    start: Start, call: Call
) -> None:
    canvas = start(Course(id=101), Course(id=102, size=0, faults=[Fault.IMPORT_FAILS_HALF_WAY]))
    admin = call(canvas)
    was = canvas.updated_at(102)
    migration = admin.restore(admin.exported())
    assert migration["workflow_state"] == "failed"
    assert canvas.updated_at(102) == was
    assert 0 < len(admin.names("pages")) < len(admin.names("pages", 101))
