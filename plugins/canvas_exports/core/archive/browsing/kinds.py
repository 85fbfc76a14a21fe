"""The kinds of items, for people: their names, their order, and the counts of the manifest that they correspond to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from canvas_exports.core.packages.content.model import ItemKind


@dataclass(frozen=True)
class KindName:
    """``Page`` and ``Pages``."""

    one: str
    many: str


#: In the order in which a course shows them.
KIND_NAMES: Mapping[ItemKind, KindName] = {
    ItemKind.SYLLABUS: KindName("Syllabus", "Syllabus"),
    ItemKind.PAGE: KindName("Page", "Pages"),
    ItemKind.ASSIGNMENT: KindName("Assignment", "Assignments"),
    ItemKind.QUIZ: KindName("Quiz", "Quizzes"),
    ItemKind.QUESTION_BANK: KindName("Question bank", "Question banks"),
    ItemKind.DISCUSSION: KindName("Discussion", "Discussions"),
    ItemKind.ANNOUNCEMENT: KindName("Announcement", "Announcements"),
    ItemKind.FILE: KindName("File", "Files"),
    ItemKind.WEB_LINK: KindName("Web link", "Web links"),
    ItemKind.EXTERNAL_TOOL: KindName("External tool", "External tools"),
    ItemKind.RUBRIC: KindName("Rubric", "Rubrics"),
    ItemKind.OUTCOME: KindName("Outcome", "Outcomes"),
    ItemKind.EVENT: KindName("Calendar event", "Calendar events"),
    ItemKind.SETTINGS: KindName("Settings", "Settings"),
}

#: Question types that show their answers to whoever takes the quiz; the answers of all others are their key.
_OFFERING = frozenset(
    {
        "multiple_choice_question",
        "true_false_question",
        "multiple_answers_question",
        "multiple_dropdowns_question",
        "matching_question",
        "cc.multiple_choice.v0p1",
        "cc.multiple_response.v0p1",
        "cc.true_false.v0p1",
        "choiceinteraction",
        "inlinechoiceinteraction",
    }
)

#: Settings that are secrets of a quiz.
KEY_FIELDS = frozenset({"access_code"})


_CAMEL = re.compile(r"(?<=[a-z])[A-Z]")


def offers_answers(question_type: str) -> bool:
    """Return whether a question shows its answers to whoever takes the quiz."""
    return question_type.strip().lower() in _OFFERING


def question_type_name(question_type: str) -> str:
    """Return a question type for a person: ``Multiple choice``."""
    plain = (
        question_type.removeprefix("cc.")
        .removesuffix(".v0p1")
        .removesuffix("_question")
        .removesuffix("Interaction")
        .replace("_", " ")
        .strip()
    )
    plain = _CAMEL.sub(lambda letter: f" {letter[0].lower()}", plain)
    return plain[:1].upper() + plain[1:]


#: What a package never holds (see ``proof.NEVER_HELD``), in a sentence each.
NEVER_HELD_SENTENCES: Mapping[str, str] = {
    "enrolments": "Who was in the course, and in which role, is known to Canvas and the student information system only.",
    "submissions and grades": "What students handed in, and what they got for it, stays in Canvas; its gradebook exports it.",
    "discussion replies": "Of a discussion the package has the topic, not what people answered.",
    "page history": "Pages are here as they were at the time of the copy. Earlier versions are in earlier copies.",
    "analytics": "Page views and participations stay in Canvas.",
    "most New Quizzes": "Their questions are here only where Canvas put them into the package; findings name those without.",
    "section overrides": "Dates are those for everybody. Dates of single sections or students are not in the package.",
    "what was locked for the exporting user": "What the user of the export could not see is missing, without a trace.",
    "everything but classic quizzes and their question banks": "This is an export of quizzes: no pages, files or assignments.",
    "New Quizzes": "An export of quizzes leaves New Quizzes out.",
    "everything but files": "This is an export of files: no pages, assignments or quizzes.",
    "who may see a file": "Locks, dates and rights of files stay in Canvas.",
}
