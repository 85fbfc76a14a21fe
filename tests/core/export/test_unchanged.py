"""A course that nobody changed, exported again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from tests.support.exports.batch_rig import QUICK, course
from tests.support.exports.transfer_rig import Way, way_over

from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.export.engine import events
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import ObjectInfo
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError
from canvas_sandbox import Fault, NewQuizzes


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Way]:
    yield from way_over(tmp_path, course(100), course(200, Fault.INCOMPLETE))


def night(way: Way, context: str = "course:100", export_type: str = "common_cartridge") -> events.Stored:
    event = way.move(way.item(context, export_type))
    assert isinstance(event, events.Stored)
    return event


@pytest.mark.parametrize("export_type", ["common_cartridge", "qti", "zip"])
def test_the_second_night_names_the_package_of_the_first(way: Way, export_type: str) -> None:
    first, second = night(way, export_type=export_type), night(way, export_type=export_type)
    assert (first.outcome, second.outcome) == (Outcome.STORED, Outcome.UNCHANGED)
    assert (second.key, second.size) == (first.key, 0)
    assert len(way.files) == 3


@pytest.mark.parametrize("proof", ["directory", "full"])
@pytest.mark.parametrize("holds", [NewQuizzes.WHOLE, NewQuizzes.SHELL])
def test_a_course_with_a_new_quiz_is_stored_once(tmp_path: Path, proof: str, holds: NewQuizzes) -> None:
    switches = replace(QUICK, new_quizzes=holds)
    for way in way_over(tmp_path, course(100), switches=switches):
        ends = [way.move(way.item(), proof=proof) for _ in range(2)]
        outcomes = [end.outcome for end in ends if isinstance(end, events.Stored)]
        assert outcomes == [Outcome.STORED, Outcome.UNCHANGED]
        manifest = json.loads(next(way.folder.glob("**/*.json")).read_text())
        told = [finding["code"] for finding in manifest["proof"]["findings"]]
        assert told == (["new_quiz"] if (proof, holds) == ("full", NewQuizzes.SHELL) else [])
        if proof == "full":
            counts = manifest["proof"]["counts"]
            assert counts["new_quizzes"] == 1
            assert counts["new_quiz_bodies"] == (holds is NewQuizzes.WHOLE)


def test_nights_on_end_need_one_package(way: Way) -> None:
    outcomes = [night(way).outcome for _ in range(4)]
    assert outcomes == [Outcome.STORED, *[Outcome.UNCHANGED] * 3]
    assert len([name for name in way.files if name.endswith(".imscc")]) == 1


def test_an_edited_course_is_stored(way: Way) -> None:
    night(way)
    way.canvas.edit_course(100)
    assert night(way).outcome is Outcome.STORED
    assert night(way).outcome is Outcome.UNCHANGED


def test_store_stores_every_package(way: Way) -> None:
    night(way)
    event = way.move(way.item(), unchanged="store")
    assert isinstance(event, events.Stored)
    assert event.outcome is Outcome.STORED
    assert len(way.files) == 4


def test_an_incomplete_copy_is_stored_every_night(way: Way) -> None:
    assert night(way, "course:200").outcome is Outcome.INCOMPLETE
    assert night(way, "course:200").outcome is Outcome.INCOMPLETE


@pytest.mark.parametrize(
    ("result", "outcome"),
    [("intact", Outcome.UNCHANGED), ("damaged", Outcome.STORED), ("vanished", Outcome.STORED)],
)
def test_what_a_verification_found_counts(way: Way, result: str, outcome: Outcome) -> None:
    marker = night(way).key.replace(".imscc", ".json")
    record = RecordName(marker, RecordKind.VERIFY, datetime.now(timezone.utc), "full", result)
    way.store.put_if_absent(record.key, b"{}")
    assert night(way).outcome is outcome


@pytest.mark.parametrize("cut", [False, True], ids=["gone", "cut"])
def test_a_package_that_is_not_there_as_it_was_stored_is_not_referred_to(way: Way, cut: bool) -> None:
    package = way.folder / night(way).key
    if cut:
        package.write_bytes(package.read_bytes()[:-1])
    else:
        package.unlink()
    assert night(way).outcome is Outcome.STORED


def test_copies_of_another_canvas_or_of_a_selection_do_not_count(way: Way) -> None:
    (marker,) = [way.folder / night(way).key.replace(".imscc", ".json")]
    document = json.loads(marker.read_text())
    for changed in ({"canvas_host": "beta.example.edu"}, {"select": {"pages": [1]}}):
        marker.write_text(json.dumps({**document, "export": {**document["export"], **changed}}))
        assert night(way).outcome is Outcome.STORED
        for name in way.files:
            if not marker.as_posix().startswith((way.folder / name).as_posix().rpartition(".")[0]):
                (way.folder / name).unlink()


class Unlisted(FileStore):
    def __init__(self, way: Way, error: Exception) -> None:
        super().__init__(way.folder.as_uri(), way.folder)
        self._error = error

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:  # noqa: ARG002 - whatever is asked
        raise self._error


@pytest.mark.parametrize(
    "error", [ArchiveDeniedError("no"), ArchiveUnavailableError("away"), OverflowError("odd")]
)
def test_an_archive_that_cannot_tell_gets_the_package(way: Way, error: Exception) -> None:
    night(way)
    way.store = Unlisted(way, error)
    assert night(way).outcome is Outcome.STORED


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Way]:
    yield from way_over(tmp_path, course(100, size=24_000_000))


def fetched(way: Way) -> int:
    """Bytes that storage has sent, as it counted them."""
    return sum(record.bytes for record in way.canvas.requests if record.listener == "storage")


def test_a_large_course_that_nobody_changed_is_not_even_fetched(large: Way) -> None:
    first = night(large)
    before = fetched(large)
    second = night(large)
    assert (second.outcome, second.key) == (Outcome.UNCHANGED, first.key)
    assert before >= first.size
    assert fetched(large) - before < first.size / 2


def test_a_large_course_that_was_edited_is_fetched_and_stored(large: Way) -> None:
    night(large)
    large.canvas.edit_course(100)
    second = night(large)
    assert (second.outcome, second.size > 24_000_000) == (Outcome.STORED, True)
