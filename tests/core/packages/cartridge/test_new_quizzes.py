"""New Quizzes are known by more than a host name, and each without its questions is told."""

from __future__ import annotations

import pytest
from tests.support.packages.courses import Course, Res, assignment_settings, course
from tests.support.packages.stored import codes, proven
from tests.support.packages.zips import entries_of, packed_zip

from canvas_exports.core.packages.proof import Severity, Verdict
from canvas_exports.core.packages.prove_stored import StoredProof

TOOL = {"submission_types": "external_tool", "external_tool_url": "https://gateway.example/launch?x=1"}
SHELL = "a1/assignment_settings.xml"
BODY = b'<questestinterop><assessment><section><item ident="q"/></section></assessment></questestinterop>'
META = (
    b'<quiz xmlns="http://canvas.instructure.com/xsd/cccv1p0" xmlns:xsi="http://canvas.instructure.com/xsd/cccv1p0 '
    b'https://canvas.instructure.com/xsd/cccv1p0.xsd" identifier="%s"><title>Exam</title>%s</quiz>'
)


def proof_of(whole: Course) -> StoredProof:
    return proven(packed_zip(entries_of(whole.members())))


def counted(found: StoredProof) -> tuple[int, int, int]:
    counts = found.proof.counts
    return counts["new_quizzes"], counts["new_quiz_bodies"], counts["tool_assignments"]


def shell(**settings: str) -> bytes:
    text = assignment_settings("Exam", **{**TOOL, **settings})
    return text.replace(b"<assignment ", b'<assignment identifier="a1" ')


SHELLS = {
    "its host": shell(external_tool_url="https://uni.quiz-lti-dub-prod.instructure.com/lti/launch"),
    "its host without a scheme": shell(external_tool_url="uni.quiz-lti-dub-prod.instructure.com/lti/launch"),
    "the name of its tool": shell(external_tool_identifier="quizzes_next"),
    "the name of its tool, newer": shell(external_tool_data="{'id': 'Quizzes.Next'}"),
    "its settings": shell(quiz_type="graded_quiz"),
    "settings that are a flag": shell(is_quiz_assignment="true"),
    "its quiz": shell(quiz_identifierref="gq"),
}


@pytest.mark.parametrize("document", SHELLS.values(), ids=SHELLS.keys())
def test_a_shell_is_recognised_and_reported(document: bytes) -> None:
    found = proof_of(course().having({SHELL: document}))
    (quiz,) = (each for each in found.proof.findings if each.code == "new_quiz")
    assert (quiz.severity, quiz.member) == (Severity.WARNING, SHELL)
    assert "'Exam'" in quiz.message
    assert counted(found) == (1, 0, 0)
    assert found.proof.verdict is Verdict.WHOLE


OTHER_HOSTS = (
    "https://quiz-lti.example.org/launch",
    "https://tool.example/?quiz-lti-x.instructure.com",
    "http://[",
    "",
)


@pytest.mark.parametrize(
    "document",
    [
        shell(),
        shell(is_quiz_assignment="false"),
        shell(external_tool_new_tab="true"),
        *(shell(external_tool_url=url) for url in OTHER_HOSTS),
    ],
)
def test_an_assignment_of_another_tool_is_none(document: bytes) -> None:
    found = proof_of(course().having({SHELL: document}))
    assert counted(found) == (0, 0, 1)
    assert "new_quiz" not in codes(found)


def test_a_classic_quiz_is_none() -> None:
    document = assignment_settings("Test", submission_types="online_quiz", quiz_identifierref="z1")
    assert counted(proof_of(course().having({SHELL: document}))) == (0, 0, 0)


@pytest.mark.parametrize("name", ["a1/assessment_qti.xml", "non_cc_assessments/a1.xml.qti"])
@pytest.mark.parametrize("document", [shell(), SHELLS["its host"]])
def test_a_body_under_the_assignments_identifier_makes_it_one_that_is_whole(
    document: bytes, name: str
) -> None:
    found = proof_of(course().having({SHELL: document, name: BODY}))
    assert counted(found) == (1, 1, 0)
    assert "new_quiz" not in codes(found)


def test_an_assignment_whose_tool_is_new_quizzes_is_one() -> None:
    tool = b"<cartridge_basiclti_link><extensions><property>quizzes_next</property></extensions></cartridge_basiclti_link>"
    document = shell(external_tool_identifierref="x9")
    whole = course().having({"x9.xml": tool, SHELL: document})
    whole = Course(
        whole.files, (*whole.resources, Res("x9", "imsbasiclti_xmlv1p0", ("x9.xml",))), whole.items
    )
    assert counted(proof_of(whole)) == (1, 0, 0)


def test_a_quiz_that_names_its_assignment_is_counted_once() -> None:
    files = {
        SHELL: shell(),
        "gq/assessment_meta.xml": META % (b"gq", b'<assignment identifier="a1"/>'),
        "gq/assessment_qti.xml": BODY,
    }
    assert counted(proof_of(course().having(files))) == (1, 1, 0)


def test_a_quiz_without_its_questions_is_reported_though_no_assignment_stands_for_it() -> None:
    found = proof_of(course().having({"gq/assessment_meta.xml": META % (b"gq", b"")}))
    assert counted(found) == (1, 0, 0)
    assert [each.member for each in found.proof.findings if each.code == "new_quiz"] == [
        "gq/assessment_meta.xml"
    ]


class TestSettingsOfNewerReleases:
    def test_links_in_the_navigation_and_controls_of_tools_are_counted(self) -> None:
        files = {
            "course_settings/nav_menu_links.xml": b"<nav_menu_links><nav_menu_link/><nav_menu_link/></nav_menu_links>",
            "lti_context_controls/c1.xml": b"<lti_context_control><available/></lti_context_control>",
            "lti_context_controls/c2.xml": b"<lti_context_control><available/></lti_context_control>",
        }
        counts = proof_of(course().having(files)).proof.counts
        assert (counts["nav_menu_links"], counts["lti_context_controls"]) == (2, 2)

    def test_controls_that_stand_in_one_document_are_counted_too(self) -> None:
        name = "course_settings/lti_context_controls.xml"
        document = b"<lti_context_controls><a/><a/><a/></lti_context_controls>"
        assert proof_of(course().having({name: document})).proof.counts["lti_context_controls"] == 3

    @pytest.mark.parametrize("content", [b"", b"<cut", b"\x00\x01", b"<!DOCTYPE a><a/>"])
    def test_an_unknown_document_is_never_an_error(self, content: bytes) -> None:
        found = proof_of(course().having({"course_settings/future.xml": content}))
        assert found.proof.verdict is Verdict.WHOLE
