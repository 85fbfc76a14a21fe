"""Whatever is edited, and whenever the nights are: after the limit no archive is behind, and every miss is a known one."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from tests.support.exports.nights import DAY, Nights, nights

from canvas_exports.core.export.engine.items import Item
from canvas_sandbox import Course
from canvas_sandbox.content.edit_kinds import SHOWN, EditKind, Source
from canvas_sandbox.content.model import Kind

LIMIT = timedelta(days=4)
COURSES = (100, 101)

#: The parts of the API of which fingerprints are made.
FINGERPRINTED = frozenset(
    {
        Source.MODULES,
        Source.ASSIGNMENT_GROUPS,
        Source.QUIZZES,
        Source.RUBRICS,
        Source.ASSIGNMENTS,
        Source.PAGES,
        Source.FILES,
        Source.FOLDERS,
        Source.TOOLS,
    }
)

EDITS = st.tuples(st.sampled_from(COURSES), st.sampled_from(EditKind), st.integers(0, 9))
NIGHTS = st.tuples(
    st.lists(EDITS, max_size=3),  # a while before the night
    st.lists(EDITS, max_size=1),  # a minute before it
    st.lists(EDITS, max_size=1),  # while Canvas builds packages
    st.sampled_from([0, 0, 0, 0.5, 3]),  # further days without a run
)


def is_hidden(kind: EditKind) -> bool:
    """Whether the table says that no probe shows such an edit, although a package holds it."""
    shown = SHOWN[kind]
    return shown.in_package and not shown.moves_course and not shown.seen_in & FINGERPRINTED


def is_shown(kind: EditKind) -> bool:
    return SHOWN[kind].moves_course or bool(SHOWN[kind].seen_in & FINGERPRINTED)


class Campus:
    """The backup, and what was edited since each course was last exported."""

    def __init__(self, backup: Nights) -> None:
        self.backup = backup
        self.edits: defaultdict[int, list[EditKind]] = defaultdict(list)
        for number in COURSES:
            backup.canvas.add_item(number, Kind.BANK.value, {"title": "Bank", "body": "First. Second."})
            backup.canvas.add_item(number, Kind.ASSIGNMENT_GROUP.value, {"title": "Another group"})
            backup.canvas.add_item(number, Kind.OUTCOME.value, {"title": "Of the account"})
        backup.canvas.advance(DAY)

    def edit(self, changes: list[tuple[int, EditKind, int]]) -> None:
        for number, kind, seed in changes:
            with suppress(ValueError):  # the course holds nothing that could be edited so
                self.backup.canvas.make_edit(number, kind, seed)
                self.edits[number].append(kind)

    def run(self, during: list[tuple[int, EditKind, int]]) -> None:
        """Run a night, and check each course after it."""
        before = {number: list(self.edits[number]) for number in COURSES}
        rig = self.backup.rig()
        with rig.process() as batch:
            while (wait := batch.advance()) is not None:
                self.edit(during)
                during = []
                self.backup.canvas.advance(60)
                batch.record_polls(batch.poll(wait.exports, wait.wake))
            items = batch.items
        for item, number in zip(items, COURSES, strict=True):
            self._check(item, number, before[number])

    def _check(self, item: Item, number: int, edits: list[EditKind]) -> None:
        assert item.outcome is not None
        assert item.outcome.value in ("stored", "unchanged")
        last = self.backup.copies(number)[-1]
        if item.probe_result == "skipped":
            assert not any(map(is_shown, edits)), "a course was skipped whose edit every probe shows"
            assert last.confirmed_at is not None
            assert last.confirmed_at - last.export.created_at < LIMIT, "its archive is behind for too long"
            return
        assert last.confirmed_at is None
        if item.probe_result == "miss":
            assert any(map(is_hidden, self.edits[number])), "a miss that the table does not know"
        if item.probe_result is not None:
            assert not any(map(is_shown, edits)), "an edit that every probe shows is no miss"
        event(f"exported: {item.probe_result}")
        self.edits[number] = self.edits[number][
            len(edits) :
        ]  # what came while it was exported may be missing


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.generate],
)
@given(st.lists(NIGHTS, min_size=5, max_size=9))
def test_after_the_limit_no_archive_is_behind_and_every_miss_is_one_that_the_table_predicts(
    plan: list[
        tuple[
            list[tuple[int, EditKind, int]],
            list[tuple[int, EditKind, int]],
            list[tuple[int, EditKind, int]],
            float,
        ]
    ],
) -> None:
    courses = [
        Course(id=number, name=f"Botany {number}", course_code=f"B-{number}", subject="Botany")
        for number in COURSES
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        nights(
            Path(folder), *courses, courses=[str(number) for number in COURSES], skip_unchanged="P4D"
        ) as backup,
    ):
        campus = Campus(backup)
        for earlier, just_before, during, pause in plan:
            backup.canvas.advance(pause * DAY)
            campus.edit(earlier)
            backup.canvas.advance(3600)
            campus.edit(just_before)
            campus.run(during)
        backup.night(skip_unchanged="never")
        for number in COURSES:
            *_, before, truth = backup.copies(number)
            if before.package.content_digest != truth.package.content_digest:
                assert any(SHOWN[kind].in_package for kind in campus.edits[number]), (
                    "an edit was lost for good"
                )
