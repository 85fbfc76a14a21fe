"""Questions in QTI 2 and 3: text, answers, key and feedback of each kind, in the spelling of both."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from tests.support.packages.build import zipped
from tests.support.packages.opened import opened, titles

from canvas_exports.core.archive.browsing.kinds import question_type_name
from canvas_exports.core.packages.content.model import CourseContent, Document, ItemKind, Question

ITEM = (
    '<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="i1" title="Cells">{declared}'
    '<outcomeDeclaration identifier="MAXSCORE" cardinality="single" baseType="float"><defaultValue><value>3</value>'
    "</defaultValue></outcomeDeclaration><itemBody>{body}</itemBody>{more}</assessmentItem>"
)


def declaration(*right: str, name: str = "RESPONSE", kind: str = "identifier", mapping: str = "") -> str:
    values = "".join(f"<value>{each}</value>" for each in right)
    correct = f"<correctResponse>{values}</correctResponse>" if right else ""
    return f'<responseDeclaration identifier="{name}" cardinality="multiple" baseType="{kind}">{correct}{mapping}</responseDeclaration>'


def in_qti_3(document: str) -> str:
    """The same document in the spelling of QTI 3."""

    def hyphened(name: str) -> str:
        return re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name)

    own = "assessment|item|response|outcome|correct|value|default|map|choice|simple|prompt|text|extended|order|match|gap|inline|hot|modal|feedback|test"
    document = re.sub(
        rf"(</?)((?:{own})[A-Za-z]*)(?=[ />])",
        lambda found: f"{found[1]}qti-{hyphened(found[2])}",
        document,
    )
    return re.sub(r" ([a-z]+[A-Z][A-Za-z]*)=", lambda found: f" {hyphened(found[1])}=", document)


def package(files: Mapping[str, str], *, test: str = "") -> CourseContent:
    kinds = {name: "test" if name == test else "item" for name in files}
    resources = "".join(
        f'<resource identifier="{name}" type="imsqti_{kind}_xmlv2p1" href="{name}"><file href="{name}"/></resource>'
        for name, kind in kinds.items()
    )
    manifest = f"<manifest><organizations/><resources>{resources}</resources></manifest>"
    return opened(
        zipped(
            {**{name: text.encode() for name, text in files.items()}, "imsmanifest.xml": manifest.encode()}
        )
    )


def read(content: CourseContent, identifier: str) -> Document:
    item = content.find(ItemKind.QUIZ, identifier)
    assert item is not None
    return content.read(item)


@pytest.fixture(params=["2", "3"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def question(version: str, body: str, declared: str = "", more: str = "") -> Question:
    document = ITEM.format(body=body, declared=declared, more=more)
    if version == "3":
        document = in_qti_3(document)
        assert "qti-item-body" in document
    content = package({"a.xml": document})
    assert titles(content, ItemKind.QUIZ) == ["Cells"]
    found = read(content, "a.xml")
    assert found.problem == ""
    (only,) = found.questions
    return only


def answers(found: Question) -> list[tuple[str, bool | None]]:
    return [(each.html, each.is_correct) for each in found.answers]


def test_a_choice(version: str) -> None:
    body = (
        '<p>Read &lt;this&gt; <img src="a.png"/>.</p><choiceInteraction responseIdentifier="RESPONSE" maxChoices="1"><prompt>Which?</prompt>'
        '<simpleChoice identifier="A">One<feedbackInline identifier="A">Right!</feedbackInline></simpleChoice>'
        '<simpleChoice identifier="B"><b>Two</b></simpleChoice></choiceInteraction>'
    )
    more = '<modalFeedback identifier="f"><p>Well</p></modalFeedback>'
    found = question(version, body, declaration("A"), more)
    assert (found.identifier, found.title, found.points) == ("i1", "Cells", 3.0)
    assert found.type == "choiceInteraction"
    assert found.html == '<p>Read &lt;this&gt; <img src="a.png">.</p><div>Which?</div>'
    assert answers(found) == [("One", True), ("<b>Two</b>", False)]
    assert found.feedback == ("Right!", "<p>Well</p>")


def test_texts_are_accepted_also_those_that_give_some_points(version: str) -> None:
    mapping = '<mapping><mapEntry mapKey="a&lt;b" mappedValue="0.5"/><mapEntry mapKey="no" mappedValue="0"/></mapping>'
    body = '<p>Say <textEntryInteraction responseIdentifier="RESPONSE"/>!</p>'
    found = question(version, body, declaration("yes", kind="string", mapping=mapping))
    assert found.html == "<p>Say ____!</p>"
    assert answers(found) == [("yes", True), ("a&lt;b", True)]


def test_what_is_to_be_matched_comes_with_its_match(version: str) -> None:
    choice = '<simpleAssociableChoice identifier="{0}" matchMax="1">{1}</simpleAssociableChoice>'
    left, right = (
        "".join(choice.format(*each) for each in pairs)
        for pairs in ([("F", "France"), ("I", "Italy")], [("P", "Paris"), ("R", "Rome"), ("O", "Oslo")])
    )
    body = (
        f'<matchInteraction responseIdentifier="RESPONSE"><simpleMatchSet>{left}</simpleMatchSet>'
        f"<simpleMatchSet>{right}</simpleMatchSet></matchInteraction>"
    )
    found = question(version, body, declaration("F P", "I R", kind="directedPair"))
    assert [(each.html, each.match, each.is_correct) for each in found.answers] == [
        ("France", "Paris", None),
        ("Italy", "Rome", None),
        ("Oslo", "", False),
    ]


def test_an_order_has_places(version: str) -> None:
    body = (
        '<orderInteraction responseIdentifier="RESPONSE"><simpleChoice identifier="A">a</simpleChoice>'
        '<simpleChoice identifier="B">b</simpleChoice></orderInteraction>'
    )
    found = question(version, body, declaration("B", "A"))
    assert [(each.html, each.match) for each in found.answers] == [("a", "2"), ("b", "1")]


def test_gaps_and_several_blanks_have_names(version: str) -> None:
    gaps = (
        '<gapMatchInteraction responseIdentifier="RESPONSE"><gapText identifier="W" matchMax="1">Paris</gapText>'
        '<gapText identifier="X" matchMax="1">Rome</gapText><p>In <gap identifier="G1"/>.</p></gapMatchInteraction>'
    )
    found = question(version, gaps, declaration("W G1", kind="directedPair"))
    assert found.html == "<p>In [G1].</p>"
    assert [(each.html, each.blank, each.is_correct) for each in found.answers] == [
        ("Paris", "G1", True),
        ("Rome", "", False),
    ]
    menu = '<inlineChoiceInteraction responseIdentifier="{0}"><inlineChoice identifier="r">red</inlineChoice></inlineChoiceInteraction>'
    body = f"<p>{menu.format('R1')} and {menu.format('R2')}</p>"
    found = question(version, body, declaration("r", name="R1"))
    assert found.html == "<p>[R1] and [R2]</p>"
    assert [(each.blank, each.is_correct) for each in found.answers] == [("R1", True), ("R2", None)]


def test_a_longer_text_has_no_answers(version: str) -> None:
    body = '<extendedTextInteraction responseIdentifier="RESPONSE"><prompt>Why?</prompt></extendedTextInteraction>'
    found = question(version, body)
    assert (found.html, found.answers, found.type) == ("<div>Why?</div>", (), "extendedTextInteraction")
    assert question_type_name(found.type) == "Extended text"


def test_an_item_of_several_kinds_does_not_pass_for_one_that_shows_its_answers() -> None:
    body = (
        '<choiceInteraction responseIdentifier="A"><simpleChoice identifier="x">x</simpleChoice></choiceInteraction>'
        '<p><textEntryInteraction responseIdentifier="B"/></p>'
    )
    assert question("2", body, declaration("secret", name="B", kind="string")).type == "composite"


def test_what_only_a_scorer_sees_is_not_in_the_question() -> None:
    body = '<rubricBlock view="scorer"><p>Secret</p></rubricBlock><rubricBlock view="candidate"><p>Think</p></rubricBlock>'
    assert question("2", body).html == "<p>Think</p>"


def test_a_test_has_the_questions_that_it_leads_to(version: str) -> None:
    refs = "".join(
        f'<assessmentItemRef identifier="r{name}" href="../items/{name}.xml"/>'
        for name in ("b", "a", "b", "gone")
    )
    test = f'<assessmentTest identifier="t" title="Exam"><testPart><assessmentSection>{refs}</assessmentSection></testPart></assessmentTest>'
    files = {
        "tests/t.xml": test,
        "items/a.xml": ITEM.format(body="<p>a</p>", declared="", more=""),
        "items/b.xml": ITEM.format(body="<p>b</p>", declared="", more=""),
    }
    if version == "3":
        files = {name: in_qti_3(text) for name, text in files.items()}
    found = read(package(files, test="tests/t.xml"), "tests/t.xml")
    assert found.item.title == "Exam"
    assert [each.html for each in found.questions] == ["<p>b</p>", "<p>a</p>"]
    assert "some of its questions are not in the package" in found.problem


def test_tests_that_lead_to_the_same_questions_again_and_again_end() -> None:
    """What a package has read of it stays in proportion to its size."""
    refs = "".join(f'<assessmentItemRef href="i{at}.xml"/>' for at in range(4))
    files = {f"t{at}.xml": f"<assessmentTest>{refs}</assessmentTest>" for at in range(120)}
    files |= {f"i{at}.xml": ITEM.format(body="x" * 3_900_000, declared="", more="") for at in range(4)}
    content = package(files, test="t0.xml")
    tests = [item for item in content.items if (item.member or "").startswith("t")]
    problems = [found.problem for found in content.read_all(tests)]
    assert problems[0] == ""
    assert "more documents to read than any course" in problems[-1]


def test_a_question_has_at_most_two_thousand_answers() -> None:
    body = '<p><textEntryInteraction responseIdentifier="RESPONSE"/></p>' * 3_000
    found = question("2", body, declaration(*map(str, range(3_000)), kind="string"))
    assert len(found.answers) == 2_000
