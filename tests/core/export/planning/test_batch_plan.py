"""A run's plan: what it says once, it says for good."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas_exports.core.archive.key_patterns import KeyPatterns
from canvas_exports.core.export.options import MAX_EXPORTS
from canvas_exports.core.export.planning.batch_plan import (
    BatchReference,
    batch_name,
    planned,
    read_batch,
    write_plan,
)
from canvas_exports.core.export.planning.batching import MAX_BATCHES
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveError, InputError

RUN = RunInfo("nightly", "manual__2026-11-23", "list", date(2026, 11, 23))
FOLDER = "runs/2026-11-23/nightly/manual__2026-11-23/plan/"


def courses(*numbers: int) -> list[Context]:
    return [Context.parse(number) for number in numbers]


def texts(*numbers: int) -> list[str]:
    return [f"course:{number}" for number in numbers]


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


def batches(store: FileStore, references: list[BatchReference]) -> list[list[str]]:
    return [read_batch(store, reference) for reference in references]


class TestWriting:
    def test_each_reference_leads_to_its_batch(self, store: FileStore) -> None:
        references = write_plan(store, RUN, courses(5, 3, 4), 2)
        assert [reference.batch for reference in references] == [0, 1]
        assert batches(store, references) == [texts(5, 3), texts(4)]
        assert [reference.name for reference in references] == ["course:5 and 1 more", "course:4"]

    def test_any_name_a_course_can_have_survives(self, store: FileStore) -> None:
        strange = [Context.parse(f"sis_course_id:{name}") for name in ("Ä/1", 'a"b\\', "x y", "日本\u2028")]
        (reference,) = write_plan(store, RUN, strange, 50)
        assert read_batch(store, reference) == [str(context) for context in strange]

    def test_nothing_to_do_is_no_plan(self, store: FileStore) -> None:
        assert write_plan(store, RUN, [], 50) == []
        assert list(store.list()) == []

    def test_the_plan_lies_below_the_run_and_is_known_as_ours(self, store: FileStore) -> None:
        write_plan(store, RUN, courses(1), 50)
        (info,) = store.list()
        assert info.key == f"{FOLDER}0.jsonl"
        assert KeyPatterns().owns(info.key)

    def test_two_runs_have_two_plans(self, store: FileStore) -> None:
        write_plan(store, RUN, courses(1), 50)
        (other,) = write_plan(store, replace(RUN, run_id="manual__2026-11-24"), courses(2), 50)
        assert read_batch(store, other) == texts(2)

    def test_more_than_a_run_can_carry_is_refused_before_anything_is_written(self, store: FileStore) -> None:
        many = courses(1) * (MAX_EXPORTS * MAX_BATCHES + 1)
        with pytest.raises(InputError, match="divide them among several backups"):
            write_plan(store, RUN, many, 50)
        assert list(store.list()) == []

    def test_more_than_a_run_has_room_left_for_is_refused(
        self, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("canvas_exports.core.export.planning.batching.MAX_BATCHES", 2)
        write_plan(store, RUN, courses(1, 2), 1)
        with pytest.raises(InputError, match="at most 0 more, as the run has some already"):
            write_plan(store, RUN, courses(1, 2, 3), 1)


class TestMadeAgain:
    """The list task is retried or cleared while batches are under way."""

    def test_the_same_list_in_another_order_is_the_same_plan(self, store: FileStore) -> None:
        first = write_plan(store, RUN, courses(1, 2, 3), 2)
        assert write_plan(store, RUN, courses(3, 1, 2), 1) == first

    def test_what_is_new_comes_after_what_was_there(self, store: FileStore) -> None:
        first = write_plan(store, RUN, courses(1, 2, 3), 2)
        second = write_plan(store, RUN, courses(9, 2, 8, 3), 2)
        assert second[:2] == first
        assert batches(store, second) == [texts(1, 2), texts(3), texts(9, 8)]
        assert [reference.batch for reference in second] == [0, 1, 2]
        assert write_plan(store, RUN, courses(8), 2) == second

    def test_of_two_attempts_at_once_the_first_word_counts(self, tmp_path: Path) -> None:
        class Racing(FileStore):
            def put_if_absent(self, key: str, data: bytes) -> bool:
                if key.endswith("/0.jsonl"):
                    write_plan(FileStore(self.uri, tmp_path), RUN, courses(2, 7), 1)
                return super().put_if_absent(key, data)

        store = Racing(tmp_path.as_uri(), tmp_path)
        references = write_plan(store, RUN, courses(1, 2), 1)
        assert batches(store, references) == [texts(2), texts(7), texts(1)]

    @settings(max_examples=60)
    @given(
        st.lists(
            st.tuples(st.lists(st.integers(1, 30), unique=True, max_size=12), st.integers(1, 5)), max_size=5
        )
    )
    def test_a_batch_never_changes_and_nothing_is_lost_or_doubled(
        self, lists: list[tuple[list[int], int]]
    ) -> None:
        with TemporaryDirectory() as folder:
            store = FileStore(Path(folder).as_uri(), Path(folder))
            before: list[BatchReference] = []
            seen: set[int] = set()
            for numbers, size in lists:
                references = write_plan(store, RUN, courses(*numbers), size)
                seen |= set(numbers)
                assert references[: len(before)] == before
                listed = [text for batch in batches(store, references) for text in batch]
                assert len(listed) == len(set(listed))
                assert set(listed) == set(texts(*seen))
                assert list(planned(store, [each.to_json() for each in references])) == listed
                before = references


class TestReading:
    def test_references_and_lists_are_both_understood(self, store: FileStore) -> None:
        (reference,) = write_plan(store, RUN, courses(1, 2), 50)
        given: list[Any] = [reference.to_json(), ["course:3", "group:4"], "course:5"]
        assert list(planned(store, given)) == [*texts(1, 2, 3), "group:4", "course:5"]

    def test_a_reference_survives_an_xcom_and_stays_small(self, store: FileStore) -> None:
        references = write_plan(store, RUN, courses(*range(1_000_000, 1_000_200)), 200)
        text = json.dumps(references[0].to_json())
        assert BatchReference.from_json(json.loads(text)) == references[0]
        assert len(text) < 220

    @pytest.mark.parametrize("document", [{}, {"plan": "x"}, {"plan": "x", "batch": "first"}])
    def test_what_is_no_reference_is_refused(self, document: dict[str, Any]) -> None:
        with pytest.raises(InputError, match="not a reference"):
            BatchReference.from_json(document)

    @pytest.mark.parametrize("key", [f"{FOLDER}0.jsonl", "../../elsewhere"])
    def test_a_plan_that_is_not_in_this_archive_is_named(self, store: FileStore, key: str) -> None:
        reference = BatchReference(key, 0, 0, 10, "course:1")
        with pytest.raises(InputError, match="does not hold the plan"):
            read_batch(store, reference)
        with pytest.raises(InputError, match="does not hold the plan"):
            list(planned(store, [reference.to_json()]))

    @pytest.mark.parametrize("data", [b"", b"half a", b"{}\n[]", b'{"schema": "another", "first": 0}\n'])
    def test_a_damaged_plan_is_an_error_and_no_empty_one(self, store: FileStore, data: bytes) -> None:
        store.replace(f"{FOLDER}0.jsonl", data)
        with pytest.raises(ArchiveError, match="not a plan"):
            write_plan(store, RUN, courses(1), 50)
        with pytest.raises(ArchiveError, match="not a plan"):
            read_batch(store, BatchReference(f"{FOLDER}0.jsonl", 0, 0, 5, ""))


@pytest.mark.parametrize(
    ("contexts", "name"),
    [
        (["course:101"], "course:101"),
        ([f"course:{number}" for number in range(1500)], "course:0 and 1,499 more"),
        ([101, 102], "101 and 1 more"),
        (["course:sis_course_id:" + "x" * 200, "course:2"], f"course:sis_course_id:{'x' * 58}… and 1 more"),
        ([], "nothing"),
    ],
)
def test_a_batch_is_named_after_its_contexts(contexts: list[Any], name: str) -> None:
    assert batch_name(contexts) == name
