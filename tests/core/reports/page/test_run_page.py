"""The page shows all courses up to its limit, says what it leaves out, and escapes every text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import datetime, timezone
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.reports.page_reader import Reader, run_with, texts
from tests.support.reports.run_views import NOW, facts, night, past, row, view

from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.page import rows
from canvas_exports.core.reports.page import run_page as page_room
from canvas_exports.core.reports.page.run_page import render_page
from canvas_exports.core.reports.page.view import CopyStatus, CopyStatuses
from canvas_exports.core.text.wording import format_moment


@given(texts)
def test_no_text_breaks_out_of_the_page(text: str) -> None:
    hostile, plain = Reader(render_page(run_with(text))), Reader(render_page(run_with("plain")))
    if text:  # an empty name leaves its place out
        assert hostile.skeleton == plain.skeleton
    assert hostile.comments == []
    assert hostile.inline["style"] == plain.inline["style"]
    assert hostile.inline["script"][1:] == plain.inline["script"][1:]


@given(texts.filter(lambda text: text.isprintable() and text.strip() == text and text))
def test_every_text_reaches_the_reader_as_it_is(text: str) -> None:
    reader = Reader(render_page(run_with(text)))
    assert text in reader.data["texts"]
    assert " ".join(text.split()) in reader.words


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else() -> None:
    reader = Reader(render_page(night()))
    (policy,) = (
        value for _, name, value in reader.attributes if name == "content" and "default-src" in str(value)
    )
    rules = dict(rule.strip().split(" ", 1) for rule in str(policy).split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == hashed("".join(reader.inline["style"]))
    assert rules["script-src"] == hashed(reader.inline["script"][-1])
    assert rules["form-action"] == rules["base-uri"] == "'none'"


def hashed(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def test_the_page_asks_nobody_for_anything() -> None:
    reader = Reader(render_page(night()))
    # A link is followed by a person, or by nobody.
    loading = {"src", "href", "srcset", "action", "data", "poster", "background", "style"}
    assert [
        (tag, name)
        for tag, name, _ in reader.attributes
        if (name in loading or name.startswith("on")) and (tag, name) != ("a", "href")
    ] == []
    style = "".join(reader.inline["style"])
    assert "url(" not in style
    assert "@import" not in style


def test_courses_without_a_good_copy_stand_above_all_else() -> None:
    words = Reader(render_page(night())).words
    sections = ["Without a good copy", "Totals", "The last 30 runs", "Missing content", "Every export"]
    places = [words.index(section) for section in sections]
    assert places == sorted(places)
    top = words[places[0] : places[1]]
    assert "course:2078" in top
    assert "course:2232" in top
    assert "course:2001" not in top
    assert "the archive holds no copy" in top


def test_the_note_counts_what_needs_attention() -> None:
    bad = [row(number, Outcome.FAILED) for number in range(1, 7)]
    good = [row(number) for number in range(7, 41)]
    assert view([*bad, *good]).note == "34 of 40 good; 6 need attention"
    assert view([*bad[:1], *good]).note == "34 of 35 good; 1 needs attention"
    assert view(good).note == "34 of 34 good"
    assert view([]).note == "nothing was exported"


def test_the_verdict_says_whether_an_older_copy_helps() -> None:
    assert view([row(1)], {1: facts()}).verdict == "The only export of this run ended well."
    assert view([]).verdict == "Nothing was exported."
    lost = [row(1, Outcome.GONE), row(2), row(3, Outcome.FAILED)]
    both = view(lost, {1: facts(), 2: facts(), 3: facts()}).verdict
    assert both == ("2 of 3 exports ended without a good copy. The archive holds an older good copy of each.")
    one = view(lost, {1: facts(), 3: facts(good_at=None)}).verdict
    assert one == "2 of 3 exports ended without a good copy. The archive holds no good copy of 1."
    assert view(lost).verdict == "2 of 3 exports ended without a good copy."


def test_the_verdict_does_not_deny_the_copy_that_one_of_several_archives_has() -> None:
    rows = [row(1), row(2, Outcome.DEGRADED)]
    assert (
        view(rows, {1: facts(), 2: facts()}).verdict
        == "1 of 2 exports ended without a good copy in every archive."
    )


def test_totals_carry_their_definitions_and_next_steps() -> None:
    words = Reader(
        render_page(view([row(number, outcome) for number, outcome in enumerate(Outcome, 1)]))
    ).words
    for outcome in Outcome:
        assert outcome.definition in words
        assert outcome.next_step in words


def test_an_outcome_of_a_later_version_is_counted() -> None:
    words = Reader(render_page(view([replace(row(1), outcome="sublimed")]))).words
    assert "sublimed 1" in words


def test_kinds_are_counted_over_the_packages_of_the_run() -> None:
    known = {1: facts(counts={"pages": 2, "files": 1}), 2: facts(counts={"pages": 3, "question_banks": 4})}
    words = Reader(render_page(view([row(1), row(2)], known))).words
    assert "The packages of this run hold 5 pages, 4 question banks and 1 files." in words


def test_a_row_tells_age_verification_and_drill() -> None:
    verified = RecordName("a.json", RecordKind.VERIFY, NOW, "full", "intact")
    (data,) = Reader(render_page(view([row(1)], {1: facts(verified=verified)}))).data["rows"]
    texts = Reader(render_page(view([row(1)], {1: facts(verified=verified)}))).data["texts"]
    now = int(NOW.timestamp())
    assert data[:2] == ["course:1", "BIO 1 · Biology"]
    assert [texts[place] for place in data[2:5]] == ["common cartridge", "stored", ""]
    assert data[5] == 1000
    assert (data[7], data[8], texts[data[9]], data[10]) == (now, now, "intact (full)", 0)


def test_findings_stand_there_in_words_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_room, "MOST_NAMED", 3)
    lost = [row(number, Outcome.INCOMPLETE) for number in range(1, 6)]
    known = {number: facts(findings=("x.png: missing",), more_findings=7) for number in range(1, 6)}
    words = Reader(render_page(view(lost, known))).words
    assert words.count("x.png: missing") == 3
    assert "8 findings" in words
    assert "and 7 more, in the manifest" in words
    assert "And 2 packages more, in their manifests." in words


def test_what_was_not_looked_at_is_said() -> None:
    copies = CopyStatuses({}, skipped=3, unknown=2, problem="the archive cannot be reached")
    words = Reader(render_page(view([row(1, Outcome.GONE)], copies=copies))).words
    assert "The copies behind 3 exports were not checked: the archive cannot be reached." in words
    assert "2 exports named a course, group or user that Canvas could not find" in words
    assert "No copies were checked." in words


def test_a_page_of_any_run_stays_small_and_says_what_it_leaves_out() -> None:
    records = [
        row(number, Outcome.GONE if number % 50 == 0 else Outcome.STORED) for number in range(1, 20_001)
    ]
    written = render_page(
        view(records, {number: CopyStatus(title=f"Course {number}") for number in range(1, 20_001)})
    )
    reader = Reader(written)
    assert len(written) < 2_000_000
    assert len(reader.data["rows"]) == rows.MOST_ROWS
    assert "The table holds the first 5,000 of 20,000 exports, problems first" in reader.words
    problems = [each for each in reader.data["rows"] if each[13]]
    assert len(problems) == 400, "nothing that needs a person is left out"


def test_long_texts_are_cut() -> None:
    endless = "x" * 10_000
    assert len(render_page(run_with(endless))) < len(render_page(run_with("x"))) + 3 * 10_000


def test_a_course_without_any_copy_is_called_by_its_name() -> None:
    lost = row(1, Outcome.FAILED, name="BIO 1", title="Marine Biology", sis_id="B-1", term="Autumn")
    reader = Reader(render_page(view([lost], {1: facts(title=None, good_at=None)})))
    assert "course:1 BIO 1 · Marine Biology" in reader.words
    assert reader.data["rows"][0][1] == "BIO 1 · Marine Biology"


def links(**values: Any) -> dict[str, str]:
    """The links of the card of a course in trouble, by what they say."""
    lost = row(7, Outcome.FAILED, task_id="export", map_index=3)
    reader = Reader(render_page(view([lost], {7: facts(good_at=None)}, **values)))
    found = [value or "" for tag, name, value in reader.attributes if tag == "a" and name == "href"]
    names = [value or "" for tag, name, value in reader.attributes if tag == "a" and name == "aria-label"]
    return dict(zip((name.partition(":")[0] for name in names), found, strict=True))


def test_a_course_in_trouble_has_links_to_canvas_the_task_and_the_restore() -> None:
    assert links(canvas="https://canvas.example.edu", airflow="https://airflow.example.edu/base/") == {
        "Canvas": "https://canvas.example.edu/courses/7",
        "Task": (
            "https://airflow.example.edu/base/dags/canvas_backup_nightly/runs/scheduled__2026-11-23/tasks/export/mapped/3"
        ),
        "Restore": "https://airflow.example.edu/base/dags/canvas_restore",
    }
    assert links() == {}


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "//evil",
        "https://ada:secret@host",
        "https://host/?token=x",
        "data:text/html,x",
        "http://a b",
        "",
    ],
)
def test_no_address_but_that_of_a_server_becomes_a_link(address: str) -> None:
    assert links(canvas=address, airflow=address) == {}
    data = Reader(render_page(view([row(1)], canvas=address, airflow=address))).data
    assert (data["canvas"], data["airflow"]) == ("", "")


def test_times_are_written_in_the_zone_of_the_backup_which_is_named() -> None:
    words = Reader(render_page(view([row(1)], runs=past(), zone="America/Chicago"))).words
    assert "Ended2026-11-22 21:00 CST (America/Chicago)" in words
    assert "UTC" not in words
    assert "Ended2026-11-23 03:00 UTC" in Reader(render_page(view([row(1)], zone="No/Where"))).words


@given(
    st.datetimes(timezones=st.just(timezone.utc)),
    st.sampled_from([*sorted(available_timezones())[::37], "x", "", "../a", "\0"]),
)
def test_a_moment_names_its_zone(at: datetime, zone: str) -> None:
    if at.year in (1, 9999):
        return
    told = format_moment(at, zone)
    assert (zone in told) or told.endswith(" UTC")


def test_ids_are_unique_and_headings_in_order() -> None:
    reader = Reader(render_page(night()))
    ids = [value for _, name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in reader.skeleton if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
