"""The paths of a manifest begin in the folders that it names as their base, in the proof as when the package is opened."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.support.packages.build import zipped
from tests.support.packages.opened import opened, the
from tests.support.packages.stored import proven

from canvas_exports.core.packages.content.model import ItemKind
from canvas_exports.core.packages.proof import Expectation, Proof, Verdict

RES1, B = "xml:base='res1/'", "xml:base='b'"


def package(resources: str, files: Mapping[str, bytes]) -> bytes:
    manifest = (
        f"<manifest xmlns='http://www.imsglobal.org/xsd/imscp_v1p1'><organizations/>{resources}</manifest>"
    )
    return zipped({**files, "imsmanifest.xml": manifest.encode()})


def proof_of(resources: str, files: Mapping[str, bytes]) -> Proof:
    return proven(package(resources, files), Expectation("common_cartridge")).proof


def page(attributes: str = "", href: str = "p.html") -> str:
    return f"<resource identifier='r' type='webcontent' {attributes} href='{href}'><file href='{href}'/></resource>"


@pytest.mark.parametrize(
    ("resources", "member"),
    [
        (f"<resources>{page(RES1)}</resources>", "res1/p.html"),
        (f"<resources xml:base='a/'>{page(B)}</resources>", "a/b/p.html"),
        (f"<resources xml:base='a'>{page(href='b%20c.html')}</resources>", "a/b c.html"),
        (f"<resources xml:base='a'>{page(href='../p.html')}</resources>", "p.html"),
        (f"<resources xml:base='a'>{page(href='a/p.html')}</resources>", "a/p.html"),
        (f"<resources xml:base='https://example.org/'>{page()}</resources>", "p.html"),
    ],
)
def test_a_package_with_bases_is_whole(resources: str, member: str) -> None:
    files = {member: b"<p>Here"}
    found = proof_of(resources, files)
    assert (found.verdict, found.counts["missing"], found.counts["pages"]) == (Verdict.WHOLE, 0, 1)
    content = opened(package(resources, files))
    assert content.read(the(content, ItemKind.PAGE)).html == "<p>Here"


def test_a_file_below_a_base_that_is_not_there_is_missing() -> None:
    found = proof_of(f"<resources xml:base='a'>{page()}</resources>", {"b/p.html": b"<p>Elsewhere"})
    assert found.verdict is Verdict.INCOMPLETE
    assert [(each.code, each.member) for each in found.findings] == [("missing_file", "a/p.html")]


def test_of_a_file_at_the_top_and_one_below_the_base_the_latter_is_meant() -> None:
    data = package(
        f"<resources xml:base='a'>{page()}</resources>", {"p.html": b"<p>Top", "a/p.html": b"<p>Below"}
    )
    content = opened(data)
    assert content.read(the(content, ItemKind.PAGE)).html == "<p>Below"


def test_the_address_of_a_web_page_has_no_base() -> None:
    link = "<resource identifier='w' type='webcontent' href='https://example.org/x'/>"
    found = proof_of(f"<resources xml:base='a'>{link}</resources>", {"a/x": b"x"})
    assert (found.verdict, found.counts["web_links"]) == (Verdict.WHOLE, 1)


QTI = b"<questestinterop><assessment><section><item/><item/></section></assessment></questestinterop>"
NEWER = b"<assessmentItem xmlns='http://www.imsglobal.org/xsd/imsqti_v2p1'><itemBody/></assessmentItem>"


def test_questions_of_other_systems_are_counted_and_those_of_canvas_once() -> None:
    """Canvas writes each quiz in two forms."""
    resources = (
        "<resource identifier='a' type='imsqti_xmlv1p2/imscc_xmlv1p1/assessment'><file href='a/quiz.xml'/></resource>"
        "<resource identifier='b' type='imsqti_xmlv1p2/imscc_xmlv1p1/question-bank'><file href='bank.xml'/></resource>"
        "<resource identifier='c' type='imsqti_item_xmlv2p1' href='c.xml'/>"
        "<resource identifier='d' type='imsqti_xmlv1p2/imscc_xmlv1p1/assessment'><file href='d/assessment_qti.xml'/>"
        "<dependency identifierref='m'/></resource>"
        "<resource identifier='m' type='x'><file href='non_cc_assessments/of_d.xml.qti'/></resource>"
    )
    files = dict.fromkeys(
        ("a/quiz.xml", "bank.xml", "d/assessment_qti.xml", "non_cc_assessments/of_d.xml.qti"), QTI
    )
    found = proof_of(f"<resources>{resources}</resources>", {**files, "c.xml": NEWER})
    assert (found.verdict, found.counts["questions"]) == (Verdict.WHOLE, 7)
