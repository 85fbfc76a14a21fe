"""What is dated in the future is told, and decides nothing: not what is newest, nor how old it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.support.archives.random_archives import NOW, Shelf, Spec, document, laid

from canvas_exports.core.archive.catalog import future_dates
from canvas_exports.core.archive.catalog.ages import ages
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.newest_copy import newest_copy
from canvas_exports.core.archive.catalog.read import copies_of, every_context
from canvas_exports.core.archive.deletion_gate import DeletionRule, refusal
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest, read_manifest
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.archive.retention.apply import apply_plan
from canvas_exports.core.archive.retention.plan import make_plan
from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.archive.verification.candidates import candidates
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.restore.drills.sample import sample_copies
from canvas_exports.errors import UnreadableDocumentError

DAY = timedelta(days=1)
YEARS = timedelta(days=3000)
RULE = DeletionRule("directory", 7 * DAY, 1)


@pytest.fixture(autouse=True)
def _as_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(future_dates, "CLOCK_TOLERANCE", DAY)


def three(course: int = 101) -> list[Spec]:
    """Copies of three nights; the last is the newest."""
    return [Spec(at=NOW - days * DAY, course=course) for days in (20, 10, 1)]


def lay(shelf: Shelf, at: datetime, *, stored_at: datetime | None = None) -> str:
    """One more copy of the course, whole, with its package; returns the manifest's key."""
    made = document(Spec(at=at), 900)
    key = manifest_key(made.package.key)
    shelf.lay(made.package.key, b"a package")
    shelf.lay(key, replace(made, stored_at=stored_at or at).to_json())
    return key


@pytest.mark.parametrize("ahead", [timedelta(days=1, minutes=1), timedelta(days=30), YEARS])
@pytest.mark.parametrize("policy", [Policy(last=1), Policy(daily=1), Policy(within=DAY), Policy(yearly=2)])
def test_a_copy_dated_ahead_costs_its_course_no_copy_and_the_others_nothing(
    ahead: timedelta, policy: Policy
) -> None:
    shelf = laid([*three(), *three(102)])
    late = lay(shelf, NOW + ahead)
    before = set(shelf.objects)
    plan = make_plan(shelf, policy, now=NOW)
    assert any(
        late in note and "in the future" in note for context in plan.contexts for note in context.notes
    )
    apply_plan(shelf, plan)
    gone = before - set(shelf.objects)
    assert gone
    assert all(key.startswith("courses/102/") for key in gone)


def test_one_stored_in_the_future_likewise() -> None:
    shelf = laid(three())
    lay(shelf, NOW - 2 * DAY, stored_at=NOW + YEARS)
    apply_plan(shelf, make_plan(shelf, Policy(last=1), now=NOW))
    assert shelf.deleted == []


def test_a_copy_that_comes_between_plan_and_deletion_is_judged_by_the_same_clock() -> None:
    shelf = laid(three())
    lay(shelf, NOW + DAY)  # clocks may differ so much
    plan = make_plan(shelf, Policy(last=1), now=NOW)
    assert apply_plan(shelf, plan).copies == 3


def test_it_opens_no_gate_and_is_not_young() -> None:
    shelf = laid([Spec(at=NOW - 40 * DAY)])
    late = lay(shelf, NOW + YEARS)
    why = refusal(copies_of(shelf, "course", 101), "common_cartridge", RULE, now=NOW)
    assert why is not None
    assert late in why
    told = ages(every_context(shelf), now=NOW)
    assert told.counts["up to 1 day"] == 0
    assert told.counts["up to 90 days"] == 1
    assert [document.key for document in told.unreadable] == [late]


def record(shelf: Shelf, kind: RecordKind, detail: str, result: str, at: datetime) -> RecordName:
    (about, *_) = sorted(key for key in shelf.objects if key.endswith(".json"))
    name = RecordName(about, kind, at, detail, result)
    shelf.lay(name.key, b"{}")
    return name


def test_a_verification_dated_ahead_puts_off_none_and_hides_no_damage() -> None:
    shelf = laid([Spec(at=NOW - 9 * DAY)])
    record(shelf, RecordKind.VERIFY, "full", "intact", NOW + YEARS)
    record(shelf, RecordKind.VERIFY, "full", "damaged", NOW - DAY)
    held = without_future_dates(copies_of(shelf, "course", 101), now=NOW)
    assert held.copies[0].is_damaged
    (candidate,) = candidates(held, ProofLevel.FULL)
    assert candidate.verified is not None
    assert candidate.verified.at == NOW - DAY


@pytest.mark.parametrize(
    ("kind", "detail", "result"),
    [(RecordKind.VERIFY, "full", "damaged"), (RecordKind.HOLD, "legal", "set")],
)
def test_what_speaks_for_care_counts_whatever_its_date(kind: RecordKind, detail: str, result: str) -> None:
    shelf = laid([Spec(at=NOW - 9 * DAY)])
    name = record(shelf, kind, detail, result, NOW + YEARS)
    assert without_future_dates(copies_of(shelf, "course", 101), now=NOW).copies[0].records == (name,)


def test_a_drill_dated_ahead_keeps_no_course_from_being_drawn() -> None:
    often = []
    for at in (None, NOW + YEARS):
        shelf = laid([*three(), *three(102)])
        if at is not None:
            record(shelf, RecordKind.DRILL, "course", "passed", at)
        drawn = [sample_copies(shelf, 1, seed=str(seed), now=NOW)[0].name for seed in range(40)]
        often.append(drawn.count("course:101"))
    assert often[0] == often[1]


OTHER: dict[str, Callable[[Manifest], Manifest]] = {
    "time": lambda told: replace(told, export=replace(told.export, created_at=NOW - timedelta(hours=1))),
    "export": lambda told: replace(told, export=replace(told.export, id=told.export.id + 1)),
}


@pytest.mark.parametrize("name", OTHER)
def test_a_manifest_is_about_the_export_that_its_own_name_tells(name: str) -> None:
    """Else an old copy became the newest by its text alone, and the true one went."""
    shelf = laid(three())
    first = min(key for key in shelf.objects if key.endswith(".json"))
    shelf.lay(first, OTHER[name](Manifest.from_json(shelf.read(first))).to_json())
    with pytest.raises(UnreadableDocumentError, match="own name"):
        read_manifest(shelf, first)
    apply_plan(shelf, make_plan(shelf, Policy(last=1), now=NOW))
    assert shelf.deleted == []


def test_two_manifests_of_one_course_that_were_exchanged_cost_no_copy() -> None:
    shelf = laid(three())
    first, *_, last = sorted(key for key in shelf.objects if key.endswith(".json"))
    one, other = shelf.read(first), shelf.read(last)
    shelf.lay(first, other)
    shelf.lay(last, one)
    apply_plan(shelf, make_plan(shelf, Policy(last=1), now=NOW))
    assert shelf.deleted == []
    assert newest_copy(shelf, "course", 101, lambda _: True) is None


def test_a_name_of_another_template_tells_nothing() -> None:
    made = document(Spec(at=NOW - DAY, verdict=Verdict.WHOLE), 7)
    shelf = Shelf()
    shelf.lay("courses/101/BIO-7.json", made.to_json())
    assert read_manifest(shelf, "courses/101/BIO-7.json") == made
