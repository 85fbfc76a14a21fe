"""New Quizzes: which assignments and quizzes of a cartridge are theirs, and whether it holds their questions.

They live in another program. An assignment is their shell; the questions are in the cartridge only where that program has
delivered them. Each of these tells a New Quiz: the host of that program, or its name as a tool; the settings of a quiz in an
assignment of an external tool, or the body of a quiz under its identifier; and the namespaces as that program writes them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from canvas_exports.core.packages.cartridge.documents import Gathered, Part
from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.foreign_text import harmless

# The host of New Quizzes, such as campus.quiz-lti-dub-prod.instructure.com.
_HOST = re.compile(r"(\A|\.)quiz-lti[a-z0-9-]*\.instructure\.com\Z")
_NAMES = ("quizzes_next", "quizzes.next", "quizzes-next", "new_quizzes", "quiz_lti")
_NO = ("", "false", "0", "no", "nil", "null")
_BODIES = "non_cc_assessments/"
_BODY = "assessment_qti.xml"

_MOST = 20_000
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Shell:
    """An assignment of an external tool."""

    identifier: str
    member: str
    title: str
    tool: str
    quiz: str
    is_new_quiz: bool


@dataclass(frozen=True, slots=True)
class Quiz:
    """The settings of a quiz that New Quizzes delivered, and the assignments that they name."""

    identifier: str
    member: str
    title: str
    assignments: frozenset[str]


class Seen:
    """What was seen of New Quizzes in a package."""

    def __init__(self) -> None:
        self.shells: list[Shell] = []
        self.quizzes: list[Quiz] = []
        self.bodies: set[str] = set()
        self.tools: set[str] = set()

    def member(self, name: str) -> None:
        """See the name of a member: some are the body of a quiz."""
        folder, base = posixpath.split(name)
        if base == _BODY and folder:
            self.bodies.add(folder)
        elif name.startswith(_BODIES) and name.endswith(".xml.qti"):
            self.bodies.add(name[len(_BODIES) : -len(".xml.qti")])

    def counts(self) -> Mapping[str, int]:
        """How many New Quizzes there are, and how many of them with their questions; assignments of other tools."""
        found = list(self._found())
        news = sum(isinstance(each, Shell) for each, _ in found)
        return {
            "new_quizzes": len(found),
            "new_quiz_bodies": sum(has_body for _, has_body in found),
            "tool_assignments": len(self.shells) - news,
        }

    def findings(self) -> Iterator[Finding]:
        """Each New Quiz without its questions."""
        for each, has_body in self._found():
            if not has_body:
                text = f"New Quiz {harmless(each.title, most=200)!r}: its questions are not in the package"
                yield Finding("new_quiz", Severity.WARNING, text, each.member)

    def _found(self) -> Iterator[tuple[Shell | Quiz, bool]]:
        of_assignment = {name: quiz for quiz in self.quizzes for name in quiz.assignments}
        told = set()
        for shell in self.shells:
            quiz = of_assignment.get(shell.identifier)
            names = {shell.identifier, shell.quiz, quiz.identifier if quiz else ""} - {""}
            has_body = not self.bodies.isdisjoint(names)
            if shell.is_new_quiz or shell.tool in self.tools or quiz or shell.identifier in self.bodies:
                told |= names
                yield shell, has_body
        for each in self.quizzes:
            if each.identifier not in told:
                yield each, each.identifier in self.bodies


class Assignment(Part):
    """An assignment. If it is an external tool's, the package holds its name and dates, and not what is asked."""

    texts_of = (
        "title",
        "submission_types",
        "external_tool_url",
        "external_tool_identifierref",
        "quiz_identifierref",
    )

    def __init__(self, gathered: Gathered, name: str, seen: Seen) -> None:
        super().__init__(gathered, name)
        self._seen = seen
        self._identifier = ""
        self._is_quiz = False
        self._text = ""

    def started(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - the base's signature
        """See what begins."""
        self._text = ""
        if len(self.open) == 1:
            self._identifier = attributes.get("identifier", "")[:_LONGEST]

    def said(self, text: str) -> None:
        """Remember what is needed of it."""
        name = self.open[-1]
        if "quiz" in name or "tool" in name:
            self._text = (self._text + text)[:_LONGEST]
        super().said(text)

    def ended(self, name: str) -> None:
        """See what has ended: settings of a quiz, or the name of New Quizzes as a tool."""
        text = self._text.strip().lower()
        if "quiz" in name:
            self._is_quiz |= text not in _NO or len(text) == _LONGEST
        elif "tool" in name:
            self._is_quiz |= any(each in text for each in _NAMES)

    def told(self) -> None:
        """Pass on what it said."""
        if self.texts.get("submission_types") != "external_tool" or len(self._seen.shells) >= _MOST:
            return
        url = self.texts.get("external_tool_url", "")
        self._seen.shells.append(
            Shell(
                self._identifier or posixpath.dirname(self.name)[:_LONGEST],
                self.name,
                self.texts.get("title", "")[:200],
                self.texts.get("external_tool_identifierref", "")[:_LONGEST],
                self.texts.get("quiz_identifierref", "")[:_LONGEST],
                self._is_quiz or _is_new_quizzes(url),
            )
        )


class QuizSettings(Part):
    """``assessment_meta.xml``. New Quizzes declare the place of a schema, two addresses with a blank, as a namespace."""

    texts_of = ("title",)

    def __init__(self, gathered: Gathered, name: str, seen: Seen) -> None:
        super().__init__(gathered, name)
        self._seen = seen
        self._is_new = False
        self._assignments: set[str] = set()
        self._identifier = ""

    def declared(self, prefix: str, space: str) -> None:
        """A namespace is declared."""
        super().declared(prefix, space)
        self._is_new |= len(space.split()) > 1

    def started(self, name: str, attributes: dict[str, str]) -> None:
        """See what begins."""
        identifier = attributes.get("identifier", "")[:_LONGEST]
        if len(self.open) == 1:
            self._identifier = identifier
        elif name == "assignment" and identifier and len(self._assignments) < 2:  # noqa: PLR2004 - a quiz has one
            self._assignments.add(identifier)

    def told(self) -> None:
        """Pass on what it said."""
        if self._is_new and len(self._seen.quizzes) < _MOST:
            identifier = self._identifier or posixpath.dirname(self.name)[:_LONGEST]
            title = self.texts.get("title", "")[:200]
            self._seen.quizzes.append(Quiz(identifier, self.name, title, frozenset(self._assignments)))


class Tool(Part):
    """An external tool of the course: whether it is New Quizzes."""

    def __init__(self, gathered: Gathered, name: str, seen: Seen) -> None:
        super().__init__(gathered, name)
        self._seen = seen
        self._is_new_quizzes = False
        self._text = ""

    def started(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - the base's signature
        """See what begins."""
        self._text = ""

    def said(self, text: str) -> None:
        """Remember what is needed of it."""
        if self.open[-1] not in ("title", "description"):
            self._text = (self._text + text)[:_LONGEST]

    def ended(self, name: str) -> None:  # noqa: ARG002 - the base's signature
        """See what has ended."""
        text, self._text = self._text.strip(), ""
        self._is_new_quizzes |= any(each in text.lower() for each in _NAMES) or _is_new_quizzes(text)

    def told(self) -> None:
        """Pass on what it said."""
        if self._is_new_quizzes and len(self._seen.tools) < _MOST:
            self._seen.tools.add(posixpath.basename(self.name).removesuffix(".xml"))


def _is_new_quizzes(url: str) -> bool:
    try:
        return _HOST.search(urlsplit(url if "//" in url else f"//{url}").hostname or "") is not None
    except ValueError:
        return False
