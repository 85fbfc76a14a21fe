"""Compare the questions of a quiz or a question bank. What belongs to the answer key is left out unless it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from canvas_exports.core.packages.changes.documents import field_change, points_text
from canvas_exports.core.packages.changes.html_lines import html_lines
from canvas_exports.core.packages.changes.matching import Matched, moved, shingles
from canvas_exports.core.packages.changes.model import Change, FieldChange, QuestionChange, TextChange
from canvas_exports.core.packages.changes.sequence_diff import Steps
from canvas_exports.core.packages.changes.text_diff import diff_text
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

_Numbered = tuple[int, Question]


def compare_questions(
    before: Sequence[Question], after: Sequence[Question], steps: Steps, *, with_key: bool
) -> Iterator[QuestionChange]:
    """Yield what differs, in the order of the second version; what was removed last.

    Args:
        before: the questions of the first version.
        after: those of the second.
        steps: what all texts may still cost; counted down.
        with_key: show which answers are correct, and the feedback.
    """
    found: Matched[_Numbered] = Matched(
        list(enumerate(before[:MAX_QUESTIONS], 1)), list(enumerate(after[:MAX_QUESTIONS], 1))
    )
    found.match(lambda each: each[1].identifier or None)
    found.match(lambda each: (each[1].type, _text(each[1]), _answers(each[1])))
    found.match(lambda each: (each[1].type, text) if (text := _text(each[1])) else None)
    found.match_alike(lambda each: shingles(" ".join(_text(each[1]))), lambda each: each[1].type)
    numbers = {pair[1][0]: number for number, pair in enumerate(found.pairs)}
    relocated = moved(
        [
            (number, _line(one))
            for (at, one), number in sorted(
                ((pair[0], number) for number, pair in enumerate(found.pairs)), key=lambda each: each[0][0]
            )
        ],
        [
            (numbers[at], _line(one))
            for at, one in sorted((pair[1] for pair in found.pairs), key=lambda each: each[0])
        ],
    )
    changes = [QuestionChange(Change.ADDED, _line(question), number) for number, question in found.after]
    for number, (one, other) in enumerate(found.pairs):
        change = _compare(one, other, steps, with_key=with_key, is_moved=number in relocated)
        if change.fields or change.texts or change.is_key_changed:
            changes.append(change)
    yield from sorted(changes, key=lambda change: change.number)
    yield from (QuestionChange(Change.REMOVED, _line(question), number) for number, question in found.before)


def _compare(
    before: _Numbered, after: _Numbered, steps: Steps, *, with_key: bool, is_moved: bool
) -> QuestionChange:
    (place, one), (number, other) = before, after
    fields: list[FieldChange] = [
        *field_change("title", "Title", one.title, other.title),
        *field_change("type", "Type", one.type, other.type),
        *field_change("points", "Points", points_text(one.points), points_text(other.points)),
        *field_change("bank", "Question bank", one.bank, other.bank),
    ]
    if is_moved:
        fields.append(FieldChange("position", "Position", str(place), str(number)))
    texts = [
        diff_text("text", "Question", _text(one), _text(other), steps),
        diff_text("answers", "Answers", _answers(one), _answers(other), steps),
    ]
    is_key_changed = _key(one) != _key(other)
    if with_key and is_key_changed:
        texts += _key_changes(one, other, steps)
    return QuestionChange(
        Change.CHANGED,
        _line(other),
        number,
        tuple(fields),
        tuple(text for text in texts if text),
        is_key_changed,
    )


def _key_changes(one: Question, other: Question, steps: Steps) -> Iterator[TextChange | None]:
    yield diff_text("key", "Key", _key_lines(one), _key_lines(other), steps)
    yield diff_text("feedback", "Feedback", _feedback(one), _feedback(other), steps)


def _text(question: Question) -> tuple[str, ...]:
    return html_lines(question.html).lines


def _line(question: Question) -> str:
    text = " ".join(_text(question)) or question.title
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _answers(question: Question) -> tuple[str, ...]:
    """Return the answers that whoever takes the quiz can see."""
    if not any(word in question.type for word in _CHOICES):
        return ()
    return tuple(_answer(answer) for answer in question.answers[:_MAX_ANSWERS])


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


def _key(question: Question) -> object:
    """Return what of a question is its key, to be compared: without the texts of answers that everybody sees."""
    seen = bool(_answers(question))
    return (
        tuple(
            (answer.is_correct, answer.match, "" if seen else _answer(answer))
            for answer in question.answers[:_MAX_ANSWERS]
        ),
        _feedback(question),
    )
