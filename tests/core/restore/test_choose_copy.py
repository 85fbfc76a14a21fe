"""Which copy is restored, by what a person wrote."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.archives.holdings import DAY, lay, manifest, note

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.restore.choose_copy import choose_copy
from canvas_exports.core.restore.form_labels import LABELS
from canvas_exports.core.restore.request import CopyChoice, RestoreRequest
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import InputError, NotFoundError


class Canvas:
    """Knows no SIS id."""

    def resolve(self, *_: object) -> int:
        raise NotFoundError("deleted")


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


@pytest.fixture
def nights(store: FileStore) -> list[Manifest]:
    """Copies of ten nights, at two in the morning."""
    return [lay(store, manifest(day=day, export_id=500 + day)) for day in range(10)]


def chosen(store: FileStore, copy: str = "newest", **arguments: Any) -> int:
    request = RestoreRequest.build(**{"course": 101, "into": 300, "copy": copy, **arguments})
    return choose_copy(store, cast("CanvasClient", Canvas()), request).export.id


@pytest.mark.usefixtures("nights")
class TestByDate:
    def test_newest(self, store: FileStore) -> None:
        assert chosen(store) == 509
        assert chosen(store, " Newest ") == 509

    def test_a_day_means_what_was_there_at_its_end(self, store: FileStore) -> None:
        assert chosen(store, "2026-11-05") == 504
        assert chosen(store, "2027-01-01") == 509

    def test_a_time_is_in_utc_unless_it_says_otherwise(self, store: FileStore) -> None:
        assert chosen(store, "2026-11-05T01:59") == 503
        assert chosen(store, "2026-11-05T02:00Z") == 504
        assert chosen(store, "2026-11-05T02:30+01:00") == 503

    def test_a_day_before_the_first_copy_is_refused_with_what_there_is(self, store: FileStore) -> None:
        with pytest.raises(InputError, match=r"that old.*courses/101/20261110T020000Z-common_cartridge-509"):
            chosen(store, "2026-10-31")


class TestProven:
    def test_what_is_not_proven_is_passed_over(self, store: FileStore, nights: list[Manifest]) -> None:
        note(store, nights[9], day=20, result="damaged")
        store.delete(nights[8].package.key)
        lay(store, manifest(day=11, export_id=600, verdict=Verdict.INCOMPLETE))
        lay(store, manifest(day=12, export_id=601, verdict=Verdict.EMPTY))
        assert chosen(store) == 507

    def test_an_incomplete_copy_is_taken_only_where_it_is_allowed(self, store: FileStore) -> None:
        lay(store, manifest(verdict=Verdict.INCOMPLETE))
        with pytest.raises(InputError, match="is proven: this copy is incomplete, not proven whole"):
            chosen(store)
        assert chosen(store, allow_incomplete=True) == 501

    def test_a_damaged_copy_is_never_taken(self, store: FileStore) -> None:
        document = lay(store, manifest(verdict=Verdict.INCOMPLETE))
        note(store, document, day=3, result="damaged")
        for copy in ("newest", document.package.key):
            with pytest.raises(InputError, match="damaged or missing"):
                chosen(store, copy, allow_incomplete=True)

    def test_a_copy_of_another_type_is_no_copy(self, store: FileStore) -> None:
        lay(store, manifest(export_type="zip"))
        with pytest.raises(InputError, match="holds no common_cartridge copy of course:101"):
            chosen(store)
        assert chosen(store, export_type="zip") == 501


def test_a_course_of_which_no_manifest_can_be_read_is_reported(store: FileStore) -> None:
    lay(store, manifest("course:102"))
    key = manifest_key(lay(store, manifest()).package.key)
    store.replace(key, b"[" * 100_000)
    with pytest.raises(
        InputError, match=f"no common_cartridge copy of course:101; {key} cannot be read: it is not"
    ):
        chosen(store)


class TestByKey:
    def test_manifest_and_package_both_name_a_copy(self, store: FileStore, nights: list[Manifest]) -> None:
        key = nights[3].package.key
        assert chosen(store, key) == chosen(store, manifest_key(key)) == 503

    def test_a_key_of_another_course_names_none(self, store: FileStore, nights: list[Manifest]) -> None:
        with pytest.raises(InputError, match="course:102 has no copy with that key"):
            chosen(store, nights[3].package.key, course=102)

    def test_an_unchanged_course_is_restored_from_the_package_its_manifest_names(
        self, store: FileStore, nights: list[Manifest]
    ) -> None:
        lay(store, manifest(day=30, export_id=700), names=nights[2])
        request = RestoreRequest.build(course=101, into=300)
        found = choose_copy(store, cast("CanvasClient", Canvas()), request)
        assert (found.export.id, found.package.key) == (700, nights[2].package.key)


class TestByName:
    """A deleted course has no SIS id in Canvas any more; its manifests still have it."""

    BIOLOGY: ClassVar[dict[str, Any]] = {
        "sis_id": "BIO-101",
        "course_code": "BIO 101",
        "name": "Introduction to Biology",
    }

    @pytest.mark.parametrize(
        "course",
        [
            "sis_course_id:BIO-101",
            "BIO-101",
            "bio 101",
            " Introduction  to biology ",
            "course:sis_course_id:BIO-101",
        ],
    )
    def test_a_deleted_course_is_found_in_its_manifests(self, store: FileStore, course: str) -> None:
        lay(store, manifest("course:101", export_id=7, facts=self.BIOLOGY))
        lay(store, manifest("course:102", export_id=8, facts={"name": "Chemistry"}))
        assert chosen(store, course=course) == 7

    def test_canvas_is_asked_first_for_an_sis_id(self, store: FileStore) -> None:
        lay(store, manifest("course:101", export_id=7, facts=self.BIOLOGY))
        lay(store, manifest("course:205", export_id=8))

        class Moved:
            def resolve(self, *_: object) -> int:
                return 205

        request = RestoreRequest.build(course="sis_course_id:BIO-101", into=300)
        assert choose_copy(store, cast("CanvasClient", Moved()), request).export.id == 8

    def test_of_several_each_is_named_with_its_number(self, store: FileStore) -> None:
        lay(store, manifest("course:101", facts=self.BIOLOGY))
        lay(store, manifest("course:205", day=3, facts={**self.BIOLOGY, "sis_id": "BIO-101-B"}))
        with pytest.raises(InputError) as error:
            chosen(store, course="BIO 101")
        assert str(error.value) == (
            "Course to restore: 2 courses are called 'BIO 101': course:205 (BIO-101-B, BIO 101, Introduction to "
            "Biology), last copied 2026-11-04; course:101 (BIO-101, BIO 101, Introduction to Biology), last copied "
            "2026-11-01. Accepted: the number of one of them."
        )
        assert chosen(store, course="BIO-101") == 501  # the SIS id is that of one

    def test_one_that_nobody_knows_is_a_sentence(self, store: FileStore) -> None:
        lay(store, manifest("course:101", facts=self.BIOLOGY))
        with pytest.raises(
            InputError, match=r"deleted course loses its SIS id.*no manifest in this archive names"
        ):
            chosen(store, course="sis_course_id:PHY")
        with pytest.raises(
            InputError, match="Course to restore: no manifest in this archive names 'Physics'"
        ):
            chosen(store, course="Physics")

    @pytest.mark.parametrize("course", [None, "", "  ", "x" * 300])
    def test_no_name_at_all_is_refused(self, course: Any) -> None:
        with pytest.raises(InputError, match=r"Course to restore: is (missing|too long)"):
            RestoreRequest.build(course=course, into=300)


class TestAdvice:
    """What a message recommends is never what was just refused, and it speaks as the form does."""

    def refusal(self, store: FileStore, copy: str = "newest", **arguments: Any) -> str:
        with pytest.raises(InputError) as error:
            chosen(store, copy, **arguments)
        return str(error.value)

    @pytest.mark.parametrize("spoil", ["incomplete", "empty", "damaged", "vanished", "gone"])
    def test_a_refused_copy_is_not_the_next_step(self, store: FileStore, spoil: str) -> None:
        lay(store, manifest(day=1, export_id=601))
        verdict = {"incomplete": Verdict.INCOMPLETE, "empty": Verdict.EMPTY}.get(spoil, Verdict.WHOLE)
        bad = lay(store, manifest(day=2, export_id=602, verdict=verdict))
        if spoil in ("damaged", "vanished"):
            note(store, bad, day=5, result=spoil)
        if spoil == "gone":
            store.delete(bad.package.key)
        message = self.refusal(store, bad.package.key)
        assert "-601." in message
        assert "-602." not in message

    def test_without_any_that_may_be_restored_none_is_named(self, store: FileStore) -> None:
        bad = lay(store, manifest())
        note(store, bad, day=5, result="damaged")
        message = self.refusal(store)
        assert "courses/101/" not in message
        assert message.endswith("Accepted: a course that has a proven copy in this archive.")

    def test_an_incomplete_copy_is_offered_by_the_box_of_the_form(self, store: FileStore) -> None:
        lay(store, manifest(verdict=Verdict.INCOMPLETE))
        message = self.refusal(store)
        assert "'Allow an incomplete copy'" in message
        assert "allow_incomplete" not in message
        assert message.startswith("Copy: ")


@pytest.mark.parametrize(
    ("argument", "value"), [("course", ""), ("copy", "yesterday"), ("into", "somewhere"), ("into", "group:7")]
)
def test_what_the_form_lets_pass_is_blamed_by_the_title_of_its_field(argument: str, value: str) -> None:
    given: dict[str, Any] = {"course": 101, "into": 300, argument: value}
    with pytest.raises(InputError) as error:
        RestoreRequest.build(**given)
    assert str(error.value).startswith(f"{LABELS[argument]}: ")


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "../courses/101", "copy 3", "05.11.2026"])
def test_what_names_no_copy_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="Copy: "):
        CopyChoice.parse(text)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_every_moment_of_a_day_lies_before_its_end(moment: datetime) -> None:
    until = CopyChoice.parse(f"{moment:%Y-%m-%d}").until
    assert until is not None
    assert moment.replace(tzinfo=timezone.utc) <= until < moment.replace(tzinfo=timezone.utc) + DAY
    assert f"{until + timedelta(microseconds=1):%H:%M:%S}" == "00:00:00"
