"""A course that has not changed is not exported, and has a copy of the night all the same."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.exports.batch_rig import KilledError
from tests.support.exports.nights import DAY, MANUAL, Nights, nights, plain

from canvas_exports.core.archive.catalog.runs import summary_of
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.export.batch import Batch
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.reports.run_report import gather_run_report, store_batch_report
from canvas_exports.core.storage.local import FileStore
from canvas_sandbox import Course, NewQuizzes
from canvas_sandbox.content.edit_kinds import EditKind
from canvas_sandbox.faults import Effect, RequestFault


@pytest.fixture(params=[False, True], ids=["asked", "listed"])
def campus(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Nights]:
    """A backup whose batches ask for all of a probe, and one whose list says when its courses were last updated."""
    with nights(tmp_path, listed=request.param) as started:
        yield started


def test_the_probe_says_how_the_time_of_the_course_was_read(campus: Nights) -> None:
    campus.night()
    (manifest,) = campus.manifests()
    assert manifest["probe"]["source"] == ("list" if campus.listed else "aliases")


def test_the_second_night_asks_one_question_and_no_export(campus: Nights) -> None:
    campus.night()
    posts, questions = campus.posts, campus.questions
    (item,) = campus.night().values()
    (first, second) = campus.copies()
    assert (campus.posts - posts, campus.questions - questions) == (0, 1)
    assert (item.outcome and item.outcome.value, item.size, item.probe_result) == ("unchanged", 0, "skipped")
    assert item.reason == f"nothing has changed since export 501 of {first.created_at:%Y-%m-%d}; not exported"
    assert item.key == first.package.key == second.package.key
    assert second.confirmed_at is not None
    assert second.created_at > first.created_at == second.export.created_at
    assert second.is_proven
    assert second.run.run_id == "night-2"


def test_the_manifest_repeats_the_copy_and_adds_when_it_was_confirmed(campus: Nights) -> None:
    campus.night()
    campus.night()
    first, second = campus.manifests()
    for name in ("context", "export", "package", "proof", "probe"):
        expected = first[name]
        if name == "package":
            expected = {key: value for key, value in expected.items() if key in second[name]}
        assert second[name] == expected, name
    assert second["schema"] == "urn:canvas-exports:manifest:2"
    assert "confirmed_at" not in first


@pytest.mark.parametrize("kind", [EditKind.PAGE_SAVED, EditKind.MODULE_ITEM_REMOVED, EditKind.RUBRIC_EDITED])
def test_a_course_that_was_edited_is_exported_and_skipped_again_afterwards(
    campus: Nights, kind: EditKind
) -> None:
    campus.night()
    campus.canvas.make_edit(100, kind)
    assert campus.outcomes() == {"course:100": "stored"}
    assert campus.results() == {"course:100": "skipped"}


def test_an_edit_while_the_course_is_read_is_exported_the_next_night(campus: Nights) -> None:
    rig = campus.rig()
    campus.canvas.make_edit(100, EditKind.PAGE_SAVED)  # less than five minutes before
    campus.night(rig)
    assert campus.results() == {"course:100": None}
    assert campus.results() == {"course:100": "skipped"}


def test_the_limit_forces_an_export_whose_content_is_compared(campus: Nights) -> None:
    results = [campus.results()["course:100"] for _ in range(17)]
    forced = [number for number, result in enumerate(results) if result == "equal"]
    assert results[0] is None
    assert set(results[1:]) == {"skipped", "equal"}
    assert forced
    assert all(5 <= later - earlier <= 7 for earlier, later in zip([0, *forced], forced, strict=False))
    probe = campus.manifests()[-1]["probe"]
    assert (probe["checks"], probe["misses"]) == (len(forced), 0)


def test_an_edit_that_canvas_does_not_show_is_a_miss_that_shortens_the_limit(campus: Nights) -> None:
    campus.night()
    campus.canvas.make_edit(100, EditKind.USAGE_RIGHTS_SET)
    results = [campus.results()["course:100"] for _ in range(20)]
    assert results.count("miss") == 1
    miss = results.index("miss")
    equal = [number for number, result in enumerate(results) if result == "equal"]
    assert equal[0] - miss <= 4, "half of seven days"
    checked = {each["probe"]["checks"]: each["probe"]["misses"] for each in campus.manifests()}
    assert checked == dict.fromkeys(range(1, len(equal) + 2), 1) | {0: 0}


def test_a_miss_is_stored_and_says_so(campus: Nights) -> None:
    campus.night()
    campus.canvas.make_edit(100, EditKind.USAGE_RIGHTS_SET)
    items = [next(iter(campus.night().values())) for _ in range(8)]
    (miss,) = [item for item in items if item.probe_result == "miss"]
    assert miss.outcome is not None
    assert miss.outcome.value == "stored"
    assert miss.reason is not None
    assert "although Canvas showed no change" in miss.reason
    assert len({copy.package.key for copy in campus.copies()}) == 2


def forget_probe(campus: Nights) -> None:
    """As a copy of an earlier release, which read nothing before its export."""
    change(campus, lambda document: document.pop("probe"))


def other_user(campus: Nights) -> None:
    change(campus, lambda document: document["export"].update(user_id=77))


def other_version(campus: Nights) -> None:
    change(campus, lambda document: document["export"].update(version="1.3"))


def incomplete(campus: Nights) -> None:
    change(campus, lambda document: document["proof"].update(verdict="incomplete"))


def unreadable(campus: Nights) -> None:
    next(campus.folder.glob("courses/100/*.json")).write_text("{")


def lose_package(campus: Nights) -> None:
    next(campus.folder.glob("courses/100/*.imscc")).unlink()


def cut_package(campus: Nights) -> None:
    package = next(campus.folder.glob("courses/100/*.imscc"))
    package.write_bytes(package.read_bytes()[:-1])


def find_damage(campus: Nights) -> None:
    (copy,) = campus.copies()
    record = RecordName(copy.key, RecordKind.VERIFY, copy.stored_at, "full", "damaged")
    campus.store.put_if_absent(record.key, b"{}")


def change(campus: Nights, edit: Callable[[dict[str, Any]], object]) -> None:
    path = next(campus.folder.glob("courses/100/*.json"))
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))


def test_an_edit_while_canvas_builds_the_package_is_no_miss(campus: Nights) -> None:
    (item,) = campus.night().values()
    while campus.copies()[-1].export.id == 501:  # until the limit forces an export
        rig = campus.rig()
        with rig.process() as batch:
            while (wait := batch.advance()) is not None:
                campus.canvas.make_edit(100, EditKind.PAGE_SAVED)
                campus.canvas.advance(60)
                batch.record_polls(batch.poll(wait.exports, wait.wake))
            (item,) = batch.items
    assert item.outcome is not None
    assert (item.outcome.value, item.probe_result) == ("stored", None)
    assert campus.manifests()[-1]["probe"]["checks"] == 0


@pytest.mark.parametrize(
    "spoil",
    [
        forget_probe,
        other_user,
        other_version,
        incomplete,
        unreadable,
        lose_package,
        cut_package,
        find_damage,
    ],
)
def test_whatever_is_wrong_with_the_copy_the_course_is_exported(
    campus: Nights, spoil: Callable[[Nights], None]
) -> None:
    campus.night()
    spoil(campus)
    posts = campus.posts
    (item,) = campus.night().values()
    assert campus.posts == posts + 1
    assert item.probe_result is None


@pytest.mark.parametrize(
    "switches",
    [
        replace(MANUAL, graphql=False),
        replace(MANUAL, graphql_max_tokens=10),
        replace(MANUAL, graphql_missing_fields=("Course.modulesConnection", "Course.updatedAt")),
        replace(MANUAL, new_quizzes=NewQuizzes.WHOLE),
        replace(MANUAL, export_touches_course=True),
    ],
    ids=["no GraphQL", "a small limit", "an old schema", "New Quizzes", "exports move the time"],
)
def test_a_canvas_that_does_not_tell_exports_every_course_every_night(
    tmp_path: Path, switches: object
) -> None:
    with nights(tmp_path, switches=switches) as campus:  # type: ignore[arg-type]
        outcomes = [next(iter(campus.night().values())) for _ in range(3)]
    assert [item.probe_result for item in outcomes] == [None] * 3
    assert [item.outcome and item.outcome.value for item in outcomes] == ["stored", "unchanged", "unchanged"]


def test_a_batch_that_is_taken_up_days_later_asks_about_today(campus: Nights) -> None:
    campus.night()
    rig = campus.rig()
    campus.canvas.advance(2 * DAY)
    campus.canvas.make_edit(100, EditKind.PAGE_SAVED)
    campus.canvas.advance(3600)
    assert campus.night(rig)["course:100"].probe_result is None
    assert campus.posts == 2


def test_a_probe_of_days_ago_confirms_nothing(campus: Nights) -> None:
    campus.night()
    rig = campus.rig(die_at=range(1, 3))
    while '"probe"' not in rig.written:
        with rig.process() as batch, pytest.raises(KilledError):
            batch.advance()
    campus.canvas.advance(2 * DAY)
    assert campus.night(rig)["course:100"].probe_result == "equal", "exported, and compared"
    assert campus.posts == 2


def until_forced(campus: Nights, fault: RequestFault | None = None) -> Item:
    """Night after night until the limit forces an export; while Canvas builds its package, a fault begins."""
    while True:
        with campus.rig().process() as batch:
            wait = batch.advance()
            if wait is not None and fault is not None:
                campus.canvas.inject(fault)
            while wait is not None:
                campus.canvas.advance(60)
                batch.record_polls(batch.poll(wait.exports, wait.wake))
                wait = batch.advance()
            (item,) = batch.items
        if item.probe_result != "skipped":
            return item


@pytest.mark.parametrize(
    "effect",
    [Effect.BAD_TOKEN, Effect.DENIED, Effect.ERROR_PAGE, Effect.GARBLED, Effect.WRONG_SHAPE, Effect.REFUSED],
)
def test_a_package_is_stored_although_the_course_cannot_be_read_again(campus: Nights, effect: Effect) -> None:
    campus.night()
    campus.canvas.make_edit(100, EditKind.USAGE_RIGHTS_SET)
    item = until_forced(campus, RequestFault(effect, "POST", "/api/graphql", times=None))
    assert item.outcome is not None
    assert (item.outcome.value, item.probe_result) == ("stored", None)


@pytest.mark.parametrize("count", [10**9, 2**256 - 1])
def test_no_count_of_a_foreign_manifest_makes_the_next_one_unreadable(campus: Nights, count: int) -> None:
    campus.night()
    change(campus, lambda document: document["probe"].update(checks=count, misses=count))
    campus.night()
    assert len(campus.copies()) == 2
    assert campus.manifests()[-1]["probe"]["check"] == "equal"


@pytest.mark.parametrize("confirmed_at", ["2999-01-01T00:00:00Z", "1990-01-01T00:00:00Z"])
def test_a_copy_with_an_odd_time_of_confirmation_is_not_confirmed(campus: Nights, confirmed_at: str) -> None:
    campus.night()
    campus.night()
    first, last = sorted(campus.folder.glob("courses/100/*.json"))
    document = json.loads(last.read_text())
    document["confirmed_at"] = confirmed_at
    moment = confirmed_at.replace("-", "").replace(":", "")
    last.with_name(f"{moment}-common_cartridge-501.json").write_text(json.dumps(document))
    first.unlink()
    last.unlink()
    assert campus.results() == {"course:100": None}


def test_never_asks_nothing(tmp_path: Path) -> None:
    with nights(tmp_path, skip_unchanged="never") as campus:
        campus.night()
        campus.night()
        assert (campus.posts, campus.questions) == (2, 0)
        assert [manifest["probe"] for manifest in campus.manifests()] == [None, None]


def test_a_night_with_never_between_two_others_keeps_its_promise(campus: Nights) -> None:
    campus.night()
    assert campus.outcomes(skip_unchanged="never") == {"course:100": "unchanged"}
    assert campus.results() == {"course:100": None}, "nothing was read before the last export"
    assert campus.results() == {"course:100": "skipped"}


def test_an_export_by_hand_does_not_forget_the_misses_of_a_course(campus: Nights) -> None:
    campus.night()
    campus.canvas.make_edit(100, EditKind.USAGE_RIGHTS_SET)
    assert until_forced(campus).probe_result == "miss"
    assert campus.outcomes(skip_unchanged="never") == {"course:100": "unchanged"}
    probe = campus.manifests()[-1]["probe"]
    assert (probe["misses"], probe["checks"], probe["updated_at"], probe["check"]) == (1, 1, None, None)
    assert campus.results() == {"course:100": None}, "nothing was read before the last export"
    assert campus.results() == {"course:100": "skipped"}
    assert campus.manifests()[-1]["probe"]["misses"] == 1


def test_groups_users_and_selections_are_always_exported(tmp_path: Path) -> None:
    with nights(tmp_path, courses=[], users=["self"], export_type="zip") as campus:
        campus.night()
        campus.night()
        assert (campus.posts, campus.questions) == (2, 0)
    with nights(tmp_path / "selection", select={"pages": [1]}) as campus:
        campus.night()
        campus.night()
        assert (campus.posts, campus.questions) == (2, 0)


@pytest.mark.parametrize(
    "template", ["{export_id}", "{course_code}/{created}_{export_id}", "{term}/{export_id}-x"]
)
def test_a_copy_is_confirmed_every_night_whatever_its_name(tmp_path: Path, template: str) -> None:
    if template == "{term}/{export_id}-x":
        template = "{term}/{export_id}_x"
    with nights(tmp_path, key_template=template) as campus:
        results = [campus.results()["course:100"] for _ in range(4)]
        assert results == [None, "skipped", "skipped", "skipped"]
        assert len(campus.copies()) == 4


def test_each_export_type_is_confirmed_by_itself(tmp_path: Path) -> None:
    with nights(tmp_path, export_type=["common_cartridge", "zip"]) as campus:
        campus.night()
        posts, questions = campus.posts, campus.questions
        campus.night()
        assert (campus.posts - posts, campus.questions - questions) == (0, 1)
        assert sorted(copy.export.type for copy in campus.copies() if copy.confirmed_at) == [
            "common_cartridge",
            "zip",
        ]


def test_courses_named_by_sis_id_are_skipped_too(tmp_path: Path) -> None:
    course = replace(plain(100), sis_course_id="BIO/100")
    with nights(tmp_path, course, courses=["sis_course_id:BIO/100"]) as campus:
        results = [list(campus.results().values()) for _ in range(3)]
    assert results == [[None], ["skipped"], ["skipped"]]


def test_the_report_of_a_night_counts_what_was_skipped(campus: Nights) -> None:
    campus.night()
    rig = campus.rig()
    (item,) = campus.night(rig).values()
    store_batch_report(campus.store, [item], rig.run, started_at=time.time())
    report = gather_run_report(campus.store, rig.run, [("course:100", "common_cartridge")])
    assert report.receipt.outcomes == {"unchanged": 1}
    assert "1 course not exported" in report.table
    summary = summary_of(campus.store, report.receipt.report)
    assert summary.probes == summary.to_json()["probes"] == {"skipped": 1, "checks": 0, "misses": 0}


class TestSeveralArchives:
    def test_each_of_them_has_the_copy_of_the_night(self, tmp_path: Path) -> None:
        second = tmp_path / "second"
        with nights(tmp_path / "first", also=[second]) as campus:
            campus.night()
            assert campus.results() == {"course:100": "skipped"}
            assert [len(campus.copies(folder=folder)) for folder in (campus.folder, second)] == [2, 2]

    def test_a_course_is_exported_if_one_of_them_cannot_confirm_it(self, tmp_path: Path) -> None:
        second = tmp_path / "second"
        with nights(tmp_path / "first", also=[second]) as campus:
            campus.night()
            next(second.glob("courses/100/*.imscc")).unlink()
            (item,) = campus.night().values()
            assert item.probe_result == "equal", "the other archive could compare"
            assert campus.posts == 2
            assert [campus.copies(folder=each)[-1].is_proven for each in (campus.folder, second)] == [
                True,
                True,
            ]


class TestKilled:
    @pytest.mark.parametrize("stored", [True, False], ids=["after the save", "before it"])
    @pytest.mark.parametrize("at", range(1, 5))
    def test_at_any_save_no_copy_is_confirmed_twice_and_none_is_lost(
        self, tmp_path: Path, at: int, stored: bool
    ) -> None:
        with nights(tmp_path, plain(100), plain(101), courses=["100", "101"]) as campus:
            campus.night()
            campus.canvas.make_edit(101, EditKind.PAGE_SAVED)
            campus.canvas.advance(3600)
            items = campus.night(campus.rig(die_at={at}, stored=stored))
            assert [item.outcome and item.outcome.value for item in items.values()] == ["unchanged", "stored"]
            assert [len(campus.copies(number)) for number in (100, 101)] == [2, 2]
            assert campus.posts == 3

    def test_a_run_whose_state_is_lost_finds_its_confirmation(self, campus: Nights) -> None:
        campus.night()
        rig = campus.rig()
        campus.night(rig)
        rig.lose_the_checkpoint(since=campus.now().timestamp())
        (item,) = campus.night(rig).values()
        assert item.probe_result == "skipped"
        assert len(campus.copies()) == 2


def test_everything_is_exported_when_a_person_wants_it_so(campus: Nights) -> None:
    campus.night()
    rig = campus.rig()
    rig.written = json.dumps(Batch.start(rig.options, now=time.time(), exports_all=True).to_json())
    campus.night(rig)
    assert campus.posts == 2
    assert campus.results() == {"course:100": "skipped"}, "its probe was stored"


class Unwritable(FileStore):
    """An archive that can be read, and where nothing new can be stored."""

    def put_if_absent(self, key: str, data: bytes) -> bool:  # noqa: ARG002 - whatever is stored
        raise OSError("read-only")


def test_an_archive_that_takes_no_manifest_does_not_fail_the_batch(campus: Nights) -> None:
    campus.night()
    rig = campus.rig()
    writable = rig.stores[0]
    rig.stores[0] = Unwritable(campus.folder.as_uri(), campus.folder)
    with rig.process() as batch:
        rig.stores[0] = writable
        assert batch.advance() is not None, "it waits for an export"
    assert campus.posts == 2


def test_a_gone_course_is_reported_as_such(tmp_path: Path) -> None:
    with nights(tmp_path, plain(100), Course(id=101), courses=["100", "101"]) as campus:
        campus.night()
        campus.canvas.delete_course(101)
        assert campus.outcomes() == {"course:100": "unchanged", "course:101": "gone"}
