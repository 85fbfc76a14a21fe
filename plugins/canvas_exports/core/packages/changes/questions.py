"""Compare the questions of a quiz or a question bank. What belongs to the answer key is left out unless it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from canvas_exports.core.packages.changes.documents import field_change, points_text
from canvas_exports.core.packages.changes.html_lines import html_lines
from canvas_exports.core.packages.changes.matching import Matched, moved, shingles
from canvas_exports.core.packages.changes.model import Change, FieldChange, QuestionChange, TextChange
from canvas_exports.core.packages.changes.text_diff import Budget, diff_text
from canvas_exports.core.packages.content.model import Answer, Question

#: Questions of one quiz that are compared.
MAX_QUESTIONS = 5_000

_MAX_ANSWERS, _MAX_SHOWN = 500, 200
# Their answers are seen by whoever takes the quiz. Those of all other types are what the quiz accepts: its key.
_CHOICES = (
    "multiple_choice",
    "multiple_response",
    "multiple_answers",
    "multiple_dropdowns",
    "true_false",
    "matching",
)


@dataclass(frozen=True, eq=False)
class _Seen:
    """A question as whoever takes the quiz sees it, with its number."""

    number: int
    question: Question
    text: tuple[str, ...]
    answers: tuple[str, ...]

    @property
    def line(self) -> str:
        """Return the question on one line."""
        text = " ".join(self.text) or self.question.title
        return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "\N{HORIZONTAL ELLIPSIS}"


def compare_questions(
    before: Sequence[Question], after: Sequence[Question], budget: Budget, *, with_key: bool
) -> tuple[tuple[QuestionChange, ...], int]:
    """Return what differs, in the order of the second version, what was removed last; and how many changes are too many to list.

    Args:
        before: the questions of the first version.
        after: those of the second.
        budget: what may still be taken; counted down.
        with_key: show which answers are correct, and the feedback.
    """
    found = Matched(list(_seen(before)), list(_seen(after)))
    found.match(lambda each: each.question.identifier or None)
    found.match(lambda each: (each.question.type, each.text, each.answers))
    found.match(lambda each: (each.question.type, each.text) if each.text else None)
    found.match_alike(lambda each: shingles(" ".join(each.text)), lambda each: each.question.type)
    changes = [QuestionChange(Change.ADDED, each.line, each.number) for each in found.after]
    relocated = _moved(found.pairs)
    for number, (one, other) in enumerate(found.pairs):
        change = _compare(one, other, budget, with_key=with_key, is_moved=number in relocated)
        if change.fields or change.texts or change.is_key_changed:
            changes.append(change)
    changes.sort(key=lambda change: change.number)
    changes += (QuestionChange(Change.REMOVED, each.line, each.number) for each in found.before)
    kept = tuple(changes[: max(0, budget.questions)])
    budget.questions -= len(kept)
    return kept, len(changes) - len(kept)


def _seen(questions: Sequence[Question]) -> Iterator[_Seen]:
    for number, question in enumerate(questions[:MAX_QUESTIONS], 1):
        is_choice = any(word in question.type for word in _CHOICES)
        answers = tuple(map(_answer, question.answers[:_MAX_ANSWERS])) if is_choice else ()
        yield _Seen(number, question, html_lines(question.html).lines, answers)


def _moved(pairs: Sequence[tuple[_Seen, _Seen]]) -> set[int]:
    """Return which pairs changed their order."""
    orders = (
        sorted(
            ((pair[side].number, number, pair[side].line) for number, pair in enumerate(pairs)),
            key=lambda each: each[0],
        )
        for side in (0, 1)
    )
    return moved(*([(number, line) for _, number, line in order] for order in orders))


def _compare(
    before: _Seen, after: _Seen, budget: Budget, *, with_key: bool, is_moved: bool
) -> QuestionChange:
    one, other = before.question, after.question
    fields: list[FieldChange] = [
        *field_change("title", "Title", one.title, other.title),
        *field_change("type", "Type", one.type, other.type),
        *field_change("points", "Points", points_text(one.points), points_text(other.points)),
        *field_change("bank", "Question bank", one.bank, other.bank),
    ]
    if is_moved:
        fields.append(FieldChange("position", "Position", str(before.number), str(after.number)))
    texts = [
        diff_text("text", "Question", before.text, after.text, budget),
        diff_text("answers", "Answers", before.answers, after.answers, budget),
    ]
    is_key_changed = _key(before) != _key(after)
    if with_key and is_key_changed:
        texts += _key_changes(one, other, budget)
    return QuestionChange(
        Change.CHANGED,
        after.line,
        after.number,
        tuple(fields),
        tuple(text for text in texts if text),
        is_key_changed,
    )


def _key_changes(one: Question, other: Question, budget: Budget) -> Iterator[TextChange | None]:
    yield diff_text("key", "Key", _key_lines(one), _key_lines(other), budget)
    yield diff_text("feedback", "Feedback", _feedback(one), _feedback(other), budget)


def _answer(answer: Answer) -> str:
    return " ".join(html_lines(answer.html).lines)


def _key_lines(question: Question) -> tuple[str, ...]:
    return tuple(
        f"{_answer(answer)}{f' = {answer.match}' if answer.match else ''}"
        f"{'' if answer.is_correct is None else ': correct' if answer.is_correct else ': wrong'}"
        for answer in question.answers[:_MAX_ANSWERS]
    )


def _feedback(question: Question) -> tuple[str, ...]:
    return tuple(line for text in question.feedback[:_MAX_ANSWERS] for line in html_lines(text).lines)


def _key(seen: _Seen) -> object:
    """Return what of a question is its key, to be compared: without the texts of answers that everybody sees."""
    answers = seen.question.answers[:_MAX_ANSWERS]
    return (
        tuple((each.is_correct, each.match, "" if seen.answers else _answer(each)) for each in answers),
        _feedback(seen.question),
    )
