"""A run says what it did not export, and how far its probes can be trusted."""

from __future__ import annotations

import json

import pytest
from tests.support.reports.page_reader import Reader
from tests.support.reports.run_views import row, view

from canvas_exports.core.archive.run_report import OutcomeRecord, run_document
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.probes import EQUAL, MISS, SKIPPED
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.reports.message import message
from canvas_exports.core.reports.page.csv_table import csv_table
from canvas_exports.core.reports.page.run_page import render_page
from canvas_exports.core.reports.probe_results import describe_probes
from canvas_exports.core.reports.run_table import table

REASON = "nothing has changed since export 501 of 2026-11-20; not exported"


def rows(skipped: int = 0, equal: int = 0, miss: int = 0) -> list[OutcomeRecord]:
    results = [SKIPPED] * skipped + [EQUAL] * equal + [MISS] * miss
    made = []
    for number, result in enumerate(results, start=1):
        outcome = Outcome.STORED if result == MISS else Outcome.UNCHANGED
        reason = REASON if result == SKIPPED else f"why {number}"
        made.append(row(number, outcome, probe_result=result, reason=reason))
    return made


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ((0, 0, 0), ""),
        (
            (1, 0, 0),
            "1 course not exported, as nothing has changed. No forced export, so nothing to compare.",
        ),
        (
            (4500, 412, 0),
            "4,500 courses not exported, as nothing has changed. 412 forced exports, 0 misses: Canvas showed every change.",
        ),
        (
            (0, 9, 1),
            (
                "10 forced exports, 1 miss (10.0 %): course:10 changed although Canvas showed no change. It is exported more "
                "often from now on."
            ),
        ),
    ],
)
def test_the_sentence(numbers: tuple[int, int, int], sentence: str) -> None:
    assert describe_probes(rows(*numbers)) == sentence


def test_many_misses_at_once_may_be_a_release_of_canvas() -> None:
    assert "new release of Canvas" in describe_probes(rows(0, 3, 9))
    assert "new release of Canvas" not in describe_probes(rows(0, 90, 9))
    assert "course:14, course:15, course:16, course:17, course:18 and 4 more changed" in describe_probes(
        rows(5, 8, 9)
    )


def test_it_stands_in_the_table_the_message_the_page_and_the_spreadsheet() -> None:
    records = rows(2, 3, 1)
    run = view(records)
    sentence = describe_probes(records)
    assert sentence in " ".join(table(records).split())
    assert REASON in table(records)
    assert sentence in " ".join(message(run).text.split())
    assert sentence in " ".join(Reader(render_page(run)).words.split())
    assert REASON.encode() in render_page(run)
    cells = csv_table(run).decode("utf-8-sig").splitlines()
    assert [line.rsplit(",", 1)[1] for line in cells] == [
        '"probe_result"',
        '"miss"',
        '"skipped"',
        '"skipped"',
        *['"equal"'] * 3,
    ]


def test_the_document_counts_them() -> None:
    def totals(records: list[OutcomeRecord]) -> dict[str, object]:
        run = RunFacts("canvas_exports 0.2.0", "nightly", "night")
        document: dict[str, dict[str, object]] = json.loads(
            run_document(records, run=run, started_at=None, finished_at=None)
        )
        return document["totals"]

    assert totals(rows(2, 3, 1))["probes"] == {"skipped": 2, "checks": 4, "misses": 1}
    assert "probes" not in totals([row(1)])
