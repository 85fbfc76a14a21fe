"""The gate opens only where every course has a copy that one can rely on; in doubt it stays shut."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.archives.holdings import DAY, START, manifest

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.read import Holding, UnreadableDocument
from canvas_exports.core.archive.deletion_gate import (
    DeletionGate,
    DeletionRule,
    gate_document,
    refusal,
)
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.errors import InputError

NOW = START + 10 * DAY
RULE = DeletionRule(level="full", max_age=7 * DAY, min_archives=1)
SHALLOW = replace(RULE, level="directory")


def copy(
    day: int = 9,
    verdict: Verdict = Verdict.WHOLE,
    *,
    verified: str | None = "intact",
    detail: str = "full",
    context: str = "course:101",
    export_type: str = "common_cartridge",
    select: Any = None,
) -> Copy:
    made = manifest(context, day=day, export_id=day + 1, verdict=verdict, export_type=export_type)
    made = replace(made, export=replace(made.export, select=select))
    key = manifest_key(made.package.key)
    records = [RecordName(key, RecordKind.VERIFY, NOW, detail, verified)] if verified else []
    return Copy.of(key, made, records=records)


def why(
    *copies: Copy, rule: DeletionRule = RULE, unreadable: tuple[UnreadableDocument, ...] = ()
) -> str | None:
    return refusal(Holding("course", 101, copies, unreadable), "common_cartridge", rule, now=NOW)


class TestOneCourse:
    def test_a_young_copy_proven_to_the_level_passes(self) -> None:
        assert why(copy()) is None

    def test_without_a_copy_it_does_not(self) -> None:
        assert why() == "the archive holds no copy"

    def test_the_newest_copy_counts_not_the_best(self) -> None:
        assert why(copy(8), copy(9, Verdict.INCOMPLETE)) == "its newest copy is incomplete"
        assert why(copy(8, Verdict.INCOMPLETE), copy(9)) is None

    def test_an_old_copy_does_not_pass(self) -> None:
        assert why(copy(3)) is None
        assert why(copy(2)) == "its newest copy is of 2026-11-03T02:00:00Z, 8 days ago"

    def test_a_damaged_one_does_not(self) -> None:
        assert "found damaged" in str(why(copy(verified="damaged")))

    def test_one_whose_package_is_not_there_does_not(self) -> None:
        assert "is missing" in str(why(replace(copy(), is_present=False)))

    def test_one_that_was_not_looked_at_deeply_enough_does_not(self) -> None:
        assert why(copy(verified=None)) == "its newest copy was never proven to the level full"
        assert why(copy(detail="directory")) == "its newest copy was never proven to the level full"
        assert why(copy(verified=None), rule=SHALLOW) is None

    @pytest.mark.parametrize(
        ("stated", "passes"), [({"k12": "0" * 64}, False), ({"k12": "0" * 64, "blake3": "0" * 64}, True)]
    )
    def test_one_that_could_not_be_compared_here_does_not(self, stated: dict[str, str], passes: bool) -> None:
        made = copy()
        made = replace(made, package=replace(made.package, digests=stated))
        assert (why(made) is None) == passes
        assert passes or "cannot be computed here: update this software" in str(why(made))

    def test_a_copy_of_another_export_type_is_no_copy(self) -> None:
        assert why(copy(export_type="qti")) == "the archive holds no copy"

    def test_an_export_of_selected_objects_neither_passes_nor_hides_the_copy(self) -> None:
        selected = copy(9, select={"pages": [1]})
        assert why(selected) == "the archive holds exports of selected objects only"
        assert why(copy(8), selected) is None

    def test_a_manifest_that_cannot_be_read_might_be_the_newest(self) -> None:
        document = UnreadableDocument("courses/101/a.json", "not a manifest: no JSON")
        assert (
            why(copy(), unreadable=(document,))
            == "courses/101/a.json cannot be read: not a manifest: no JSON"
        )


class TestEmpty:
    ACCEPTING = replace(RULE, accept_empty=True)

    def test_does_not_pass_unless_it_is_said(self) -> None:
        assert why(copy(verdict=Verdict.EMPTY)) == "its newest copy is empty"
        assert why(copy(verdict=Verdict.EMPTY), rule=self.ACCEPTING) is None

    def test_does_not_pass_if_an_earlier_copy_held_something(self) -> None:
        assert why(copy(8), copy(9, Verdict.EMPTY), rule=self.ACCEPTING) == "its newest copy is empty"

    def test_is_proven_as_deeply_as_any_other(self) -> None:
        shallow = copy(verdict=Verdict.EMPTY, verified=None)
        assert why(shallow, rule=self.ACCEPTING) == "its newest copy was never proven to the level full"


class TestSeveralArchives:
    def gate(self, needed: int, *archives: list[Copy]) -> DeletionGate:
        gate = DeletionGate(["course:101"], replace(RULE, min_archives=needed), now=NOW)
        for number, copies in enumerate(archives):
            gate.check(f"s3://{number}", [Holding("course", 101, tuple(copies))] if copies else [])
        return gate

    def test_so_many_must_hold_it(self) -> None:
        assert self.gate(2, [copy()], [copy()]).shortfalls() == []
        assert self.gate(1, [], [copy()]).shortfalls() == []
        (short,) = self.gate(2, [copy()], []).shortfalls()
        assert (short.context, short.good_in, short.why) == (
            "course:101",
            1,
            {"s3://1": "the archive holds no copy"},
        )

    def test_every_archive_says_why_not(self) -> None:
        (short,) = self.gate(2, [copy(verified=None)], [copy(0)]).shortfalls()
        assert list(short.why) == ["s3://0", "s3://1"]


class TestTheList:
    def test_what_no_archive_knows_does_not_pass(self) -> None:
        gate = DeletionGate(["course:101", "course:102"], RULE, now=NOW)
        gate.check("s3://a", [Holding("course", 101, (copy(),)), Holding("course", 7, ())])
        assert [short.context for short in gate.shortfalls()] == ["course:102"]

    def test_an_archive_that_was_never_asked_says_nothing_good(self) -> None:
        assert len(DeletionGate(["course:101"], RULE, now=NOW).shortfalls()) == 1

    def test_an_empty_list_opens_no_gate(self) -> None:
        with pytest.raises(InputError, match="no course"):
            DeletionGate([], RULE, now=NOW)

    def test_each_export_type_is_asked_for(self) -> None:
        gate = DeletionGate(["course:101"], replace(RULE, export_types=("common_cartridge", "qti")), now=NOW)
        gate.check("s3://a", [Holding("course", 101, (copy(),))])
        assert [short.export_type for short in gate.shortfalls()] == ["qti"]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("level", {"level": "deep"}),
        ("max_age", {"max_age": timedelta(0)}),
        ("min_archives", {"min_archives": 0}),
        ("export_type", {"export_types": ()}),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"^{field}"):
        replace(RULE, **changes)


def test_the_answer_follows_its_schema() -> None:
    gate = DeletionGate(["course:101"], RULE, now=NOW)
    gate.check("s3://a", [])
    answer = gate_document(
        gate.shortfalls(),
        checked=1,
        rule=RULE,
        archives=["s3://a"],
        run=RunFacts("canvas_exports 0.1.0", "end_of_term", "manual", "gate", -1, 1),
        now=NOW,
    )
    assert answer["missing"] == [
        {
            "context": "course:101",
            "export_type": "common_cartridge",
            "good_in": 0,
            "why": [{"archive": "s3://a", "reason": "the archive holds no copy"}],
        }
    ]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.sampled_from(Verdict),
            st.sampled_from([None, "intact", "damaged", "vanished"]),
            st.sampled_from(["directory", "full"]),
        ),
        max_size=4,
        unique_by=lambda one: one[0],
    )
)
def test_nothing_passes_whose_newest_copy_is_not_proven_young_and_deep(
    made: list[tuple[int, Verdict, str | None, str]],
) -> None:
    copies = [copy(day, verdict, verified=verified, detail=detail) for day, verdict, verified, detail in made]
    passes = why(*copies) is None
    day, verdict, verified, detail = max(made, key=lambda one: one[0], default=(0, None, None, ""))
    assert passes == (day >= 3 and verdict is Verdict.WHOLE and verified == "intact" and detail == "full")
