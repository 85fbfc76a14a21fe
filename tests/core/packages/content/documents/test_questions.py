"""Questions of every type that Canvas writes, and of other systems: text, answers, key, feedback, groups."""

from __future__ import annotations

import pytest
from tests.support.packages.build import zipped
from tests.support.packages.courses import course
from tests.support.packages.opened import document, opened, titles
from tests.support.packages.questions import FIELD, assessment, bank, choice, condition, equal, question

from canvas_exports.core.packages.content.model import Document, ItemKind, Question

FULL = "non_cc_assessments/z1.xml.qti"


def quiz(*items: str) -> Document:
    return document(opened(course().having({FULL: assessment(*items)})), ItemKind.QUIZ)


def read(item: str) -> Question:
    (found,) = quiz(item).questions
    return found


def key_of(found: Question) -> list[tuple[str, bool | None]]:
    return [(answer.html, answer.is_correct) for answer in found.answers]


class TestCanvas:
    def test_of_a_choice_one_answer_is_right(self) -> None:
        found = read(
            question("multiple_choice_question", choice({"1": "A & B", "2": "C"}), condition(equal("2")))
        )
        assert (found.type, found.html, found.points) == ("multiple_choice_question", "<p>Why?</p>", 2.0)
        assert key_of(found) == [("A &amp; B", False), ("C", True)]

    def test_of_several_answers_those_that_must_be_chosen_are_right(self) -> None:
        wanted = f"<and>{equal('1')}<not>{equal('2')}</not>{equal('3')}</and>"
        item = question(
            "multiple_answers_question", choice({"1": "a", "2": "b", "3": "c"}), condition(wanted)
        )
        assert key_of(read(item)) == [("a", True), ("b", False), ("c", True)]

    def test_feedback_is_kept_and_is_no_score(self) -> None:
        comment = (
            f'<respcondition continue="Yes"><conditionvar>{equal("1")}</conditionvar>'
            '<displayfeedback feedbacktype="Response" linkrefid="1_fb"/></respcondition>'
        )
        more = '<itemfeedback ident="1_fb"><flow_mat><material><mattext texttype="text/html">&lt;i&gt;No&lt;/i&gt;</mattext></material></flow_mat></itemfeedback>'
        item = question(
            "true_false_question",
            choice({"1": "True", "2": "False"}),
            comment + condition(equal("2")),
            more=more,
        )
        found = read(item)
        assert key_of(found) == [("True", False), ("False", True)]
        assert found.feedback == ("<i>No</i>",)

    def test_a_survey_has_no_key(self) -> None:
        assert key_of(read(question("multiple_choice_question", choice({"1": "a"})))) == [("a", None)]

    def test_what_is_to_be_matched_comes_with_its_match_then_what_matches_nothing(self) -> None:
        rights = {"r1": "Paris", "r2": "Rome", "r3": "Oslo"}
        lids = choice(rights, name="response_1", label="France") + choice(
            rights, name="response_2", label="Italy"
        )
        scores = condition(equal("r1", "response_1"), "50", "Add") + condition(
            equal("r2", "response_2"), "50", "Add"
        )
        found = read(question("matching_question", lids, scores))
        assert [(answer.html, answer.match) for answer in found.answers] == [
            ("France", "Paris"),
            ("Italy", "Rome"),
            ("Oslo", ""),
        ]

    @pytest.mark.parametrize("kind", ["multiple_dropdowns_question", "fill_in_multiple_blanks_question"])
    def test_several_blanks_have_answers_each(self, kind: str) -> None:
        lids = choice({"1": "red", "2": "blue"}, name="response_a", label="a") + choice(
            {"3": "hot"}, name="response_b", label="b"
        )
        scores = condition(equal("2", "response_a"), "50", "Add") + condition(
            equal("3", "response_b"), "50", "Add"
        )
        found = read(question(kind, lids, scores, text="<p>[a] is [b]</p>"))
        assert [(each.blank, each.html, each.is_correct) for each in found.answers] == [
            ("a", "red", False),
            ("a", "blue", True),
            ("b", "hot", True),
        ]

    def test_a_short_answer_accepts_texts(self) -> None:
        found = read(question("short_answer_question", FIELD, condition(equal("a<b") + equal("less"))))
        assert key_of(found) == [("a&lt;b", True), ("less", True)]

    def test_a_number_is_exact_or_in_a_range(self) -> None:
        margin = f"<or>{equal('4.0')}<and><vargte respident='response1'>3.9</vargte><varlte respident='response1'>4.1</varlte></and></or>"
        between = "<vargte respident='response1'>10</vargte><varlte respident='response1'>12</varlte>"
        found = read(question("numerical_question", FIELD, condition(margin) + condition(between)))
        assert key_of(found) == [("4.0", True), ("3.9 to 4.1", True), ("10 to 12", True)]

    def test_a_calculated_question_has_its_formula_and_its_values(self) -> None:
        more = (
            "<itemproc_extension><calculated><answer_tolerance>0</answer_tolerance><formulas decimal_places='2'><formula>x+y</formula>"
            "</formulas><vars><var name='x' scale='0'><min>1.0</min><max>10.0</max></var></vars><var_sets><var_set ident='7'>"
            "<var name='x'>4.0</var><var name='y'>5.0</var><answer>9.0</answer></var_set></var_sets></calculated></itemproc_extension>"
        )
        found = read(question("calculated_question", FIELD, more=more))
        assert key_of(found) == [("x+y", True), ("x: 1.0 to 10.0", None), ("x = 4.0, y = 5.0: 9.0", True)]

    @pytest.mark.parametrize("kind", ["essay_question", "file_upload_question", "text_only_question"])
    def test_a_question_without_answers_has_none(self, kind: str) -> None:
        assert read(question(kind, FIELD if kind == "essay_question" else "")).answers == ()

    def test_a_group_that_draws_from_a_bank_leads_to_it(self) -> None:
        group = (
            '<section ident="g1" title="Drawn"><selection_ordering><selection><selection_number>2</selection_number>'
            "<selection_extension><points_per_item>1.5</points_per_item></selection_extension>"
            "<sourcebank_ref>b1</sourcebank_ref></selection></selection_ordering></section>"
        )
        found = quiz(question("essay_question", FIELD), group)
        assert [(each.type, each.title, each.points, each.bank) for each in found.questions] == [
            ("essay_question", "Question", 2.0, ""),
            ("question_group", "Drawn", 1.5, "b1"),
        ]

    def test_a_group_of_its_own_questions_stands_before_them(self) -> None:
        own = question("essay_question", FIELD, name="q7")
        group = (
            '<section ident="g1" title="Own"><selection_ordering><selection><selection_number>1</selection_number></selection>'
            f"</selection_ordering>{own}</section>"
        )
        assert [each.identifier for each in quiz(group).questions] == ["g1", "q7"]


class TestQuiz:
    def test_settings_and_description_come_from_its_own_document(self) -> None:
        meta = (
            b"<quiz identifier='z1'><title>Midterm</title><description>&lt;p&gt;Read&lt;/p&gt;</description>"
            b"<time_limit>60</time_limit><available>false</available><assignment><due_at>2026-12-01T00:00:00</due_at></assignment></quiz>"
        )
        found = document(opened(course().having({"z1/assessment_meta.xml": meta})), ItemKind.QUIZ)
        assert (found.item.title, found.item.is_published, found.html) == ("Midterm", False, "<p>Read</p>")
        assert [(field.label, field.value) for field in found.fields] == [
            ("Due", "2026-12-01T00:00:00"),
            ("Minutes", "60"),
            ("Available", "false"),
        ]

    def test_where_canvas_s_form_is_empty_the_common_one_is_read(self) -> None:
        item = question(
            "",
            choice({"1": "a"}),
            condition(equal("1")),
            labels={"cc_profile": "cc.multiple_choice.v0p1", "cc_weighting": "3"},
        )
        whole = course().having({FULL: assessment(), "z1/assessment_qti.xml": assessment(item)})
        (found,) = document(opened(whole), ItemKind.QUIZ).questions
        assert (found.type, found.points) == ("cc.multiple_choice.v0p1", 3.0)

    def test_a_bank_has_its_title_and_its_questions(self) -> None:
        content = opened(
            course().having(
                {"non_cc_assessments/b1.xml.qti": bank(question("essay_question", FIELD), title="Genetics")}
            )
        )
        assert titles(content, ItemKind.QUESTION_BANK) == ["Genetics"]
        found = document(content, ItemKind.QUESTION_BANK)
        assert (found.item.title, len(found.questions)) == ("Genetics", 1)

    def test_links_in_questions_and_answers_are_its_links(self) -> None:
        item = question(
            "essay_question",
            FIELD,
            text='<img src="$IMS-CC-FILEBASE$/a.png"><a href="https://example.org">x</a>',
        )
        assert quiz(item).links == ("$IMS-CC-FILEBASE$/a.png", "https://example.org")

    def test_of_a_document_that_ends_early_the_questions_before_the_end_are_read(self) -> None:
        whole = assessment(
            question("essay_question", FIELD, name="a"), question("essay_question", FIELD, name="b")
        )
        found = document(
            opened(
                course().having(
                    {FULL: whole[: whole.index(b'ident="b"') + 40], "z1/assessment_qti.xml": b"<x"}
                )
            ),
            ItemKind.QUIZ,
        )
        assert [each.identifier for each in found.questions][:1] == ["a"]
        assert found.problem


class TestOtherSystems:
    def test_text_in_a_flow_and_pictures_are_in_the_question(self) -> None:
        item = (
            '<item ident="r1" title="One"><presentation><flow><material><mattext>Look: 1 &lt; 2</mattext><matimage uri="a.gif" label="A"/>'
            '</material><response_lid ident="R"><render_choice><flow_label><response_label ident="A"><flow_mat><material><mattext>Yes</mattext>'
            "</material></flow_mat></response_label></flow_label></render_choice></response_lid></flow></presentation>"
            '<resprocessing><respcondition title="correct"><conditionvar><varequal respident="R">A</varequal></conditionvar>'
            '<displayfeedback linkrefid="C"/></respcondition></resprocessing></item>'
        )
        found = read(item)
        assert found.html == 'Look: 1 &lt; 2<img src="a.gif" alt="A">'
        assert key_of(found) == [("Yes", True)]

    def test_an_order_has_places(self) -> None:
        lid = choice({"1": "second", "2": "first"}, cardinality="Ordered")
        found = read(question("ordering_question", lid, condition(equal("2") + equal("1"))))
        assert [(each.html, each.match) for each in found.answers] == [("second", "2"), ("first", "1")]

    def test_partial_points_for_an_answer_make_it_right_and_lost_ones_wrong(self) -> None:
        scores = condition(equal("1"), "50") + condition(equal("2"), "-50") + condition(equal("3"), "0")
        found = read(question("", choice({"1": "a", "2": "b", "3": "c"}), scores, labels={}))
        assert key_of(found) == [("a", True), ("b", False), ("c", False)]


def test_of_blackboard_text_type_and_key_are_read() -> None:
    def text(html: str) -> str:
        return f'<material><mat_extension><mat_formattedtext type="HTML">{html}</mat_formattedtext></mat_extension></material>'

    labels = "".join(
        f'<response_label ident="{each}"><flow_mat>{text(each)}</flow_mat></response_label>' for each in "AB"
    )
    item = (
        '<item title="1"><itemmetadata><bbmd_questiontype>Multiple Choice</bbmd_questiontype></itemmetadata>'
        f'<presentation><flow class="QUESTION_BLOCK">{text("&lt;p&gt;Why?&lt;/p&gt;")}</flow><response_lid ident="r"><render_choice>'
        f"{labels}</render_choice></response_lid></presentation><resprocessing>"
        '<respcondition title="correct"><conditionvar><varequal respident="r">B</varequal></conditionvar>'
        '<setvar variablename="SCORE" action="Set">SCORE.max</setvar></respcondition>'
        '<respcondition title="incorrect"><conditionvar><other/></conditionvar><setvar variablename="SCORE">0</setvar></respcondition>'
        "</resprocessing></item>"
    )
    found = read(item)
    assert (found.type, found.html) == ("Multiple Choice", "<p>Why?</p>")
    assert key_of(found) == [("A", False), ("B", True)]


def test_the_metadata_of_brightspace_are_read() -> None:
    fields = (
        "<qti_metadatafield><fieldlabel>qmd_questiontype</fieldlabel><fieldentry>Long Answer</fieldentry></qti_metadatafield>"
        "<qti_metadatafield><fieldlabel>qmd_weighting</fieldlabel><fieldentry>2.5</fieldentry></qti_metadatafield>"
    )
    found = read(
        f"<item ident='a'><itemmetadata><qtimetadata>{fields}</qtimetadata></itemmetadata><presentation/></item>"
    )
    assert (found.type, found.points) == ("Long Answer", 2.5)


class TestReferences:
    """Old packages, and those of other systems, keep questions in one document and refer to them from another."""

    def of(self, references: str, others: dict[str, str]) -> Document:
        quiz = f"<questestinterop><assessment ident='a'><section>{question('essay_question', '', name='own')}{references}</section></assessment></questestinterop>"
        files = {"t/a.xml": quiz, **others}
        resources = "".join(
            f"<resource identifier='R{at}' type='imsqti_xmlv1p2' href='{name}'/>"
            for at, name in enumerate(files)
        )
        manifest = f"<manifest><organizations/><resources>{resources}</resources></manifest>"
        members = {name: text.encode() for name, text in files.items()}
        content = opened(zipped({**members, "imsmanifest.xml": manifest.encode()}))
        item = content.find(ItemKind.QUIZ, "R0")
        assert item is not None
        return content.read(item)

    BANK = f"<questestinterop><objectbank>{question('essay_question', '', name='x')}{question('essay_question', '', name='y')}</objectbank></questestinterop>"

    @pytest.mark.parametrize(
        ("reference", "names"),
        [
            ("<itemref linkrefid='y'/>", ["own", "y"]),
            ("<itemref linkrefid='R1'/>", ["own", "x", "y"]),
            ("<itemref linkrefid='y' href='../b/bank.xml'/>", ["own", "y"]),
            (
                "<itemref linkrefid='x'><file href='../b/bank.xml'/></itemref><itemref linkrefid='y'/>",
                ["own", "x", "y"],
            ),
        ],
    )
    def test_the_questions_that_are_meant_are_shown_in_their_place(
        self, reference: str, names: list[str]
    ) -> None:
        found = self.of(reference, {"b/bank.xml": self.BANK})
        assert [each.identifier for each in found.questions] == names
        assert found.problem == ""

    @pytest.mark.parametrize("reference", ["linkrefid='z'", "linkrefid='y' href='gone.xml'", ""])
    def test_one_that_leads_to_nothing_is_a_problem(self, reference: str) -> None:
        found = self.of(f"<itemref {reference}/>", {"b/bank.xml": self.BANK})
        assert [each.identifier for each in found.questions] == ["own"]
        assert "some of its questions are not in the package" in found.problem

    def test_quizzes_that_refer_to_each_other_end(self) -> None:
        other = "<questestinterop><assessment><itemref linkrefid='R0'/></assessment></questestinterop>"
        found = self.of("<itemref linkrefid='R1'/>", {"b.xml": other})
        assert [each.identifier for each in found.questions] == ["own"]

    def test_references_without_end_to_a_large_bank_end(self) -> None:
        bank = "".join(f"<item ident='{at}'/>" for at in range(500))
        other = f"<questestinterop><objectbank>{bank}</objectbank></questestinterop>"
        found = self.of("<itemref linkrefid='R1'/>" * 5_000, {"b.xml": other})
        assert len(found.questions) == 1_001
        assert "some of its questions are not in the package, or too long" in found.problem

    def test_a_thousand_questions_elsewhere_are_no_problem(self) -> None:
        other = "<questestinterop><objectbank><item ident='x'/></objectbank></questestinterop>"
        found = self.of("<itemref linkrefid='R1'/>" * 1_000, {"b.xml": other})
        assert (len(found.questions), found.problem) == (1_001, "")
