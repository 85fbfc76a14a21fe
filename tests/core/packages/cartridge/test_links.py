"""Links of pages to files and other parts of the course that lead nowhere: a note, never more."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.packages.courses import course
from tests.support.packages.stored import codes, proven
from tests.support.packages.zips import entries_of, packed_zip

from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.proof import Severity, Verdict
from canvas_exports.core.packages.prove_stored import StoredProof

PAGE = "wiki_content/linking.html"
FILES = {
    "web_resources/Week 1/über & mehr.pdf": b"1",
    "web_resources/100%.txt": b"2",
    "web_resources/a+b.txt": b"3",
    "Uploaded Media/picture": b"4",
}


def linking(
    *links: str, name: str = PAGE, form: str = '<a href="{}">x</a>', block: int = 1 << 20
) -> StoredProof:
    text = "".join(form.format(link) for link in links).encode()
    return proven(packed_zip(entries_of(course().having({**FILES, name: text}).members())), block=block)


def counted(found: StoredProof) -> tuple[int, int]:
    return found.proof.counts["links"], found.proof.counts["broken_links"]


THERE = [
    "$IMS-CC-FILEBASE$/picture.png",
    "$IMS-CC-FILEBASE$/picture.png?canvas_download=1&amp;canvas_qs_wrap=1",
    "$IMS-CC-FILEBASE$/picture.png#top",
    "%24IMS-CC-FILEBASE%24/picture.png",
    "$IMS-CC-FILEBASE$/Week%201/%C3%BCber%20&amp;%20mehr.pdf",
    "$IMS-CC-FILEBASE$/Week%201/u%CC%88ber%20%26%20mehr.pdf",
    "$IMS-CC-FILEBASE$/Week 1/über &amp; mehr.pdf",
    "$IMS-CC-FILEBASE$/Week+1/%C3%BCber+%26+mehr.pdf",
    "$IMS-CC-FILEBASE$/./Week%202/../picture.png",
    "$IMS-CC-FILEBASE$/../web_resources/picture.png",
    "$IMS-CC-FILEBASE$/100%25.txt",
    "$IMS-CC-FILEBASE$/100%.txt",
    "$IMS-CC-FILEBASE$/a+b.txt",
    "$IMS-CC-FILEBASE$/Uploaded%20Media/picture",
    "$WIKI_REFERENCE$/pages/welcome",
    "$WIKI_REFERENCE$/wiki/welcome",
    "$WIKI_REFERENCE$/pages/p1",
    "$CANVAS_OBJECT_REFERENCE$/assignments/a1",
    "$CANVAS_OBJECT_REFERENCE$/discussion_topics/d1?module_item_id=3",
    "$CANVAS_OBJECT_REFERENCE$/modules/m1",
    "$CANVAS_OBJECT_REFERENCE$/pages/welcome",
]
GONE = [
    "$IMS-CC-FILEBASE$/gone.png",
    "$IMS-CC-FILEBASE$/Week%201/gone%20too.pdf?a=1",
    "%24IMS-CC-FILEBASE%24/../../etc/passwd",
    "$WIKI_REFERENCE$/pages/gone",
    "$CANVAS_OBJECT_REFERENCE$/assignments/gone",
    "$CANVAS_OBJECT_REFERENCE$/attachments/g" + "0" * 32,
]
NOT_JUDGED = [
    "$IMS-CC-FILEBASE$",
    "$IMS-CC-FILEBASE$/",
    "$IMS-CC-FILEBASE$/Week%201/",
    "$WIKI_REFERENCE$",
    "$WIKI_REFERENCE$/pages/",
    "$CANVAS_COURSE_REFERENCE$/grades",
    "$CANVAS_OBJECT_REFERENCE$/external_tools/retrieve?url=x",
    "https://example.org/$IMS-CC",
]


@pytest.mark.parametrize("link", THERE)
def test_a_link_that_leads_somewhere_is_no_finding(link: str) -> None:
    found = linking(link)
    assert (counted(found), codes(found)) == ((1, 0), ["unresolved_items"])


@pytest.mark.parametrize("link", GONE)
def test_a_link_that_leads_nowhere_is_a_note(link: str) -> None:
    found = linking(link)
    (note,) = (each for each in found.proof.findings if each.code == "broken_links")
    assert (note.severity, note.member, counted(found)) == (Severity.INFO, PAGE, (1, 1))
    assert "1 of 1 links" in note.message
    assert found.proof.verdict is Verdict.WHOLE


@pytest.mark.parametrize("link", NOT_JUDGED)
def test_what_names_nothing_in_the_package_is_not_judged(link: str) -> None:
    assert counted(linking(link))[1] == 0


def test_all_are_counted_in_one_note() -> None:
    found = linking(*THERE, *GONE)
    assert counted(found) == (len(THERE) + len(GONE), len(GONE))
    assert codes(found).count("broken_links") == 1


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a1/essay.html", "<img src='{}'>"),
        ("course_settings/syllabus.html", '<img src="{}">'),
        ("wiki_content/blocks.json", '{{"html": "<img src=\\"{}\\">"}}'),
        ("d1.xml", "<topic><text>&lt;img src=&quot;{}&quot;&gt;</text></topic>"),
        (
            "z1/assessment_qti.xml",
            "<questestinterop><mattext><![CDATA[<img src='{}'>]]></mattext></questestinterop>",
        ),
        ("z1/assessment_meta.xml", "<quiz><description>&lt;a href=&#34;{}&#34;&gt;</description></quiz>"),
    ],
)
def test_links_are_found_wherever_people_write(name: str, form: str) -> None:
    there, gone = "$IMS-CC-FILEBASE$/Week%201/%C3%BCber%20&amp;%20mehr.pdf", "$IMS-CC-FILEBASE$/gone.png?a=1"
    if name.endswith(".xml") and "CDATA" not in form:
        there = escape(there)
    assert counted(linking(there, name=name, form=form)) == (1, 0)
    assert counted(linking(gone, name=name, form=form)) == (1, 1)


def test_a_file_of_peoples_own_is_not_looked_into() -> None:
    assert counted(linking(GONE[0], name="web_resources/own.html")) == (0, 0)


def test_a_file_that_is_missing_is_reported_once_and_as_that() -> None:
    whole = (
        course()
        .having({PAGE: b'<img src="$IMS-CC-FILEBASE$/picture.png">'})
        .without("web_resources/picture.png")
    )
    found = proven(packed_zip(entries_of(whole.members())))
    assert (codes(found)[0], counted(found)) == ("missing_file", (1, 0))


def test_the_level_directory_says_nothing_of_links() -> None:
    text = b'<a href="$IMS-CC-FILEBASE$/gone.png">'
    found = proven(
        packed_zip(entries_of(course().having({PAGE: text}).members())), level=ProofLevel.DIRECTORY
    )
    assert "links" not in found.proof.counts
    assert "broken_links" not in codes(found)


@given(block=st.integers(1, 50), before=st.integers(0, 2500))
@settings(max_examples=40, deadline=None)
def test_a_link_is_found_once_however_the_bytes_come(block: int, before: int) -> None:
    padding = "x" * before
    found = linking(THERE[4], GONE[0], form=f'{padding}<a href="{{}}">', block=block)
    assert counted(found) == (2, 1)
