"""A cartridge is empty if it has nothing but the settings of every course; files of macOS are no content."""

from __future__ import annotations

import pytest
from tests.support.packages.build import (
    PAGE,
    cartridge,
    cartridge_files,
    zipped,
)
from tests.support.packages.stored import prove_buffered

from canvas_exports.core.packages.proof import Verdict


@pytest.mark.parametrize("contents", [{}, {"wiki_content/": b""}])
def test_a_cartridge_of_settings_only_is_empty(contents: dict[str, bytes]) -> None:
    assert prove_buffered(cartridge(contents)).verdict is Verdict.EMPTY


EMPTY_LISTS = {
    "course_settings/module_meta.xml": b"<modules/>",
    "course_settings/rubrics.xml": b"<?xml version='1.0'?><rubrics xmlns='u'>\n</rubrics>",
    "course_settings/events.xml": b"<events></events>",
    "course_settings/media_tracks.xml": b"<media_tracks/>",
    "course_settings/assignment_groups.xml": b"<assignmentGroups><assignmentGroup/></assignmentGroups>",
    "course_settings/late_policy.xml": b"<late_policy><late_policy/></late_policy>",
}


def test_lists_without_anything_in_them_are_no_content() -> None:
    assert prove_buffered(cartridge(EMPTY_LISTS)).verdict is Verdict.EMPTY


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("rubrics.xml", b"<rubrics><rubric/></rubrics>", "rubrics"),
        ("events.xml", b"<events><event/><event/></events>", "events"),
        ("learning_outcomes.xml", b"<learningOutcomes><learningOutcome/></learningOutcomes>", "outcomes"),
        ("nav_menu_links.xml", b"<links><link/></links>", "nav_menu_links"),
        (
            "lti_context_controls.xml",
            b"<lti_context_controls><c/></lti_context_controls>",
            "lti_context_controls",
        ),
        ("grading_standards.xml", b"<gradingStandards><gradingStandard/></gradingStandards>", None),
        ("future.xml", b"<future><thing/></future>", None),
        ("future.json", b"{}", None),
        ("future.xml", b"<cut><", None),
    ],
)
def test_what_a_person_put_into_the_settings_is_content_and_the_counts_say_what(
    name: str, content: bytes, count: str | None
) -> None:
    proof = prove_buffered(cartridge({**EMPTY_LISTS, f"course_settings/{name}": content}))
    assert proof.verdict is Verdict.WHOLE
    assert count is None or proof.counts[count] > 0


def test_modules_without_items_are_content() -> None:
    outline = (
        b'<organization identifier="org_1"><item><item><title>Week 1</title></item></item></organization>'
    )
    files = cartridge_files({})
    files["imsmanifest.xml"] = files["imsmanifest.xml"].replace(
        b'<organization identifier="org_1"/>', outline
    )
    assert prove_buffered(zipped(files)).verdict is Verdict.WHOLE


SIDECARS = {
    "__MACOSX/": b"",
    "__MACOSX/wiki_content/._welcome.html": b"M",
    "wiki_content/._a.xml": b"<",
    ".DS_Store": b"x",
}


@pytest.mark.parametrize("export_type", ["common_cartridge", "qti", "zip"])
def test_what_a_mac_adds_changes_neither_verdict_nor_counts_nor_digest(export_type: str) -> None:
    files = cartridge_files()
    one, other = (prove_buffered(zipped(each), export_type) for each in (files, {**SIDECARS, **files}))
    assert (one.verdict, one.findings, one.counts) == (other.verdict, other.findings, other.counts)
    assert (one.content_digest, one.member_count) == (other.content_digest, other.member_count)


def test_sidecars_alone_are_nothing() -> None:
    assert prove_buffered(zipped(SIDECARS), "zip").verdict is Verdict.EMPTY
    assert prove_buffered(cartridge(SIDECARS)).verdict is Verdict.EMPTY


@pytest.mark.parametrize("name", ["my._file", "x.DS_Store", "__MACOSX.txt", "a._/b", "_MACOSX/a"])
def test_what_only_looks_like_a_sidecar_is_content(name: str) -> None:
    assert prove_buffered(zipped({name: b"x"}), "zip").verdict is Verdict.WHOLE


def test_a_syllabus_alone_is_content() -> None:
    assert prove_buffered(cartridge({"course_settings/syllabus.html": b"<p>"})).verdict is Verdict.WHOLE


def test_an_empty_cartridge_that_lost_something_is_incomplete() -> None:
    assert prove_buffered(cartridge({}, missing=[PAGE])).verdict is Verdict.INCOMPLETE
