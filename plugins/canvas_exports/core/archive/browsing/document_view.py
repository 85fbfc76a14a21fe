"""What a page shows of one item: settings, text, questions and tables, with the HTML in them cleaned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from canvas_exports.core.archive.browsing.clean_html import Links, clean_html, outside_address
from canvas_exports.core.archive.browsing.kinds import KEY_FIELDS, offers_answers, question_type_name
from canvas_exports.core.packages.content.model import (
    Answer,
    Document,
    Field,
    Item,
    ItemKind,
    Question,
    Table,
)

#: Questions of one quiz or bank that are shown, and characters of HTML of all of them; the rest is in the package.
MAX_QUESTIONS = 2000
_MAX_HTML = 8 << 20

_MAX_ROWS = 2000


@dataclass(frozen=True)
class AnswerView:
    """An answer as it is shown, its HTML cleaned; without the key, ``is_correct`` is ``None`` and ``match`` is empty."""

    html: str
    is_correct: bool | None
    match: str


@dataclass(frozen=True)
class QuestionView:
    """A question as it is shown, its HTML cleaned.

    Attributes:
        choices: of a matching question without the key, what its answers are matched with, sorted.
        hidden: whether answers are left out because they are the key.
        bank_address: of the page of the bank that a group draws from.
    """

    type: str
    title: str
    html: str
    points: float | None
    answers: tuple[AnswerView, ...]
    choices: tuple[str, ...]
    hidden: bool
    feedback: tuple[str, ...]
    bank_title: str
    bank_address: str


@dataclass(frozen=True)
class DocumentView:
    """An item as it is shown, its HTML cleaned. ``web_address`` is the address of a web link or tool; ``more_questions`` are not shown."""

    fields: tuple[Field, ...]
    html: str
    questions: tuple[QuestionView, ...]
    more_questions: int
    tables: tuple[Table, ...]
    web_address: str
    is_key_shown: bool


def document_view(
    document: Document,
    links: Links,
    *,
    show_key: bool,
    find: Callable[[ItemKind, str], Item | None],
) -> DocumentView:
    """Return what is shown of an item, in bounded time and memory.

    Args:
        document: the item.
        links: of its addresses.
        show_key: whether correct answers, feedback and access codes are shown.
        find: see ``CourseContent.find``.
    """
    questions: list[QuestionView] = []
    left = _MAX_HTML
    for question in document.questions[:MAX_QUESTIONS]:
        left -= (
            len(question.html)
            + sum(len(each.html) for each in question.answers)
            + sum(map(len, question.feedback))
        )
        if left < 0:
            break
        questions.append(_question(question, links, show_key=show_key, find=find))
    is_address = document.item.kind in (ItemKind.WEB_LINK, ItemKind.EXTERNAL_TOOL)
    return DocumentView(
        fields=tuple(
            field for field in document.fields if field.value and (show_key or field.name not in KEY_FIELDS)
        ),
        html=_html(document.html, links),
        questions=tuple(questions),
        more_questions=len(document.questions) - len(questions),
        tables=tuple(Table(each.caption, each.header, each.rows[:_MAX_ROWS]) for each in document.tables),
        web_address=next(filter(None, map(outside_address, document.links)), "") if is_address else "",
        is_key_shown=show_key,
    )


def _question(
    question: Question,
    links: Links,
    *,
    show_key: bool,
    find: Callable[[ItemKind, str], Item | None],
) -> QuestionView:
    are_shown = show_key or offers_answers(question.type)
    matches = tuple(sorted({answer.match for answer in question.answers if answer.match}))
    bank = find(ItemKind.QUESTION_BANK, question.bank) if question.bank else None
    return QuestionView(
        type=question_type_name(question.type),
        title=question.title,
        html=_html(question.html, links),
        points=question.points,
        answers=tuple(_answer(each, links, show_key=show_key) for each in question.answers)
        if are_shown
        else (),
        choices=() if show_key or not are_shown else matches,
        hidden=bool(question.answers) and not are_shown,
        feedback=tuple(_html(each, links) for each in question.feedback) if show_key else (),
        bank_title=bank.title if bank else question.bank,
        bank_address=links.page(bank) if bank else "",
    )


def _answer(answer: Answer, links: Links, *, show_key: bool) -> AnswerView:
    return AnswerView(
        html=_html(answer.html, links),
        is_correct=answer.is_correct if show_key else None,
        match=answer.match if show_key else "",
    )


def _html(html: str, links: Links) -> str:
    return clean_html(html, links) if html else ""
