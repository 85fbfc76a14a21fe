"""Recognise New Quizzes in a cartridge, and whether their questions are in it.

New Quizzes are a program of their own. In Canvas, a New Quiz is an assignment with an external tool; the cartridge has its
questions only if that program has delivered them. Each of these signs identifies a New Quiz:

* an assignment with an external tool whose URL has the program's host, or whose tool has one of the program's names;
* such an assignment with settings of a quiz, or with the questions of a quiz under its identifier;
* quiz settings (``assessment_meta.xml``) with the namespace declaration that the program writes.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from canvas_exports.core.packages.cartridge.documents import ContentSummary, DocumentReader
from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.foreign_text import harmless

# The host of New Quizzes, such as campus.quiz-lti-dub-prod.instructure.com.
_HOST = re.compile(r"(\A|\.)quiz-lti[a-z0-9-]*\.instructure\.com\Z")
_NAMES = ("quizzes_next", "quizzes.next", "quizzes-next", "new_quizzes", "quiz_lti")
_NO = ("", "false", "0", "no", "nil", "null")
_QUESTIONS_FOLDER = "non_cc_assessments/"
_QUESTIONS_FILE = "assessment_qti.xml"

_MOST = 20_000
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class ToolAssignment:
    """An assignment with an external tool."""

    identifier: str
    member: str
    title: str
    tool: str
    quiz: str
    is_new_quiz: bool


@dataclass(frozen=True, slots=True)
class DeliveredQuiz:
    """A quiz of which New Quizzes has delivered the settings; ``assignments`` are the identifiers that these name."""

    identifier: str
    member: str
    title: str
    assignments: frozenset[str]


class NewQuizzes:
    """Collects the signs of New Quizzes in a package and combines them."""

    def __init__(self) -> None:
        self.tool_assignments: list[ToolAssignment] = []
        self.quizzes: list[DeliveredQuiz] = []
        self.with_questions: set[str] = set()
        self.tools: set[str] = set()

    def add_member(self, name: str) -> None:
        """Note the name of a member; some names are those of a quiz's questions."""
        folder, base = posixpath.split(name)
        if base == _QUESTIONS_FILE and folder:
            self.with_questions.add(folder)
        elif name.startswith(_QUESTIONS_FOLDER) and name.endswith(".xml.qti"):
            self.with_questions.add(name[len(_QUESTIONS_FOLDER) : -len(".xml.qti")])

    def counts(self) -> Mapping[str, int]:
        """Count the New Quizzes, those of them with questions, and the assignments with other tools."""
        found = list(self._found())
        news = sum(isinstance(each, ToolAssignment) for each, _ in found)
        return {
            "new_quizzes": len(found),
            "new_quiz_bodies": sum(has_questions for _, has_questions in found),
            "tool_assignments": len(self.tool_assignments) - news,
        }

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each New Quiz without its questions."""
        for each, has_questions in self._found():
            if not has_questions:
                text = f"New Quiz {harmless(each.title, most=200)!r}: its questions are not in the package"
                yield Finding("new_quiz", Severity.WARNING, text, each.member)

    def _found(self) -> Iterator[tuple[ToolAssignment | DeliveredQuiz, bool]]:
        of_assignment = {name: quiz for quiz in self.quizzes for name in quiz.assignments}
        known = set()
        for assignment in self.tool_assignments:
            quiz = of_assignment.get(assignment.identifier)
            names = {assignment.identifier, assignment.quiz, quiz.identifier if quiz else ""} - {""}
            has_questions = not self.with_questions.isdisjoint(names)
            if (
                assignment.is_new_quiz
                or assignment.tool in self.tools
                or quiz
                or assignment.identifier in self.with_questions
            ):
                known |= names
                yield assignment, has_questions
        for each in self.quizzes:
            if each.identifier not in known:
                yield each, each.identifier in self.with_questions


class AssignmentReader(DocumentReader):
    """Reads the settings of an assignment. With an external tool, its name and dates are in the package, its questions are not."""

    texts_of = (
        "title",
        "submission_types",
        "external_tool_url",
        "external_tool_identifierref",
        "quiz_identifierref",
    )

    def __init__(self, summary: ContentSummary, name: str, new_quizzes: NewQuizzes) -> None:
        super().__init__(summary, name)
        self._new_quizzes = new_quizzes
        self._identifier = ""
        self._is_quiz = False
        self._text = ""

    def on_start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - the base's signature
        """Note an element that begins."""
        self._text = ""
        if len(self.open) == 1:
            self._identifier = attributes.get("identifier", "")[:_LONGEST]

    def characters(self, text: str) -> None:
        """Keep the texts that are needed."""
        name = self.open[-1]
        if "quiz" in name or "tool" in name:
            self._text = (self._text + text)[:_LONGEST]
        super().characters(text)

    def on_end(self, name: str) -> None:
        """Note settings of a quiz, or a name of New Quizzes as a tool."""
        text = self._text.strip().lower()
        if "quiz" in name:
            self._is_quiz |= text not in _NO or len(text) == _LONGEST
        elif "tool" in name:
            self._is_quiz |= any(each in text for each in _NAMES)

    def on_document_end(self) -> None:
        """Add the result."""
        if (
            self.texts.get("submission_types") != "external_tool"
            or len(self._new_quizzes.tool_assignments) >= _MOST
        ):
            return
        url = self.texts.get("external_tool_url", "")
        self._new_quizzes.tool_assignments.append(
            ToolAssignment(
                self._identifier or posixpath.dirname(self.name)[:_LONGEST],
                self.name,
                self.texts.get("title", "")[:200],
                self.texts.get("external_tool_identifierref", "")[:_LONGEST],
                self.texts.get("quiz_identifierref", "")[:_LONGEST],
                self._is_quiz or _is_new_quizzes(url),
            )
        )


class QuizSettingsReader(DocumentReader):
    """Reads ``assessment_meta.xml``. New Quizzes declares a schema location, two URLs with a blank, as a namespace."""

    texts_of = ("title",)

    def __init__(self, summary: ContentSummary, name: str, new_quizzes: NewQuizzes) -> None:
        super().__init__(summary, name)
        self._new_quizzes = new_quizzes
        self._is_new = False
        self._assignments: set[str] = set()
        self._identifier = ""

    def namespace(self, prefix: str, space: str) -> None:
        """Note a namespace declaration."""
        super().namespace(prefix, space)
        self._is_new |= len(space.split()) > 1

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        """Note an element that begins."""
        identifier = attributes.get("identifier", "")[:_LONGEST]
        if len(self.open) == 1:
            self._identifier = identifier
        elif name == "assignment" and identifier and len(self._assignments) < 2:  # noqa: PLR2004 - a quiz has one
            self._assignments.add(identifier)

    def on_document_end(self) -> None:
        """Add the result."""
        if self._is_new and len(self._new_quizzes.quizzes) < _MOST:
            identifier = self._identifier or posixpath.dirname(self.name)[:_LONGEST]
            title = self.texts.get("title", "")[:200]
            self._new_quizzes.quizzes.append(
                DeliveredQuiz(identifier, self.name, title, frozenset(self._assignments))
            )


class ToolReader(DocumentReader):
    """Reads an external tool of the course: whether it is New Quizzes."""

    def __init__(self, summary: ContentSummary, name: str, new_quizzes: NewQuizzes) -> None:
        super().__init__(summary, name)
        self._new_quizzes = new_quizzes
        self._is_new_quizzes = False
        self._text = ""

    def on_start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - the base's signature
        """Note an element that begins."""
        self._text = ""

    def characters(self, text: str) -> None:
        """Keep the texts that are needed."""
        if self.open[-1] not in ("title", "description"):
            self._text = (self._text + text)[:_LONGEST]

    def on_end(self, name: str) -> None:  # noqa: ARG002 - the base's signature
        """Note a name or URL of New Quizzes."""
        text, self._text = self._text.strip(), ""
        self._is_new_quizzes |= any(each in text.lower() for each in _NAMES) or _is_new_quizzes(text)

    def on_document_end(self) -> None:
        """Add the result."""
        if self._is_new_quizzes and len(self._new_quizzes.tools) < _MOST:
            self._new_quizzes.tools.add(posixpath.basename(self.name).removesuffix(".xml"))


def _is_new_quizzes(url: str) -> bool:
    try:
        return _HOST.search(urlsplit(url if "//" in url else f"//{url}").hostname or "") is not None
    except ValueError:
        return False
