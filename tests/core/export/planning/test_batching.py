"""From a list of contexts to batches: none twice, none lost, the neediest first."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas_exports.core.archive.layout import manifest_key, package_key
from canvas_exports.core.export.options import MAX_EXPORTS
from canvas_exports.core.export.planning.batching import (
    MAX_BATCHES,
    cut,
    last_copies,
    oldest_copy_first,
    unique,
)
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import (
    BadRequestError,
    CanvasUnavailableError,
    CredentialError,
    InputError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnexpectedResponseError,
)

NOW = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)


def answers() -> None:
    """A Canvas that says who we are."""


def course(number: int) -> Context:
    return Context(ContextKind.COURSE, str(number))


def courses(count: int) -> list[Context]:
    return [course(number) for number in range(1, count + 1)]


class TestUnique:
    def test_two_spellings_of_one_course_are_one_course_in_the_place_of_the_first(self) -> None:
        asked: list[str] = []

        def resolve(context: Context) -> int:
            asked.append(str(context))
            return 102

        listed = [Context.parse(text) for text in ("101", "sis_course_id:B", "102", "sis_course_id:B", "103")]
        assert unique(listed, resolve, answers) == [course(101), course(102), course(103)]
        assert asked == ["course:sis_course_id:B"], (
            "Canvas is asked once for each name, and never for a number"
        )

    def test_a_course_and_a_group_of_one_number_are_two(self) -> None:
        listed = [Context.parse("course:7"), Context.parse("group:7"), Context.parse("user:7")]
        assert unique(listed, lambda _: 0, answers) == listed

    @pytest.mark.parametrize("error", [NotFoundError, PermissionDeniedError])
    def test_a_name_that_leads_nowhere_is_kept_for_its_batch_to_report(self, error: type[Exception]) -> None:
        def resolve(_: Context) -> int:
            raise error("no")

        unknown = Context.parse("sis_course_id:GONE")
        assert unique([course(1), unknown, unknown], resolve, answers) == [course(1), unknown]

    @pytest.mark.parametrize(
        "error",
        [
            CanvasUnavailableError("500"),
            UnexpectedResponseError("a page"),
            BadRequestError("400"),
            CredentialError("401"),
            ThrottledError("429"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_a_name_that_canvas_refuses_to_resolve_is_kept_and_the_others_are_resolved(
        self, error: Exception
    ) -> None:
        def resolve(context: Context) -> int:
            if context.id.startswith("sis_course_id:BAD"):
                raise error
            return 102

        bad = [Context.parse(f"sis_course_id:BAD-{number}") for number in range(5)]
        good = Context.parse("sis_course_id:GOOD")
        assert unique([*bad, good, course(101)], resolve, answers) == [*bad, course(102), course(101)]

    def test_a_canvas_that_answers_nothing_at_all_is_no_answer(self) -> None:
        asked: list[Context] = []

        def refuse(context: Context | None = None) -> int:
            if context is not None:
                asked.append(context)
            raise CanvasUnavailableError("no connection")

        with pytest.raises(CanvasUnavailableError):
            unique([Context.parse(f"sis_course_id:{number}") for number in range(100)], refuse, refuse)
        assert len(asked) == 3

    def test_a_token_that_is_refused_for_everything_is_no_answer(self) -> None:
        def refuse(_: Context | None = None) -> int:
            raise CredentialError("revoked")

        with pytest.raises(CredentialError):
            unique([Context.parse("sis_course_id:A")], refuse, refuse)

    @given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=30))
    def test_each_context_comes_once_and_in_order(self, listed: list[tuple[int, bool]]) -> None:
        spelled = [
            Context.parse(f"sis_course_id:S-{number}") if by_name else course(number)
            for number, by_name in listed
        ]
        found = unique(spelled, lambda context: int(context.id.rpartition("-")[2]), answers)
        assert found == list(dict.fromkeys(course(number) for number, _ in listed))


class TestNeed:
    def store(self, folder: Path, copies: dict[str, list[int]]) -> FileStore:
        """An archive with a package and its manifest, so many days old, for each context."""
        store = FileStore(folder.as_uri(), folder)
        for text, ages in copies.items():
            context = Context.parse(text)
            for export_id, age in enumerate(ages, start=501):
                key = package_key(
                    context.kind.value,
                    context.canvas_id or 0,
                    export_type="zip",
                    export_id=export_id,
                    created=NOW - timedelta(days=age),
                    suffix=".zip",
                    template="{term}/{export_id}",
                    term=f"{age} days ago",
                )
                store.put(key, [b"package"])
                store.put(manifest_key(key), [b"{}"])
                moment = (NOW - timedelta(days=age)).timestamp()
                os.utime(folder / manifest_key(key), (moment, moment))
        return store

    def test_the_newest_manifest_of_each_context_is_found(self, tmp_path: Path) -> None:
        store = self.store(tmp_path, {"101": [9, 2, 5], "group:7": [1], "user:3": [4]})
        assert last_copies(store) == {
            Context.parse("101"): NOW - timedelta(days=2),
            Context.parse("group:7"): NOW - timedelta(days=1),
            Context.parse("user:3"): NOW - timedelta(days=4),
        }

    def test_a_package_without_a_manifest_is_no_copy(self, tmp_path: Path) -> None:
        store = self.store(tmp_path, {})
        store.put("courses/101/x-501.imscc", [b"package"])
        store.put("courses/notes/readme.json", [b"{}"])
        store.put("runs/2026-11-23/a/b/report.json", [b"{}"])
        assert last_copies(store) == {}

    def test_no_copy_first_then_the_oldest_otherwise_as_listed(self, tmp_path: Path) -> None:
        newest = last_copies(self.store(tmp_path, {"1": [1], "2": [30], "4": [8, 300], "6": [30]}))
        assert oldest_copy_first(courses(6), newest) == [course(number) for number in (3, 5, 2, 6, 4, 1)]

    @given(st.permutations(courses(8)), st.dictionaries(st.sampled_from(courses(8)), st.integers(0, 3)))
    def test_ordering_loses_nothing(self, listed: list[Context], ages: dict[Context, int]) -> None:
        newest = {context: NOW - timedelta(days=age) for context, age in ages.items()}
        ordered = oldest_copy_first(listed, newest)
        assert sorted(ordered) == sorted(listed)
        needs = [newest.get(context, datetime.min.replace(tzinfo=timezone.utc)) for context in ordered]
        assert needs == sorted(needs)


class TestCut:
    @settings(max_examples=50)
    @given(st.integers(0, 30_000), st.integers(1, MAX_EXPORTS), st.integers(1, 3))
    def test_every_context_is_in_exactly_one_batch_in_order_and_airflow_can_map_them(
        self, count: int, size: int, exports_each: int
    ) -> None:
        size = min(size, MAX_EXPORTS // exports_each)
        listed = courses(count)
        batches = cut(listed, size, exports_each=exports_each)
        assert [text for batch in batches for text in batch] == [str(context) for context in listed]
        assert len(batches) <= MAX_BATCHES
        assert all(1 <= len(batch) * exports_each <= MAX_EXPORTS for batch in batches)
        if count <= size * MAX_BATCHES:
            assert all(len(batch) == size for batch in batches[:-1]), "no larger than asked for without need"

    @pytest.mark.parametrize(("size", "exports_each", "most"), [(0, 1, 200), (201, 1, 200), (67, 3, 66)])
    def test_a_size_out_of_range_is_refused_with_the_range(
        self, size: int, exports_each: int, most: int
    ) -> None:
        with pytest.raises(InputError, match=rf"batch_size: {size} is out of range\. Accepted: 1 to {most}"):
            cut(courses(3), size, exports_each=exports_each)

    def test_more_than_one_run_can_carry_is_refused_with_the_limit(self) -> None:
        many = courses(1) * (MAX_EXPORTS * MAX_BATCHES)
        assert len(cut(many, 50)) == MAX_BATCHES
        with pytest.raises(
            InputError, match=r"courses: 204,801 are more .* Accepted: at most 204,800; divide them"
        ):
            cut([*many, course(2)], 50)
