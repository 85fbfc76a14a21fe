"""What the docs say a retry and a Clear do, against the engine that does it."""

from __future__ import annotations

import pytest
from tests.support.repository.markdown import page

from canvas_exports.core.export.engine.engine import Engine, Limits
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.model.outcomes import Outcome

LIMITS = Limits(window=1, creations=3, transfers=3, stall_after=1.0, deadline=1e9)
WORDS = {
    "is kept": State.DONE,
    "goes to the archives that lack it": State.READY,
    "another export": State.PLANNED,
    "the same export is polled again": State.REQUESTED,
    "the same export is polled again, with a new deadline": State.REQUESTED,
    "the same export is polled again, or another is made if Canvas did not show it or its package could not be downloaded": State.REQUESTED,
}


def rows() -> dict[str, list[str]]:
    return {row[0].strip("`"): row[1:] for row in page("outcomes").table("What the next attempt does")}


def after(outcome: Outcome, *, cleared: bool, fetches: int = 0) -> State:
    item = Item("course:7", "zip", State.READY, canvas_id=7, export_id=501, creations=1, fetches=fetches)
    item.key = "courses/7/x" if outcome.has_package else None
    item.end(outcome, "why")
    machine = Engine([item], LIMITS)
    machine.resume(cleared=cleared, now=77.0)
    return item.state


def test_every_outcome_stands_there() -> None:
    assert list(rows()) == [outcome.value for outcome in Outcome]


@pytest.mark.parametrize("outcome", Outcome)
def test_a_retry_and_a_clear_do_what_is_said(outcome: Outcome) -> None:
    retry, clear = rows()[outcome.value]
    assert after(outcome, cleared=False) is WORDS[retry]
    assert after(outcome, cleared=True) is WORDS[clear]


def test_another_export_is_made_where_the_package_could_not_be_fetched() -> None:
    assert after(Outcome.INTERRUPTED, cleared=True, fetches=3) is State.PLANNED
    assert after(Outcome.INTERRUPTED, cleared=False, fetches=3) is State.REQUESTED


def test_no_page_says_that_another_run_goes_on_where_this_one_ended() -> None:
    for name in ("outcomes", "operators", "known-limits"):
        assert "the next run goes on" not in page(name).text
    assert not any("the next run goes on" in outcome.next_step for outcome in Outcome)
