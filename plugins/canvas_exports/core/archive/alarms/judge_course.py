"""Judge the copies of a course from their manifests: what was lost, and what should not be there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from canvas_exports.core.archive.alarms.losses import ORDINARY, ORDINARY_IN_A_WEEK, ORDINARY_IN_ALL, is_loss
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.model.alarm import Alarm, AlarmCode
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.text.wording import format_day, format_size, format_time, join_words

#: Several losses within this time are added up.
WEEK = timedelta(days=7)
#: Contents that are compared: the newest ones. An unchanged course has the same content in many copies.
MOST_CONTENTS = 100

#: The kinds of content, as proofs count them at any level.
KINDS = ("pages", "assignments", "quizzes", "question_banks", "discussions", "files", "web_links", "tools")
#: All things of these kinds together.
_ITEMS = "items"
_MOST = 10**15  # of a number in a manifest, which is foreign
_IN_ALL = (_ITEMS, "members")
_MEASURES = (*KINDS, "modules", "module_items", *_IN_ALL)
_BYTES, _SIZE = "bytes", "size"
_EMPTY_FILES, _EXECUTABLES, _ENCRYPTED = "empty_files", "executables", "encrypted"

#: Fewer kinds of things than that are no content that could be lost.
_FEWEST_ITEMS = 3
#: Of the bytes, with as many files as before: what one large file may make up.
_ORDINARY_BYTES = 0.8
_FEWEST_BYTES = 1_000_000
#: Files that became empty: so many, and so large a share.
_FEWEST_EMPTIED, _EMPTIED_SHARE = 3, 0.2
#: Of a course that had executables: how many times as many, and how many more.
_MORE_EXECUTABLES, _FURTHER_EXECUTABLES = 2, 5


@dataclass(frozen=True)
class CourseAlarm:
    """An alarm about a course, and the copies on both sides.

    Attributes:
        alarm: see there.
        before: the newest copies from before, to be held: the one that was compared, and the newest proven one.
        after: the copy that gives the alarm.
    """

    alarm: Alarm
    before: tuple[Copy, ...]
    after: Copy


@dataclass
class _Content:
    """A package, and the copies that name it one after the other."""

    first: Copy
    last: Copy
    numbers: Mapping[str, int]

    @property
    def was_there_until(self) -> datetime:
        return self.last.created_at


def judge_course(copies: Iterable[Copy]) -> list[CourseAlarm]:
    """Return the alarms that the copies of one context give, oldest first.

    Each export type is judged by itself. The result depends on the copies alone, so the same copies give the same alarms at
    any time. After a loss the smaller course is what later copies are compared with: it gives one alarm.

    Args:
        copies: of one context, in any state, oldest first. Selections are left out.
    """
    by_type: dict[str, list[Copy]] = {}
    for copy in copies:
        if not copy.is_selection:
            by_type.setdefault(copy.export.type, []).append(copy)
    return [alarm for each in by_type.values() for alarm in _judge(each)]


def _judge(copies: Sequence[Copy]) -> Iterable[CourseAlarm]:
    contents = _contents(copies)[-MOST_CONTENTS:]
    start = 0
    for at in range(1, len(contents)):
        found = list(_alarms(contents, start, at))
        for code, before, measures in found:
            yield _alarm(code, copies, before, contents[at], measures)
        if any(code in _LOSSES for code, *_ in found):
            start = at


def _contents(copies: Iterable[Copy]) -> list[_Content]:
    found: list[_Content] = []
    for copy in copies:
        if found and found[-1].first.package.key == copy.package.key:
            found[-1].last = copy
        else:
            found.append(_Content(copy, copy, _numbers(copy)))
    return found


def _numbers(copy: Copy) -> dict[str, int]:
    numbers = {name: min(max(0, number), _MOST) for name, number in copy.counts.items()}
    numbers[_ITEMS] = sum(numbers.get(kind, 0) for kind in KINDS)
    return {**numbers, "members": min(copy.package.member_count, _MOST), _SIZE: min(copy.package.size, _MOST)}


#: After one of these, the smaller course is what later copies are compared with.
_LOSSES = (AlarmCode.COURSE_EMPTIED, AlarmCode.COURSE_SHRANK)

_Found = tuple[AlarmCode, _Content, tuple[str, ...]]


def _alarms(contents: Sequence[_Content], start: int, at: int) -> Iterable[_Found]:
    """Yield the alarms of one content: code, the content before, and the numbers that show it."""
    after, last = contents[at], contents[at - 1]
    week_ago = after.first.created_at - WEEK
    recent = [each for each in contents[start:at] if each is last or each.was_there_until >= week_ago]
    if (emptied := _emptied(last, after)) is not None:
        yield AlarmCode.COURSE_EMPTIED, last, emptied
    elif (lost := _lost(contents[:at], after)) or (lost := _lost_bytes(last, after)):
        yield AlarmCode.COURSE_SHRANK, last, lost
    else:
        for before in recent[:-1]:
            if lost := _lost_in_a_week(before, after):
                yield AlarmCode.COURSE_SHRANK, before, lost
                break
    if _files_emptied(last, after):
        yield AlarmCode.FILES_EMPTIED, last, (_EMPTY_FILES, "files")
    if _has_new_executables(contents[:at], after):
        yield AlarmCode.EXECUTABLES_ADDED, last, (_EXECUTABLES,)
    if _most(_ENCRYPTED, contents[:at], after) is not None:
        yield AlarmCode.ENCRYPTED_MEMBERS, last, (_ENCRYPTED,)


def _emptied(before: _Content, after: _Content) -> tuple[str, ...] | None:
    """Return the kinds that a course had before it was emptied; ``None`` if it was not."""
    if before.numbers[_ITEMS] < _FEWEST_ITEMS:
        return None
    is_empty = after.first.verdict is Verdict.EMPTY or not after.numbers[_ITEMS]
    return tuple(kind for kind in KINDS if before.numbers.get(kind)) if is_empty else None


def _lost(earlier: Sequence[_Content], after: _Content) -> tuple[str, ...]:
    """Return the measures of which more was lost since the content before than it should be."""
    before = earlier[-1]
    return tuple(
        name
        for name in _MEASURES
        if name in before.numbers
        and name in after.numbers
        and is_loss(
            before.numbers[name],
            after.numbers[name],
            [each.numbers[name] for each in earlier if name in each.numbers],
            elsewhere=_lost_elsewhere(name, before.numbers, after.numbers),
            ordinary=ORDINARY_IN_ALL if name in _IN_ALL else ORDINARY,
        )
    )


def _lost_elsewhere(name: str, before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """Return the share that the other kinds lost; of what is made of all kinds, all of them."""
    if name in _IN_ALL:
        return 0.0
    others = [kind for kind in KINDS if kind != name and kind in before and kind in after]
    had = sum(before[kind] for kind in others)
    return sum(max(0, before[kind] - after[kind]) for kind in others) / had if had else 0.0


def _lost_in_a_week(before: _Content, after: _Content) -> tuple[str, ...]:
    return tuple(
        name
        for name in _MEASURES
        if name in before.numbers
        and name in after.numbers
        and is_loss(before.numbers[name], after.numbers[name], ordinary=ORDINARY_IN_A_WEEK)
    )


def _lost_bytes(before: _Content, after: _Content) -> tuple[str, ...]:
    """Return the measure of bytes if they fell while no file was deleted: files were cut, or replaced by small ones.

    Whoever deletes a few large files takes most of the bytes of many courses: that is ordinary.
    """
    name = _BYTES if _BYTES in before.numbers and _BYTES in after.numbers else _SIZE
    had, left = before.numbers[name], after.numbers[name]
    files = before.numbers.get("files", 0)
    if files < _FEWEST_ITEMS or after.numbers.get("files", 0) < files or had - left < _FEWEST_BYTES:
        return ()
    return (name,) if (had - left) / had > _ORDINARY_BYTES else ()


def _files_emptied(before: _Content, after: _Content) -> bool:
    if _EMPTY_FILES not in before.numbers or _EMPTY_FILES not in after.numbers:
        return False
    emptied = after.numbers[_EMPTY_FILES] - before.numbers[_EMPTY_FILES]
    return emptied >= max(_FEWEST_EMPTIED, _EMPTIED_SHARE * after.numbers.get("files", 0))


def _has_new_executables(earlier: Sequence[_Content], after: _Content) -> bool:
    had = _most(_EXECUTABLES, earlier, after)
    if had is None:
        return False
    return not had or after.numbers[_EXECUTABLES] >= max(_MORE_EXECUTABLES * had, had + _FURTHER_EXECUTABLES)


def _most(name: str, earlier: Sequence[_Content], after: _Content) -> int | None:
    """Return the most of a number in the contents before, if there are more now; ``None`` if not, or if it was not counted."""
    known = [each.numbers[name] for each in earlier if name in each.numbers]
    return max(known) if known and after.numbers.get(name, 0) > max(known) else None


def _alarm(
    code: AlarmCode, copies: Sequence[Copy], before: _Content, after: _Content, measures: Sequence[str]
) -> CourseAlarm:
    first = after.first
    since = before.last
    earlier = copies[: copies.index(first)]
    proven = next((copy for copy in reversed(earlier) if copy.is_proven), None)
    held = tuple({copy.package.key: copy for copy in (since, proven) if copy is not None}.values())
    numbers = [
        {name: each.numbers[name] for name in measures if name in each.numbers} for each in (before, after)
    ]
    alarm = Alarm(
        code=code.value,
        scope=code.scope.value,
        context=first.name,
        name=first.context.course_code or first.context.name,
        sentence=_sentence(code, since, *numbers),
        next_step=_NEXT_STEPS[code],
        evidence={
            "export_type": first.export.type,
            "since": format_time(since.created_at),
            "at": format_time(first.created_at),
            "before": numbers[0],
            "after": numbers[1],
            "before_copy": since.key,
            "after_copy": first.key,
        },
    )
    return CourseAlarm(alarm, held, first)


_RELEASE = "then release its copies: canvas-archive release COURSE."
_LOST_NEXT = (
    f"Look at the course in Canvas and compare both copies; restore what should not be gone, {_RELEASE}"
)
_NEXT_STEPS = {
    AlarmCode.COURSE_EMPTIED: _LOST_NEXT,
    AlarmCode.COURSE_SHRANK: _LOST_NEXT,
    AlarmCode.FILES_EMPTIED: f"Open some of its files in Canvas; restore those that have lost their content, {_RELEASE}",
    AlarmCode.EXECUTABLES_ADDED: f"Compare both copies; delete in Canvas what nobody put there on purpose, {_RELEASE}",
    AlarmCode.ENCRYPTED_MEMBERS: (
        "Canvas encrypts no member of a package: find out what wrote this one between Canvas and the archive, export the "
        f"course again, {_RELEASE}"
    ),
}


def _sentence(code: AlarmCode, since: Copy, before: Mapping[str, int], after: Mapping[str, int]) -> str:
    day = format_day(since.created_at)
    if code is AlarmCode.COURSE_EMPTIED:
        return f"The course was emptied since the copy of {day}: it had {_listed(before)}."
    if code is AlarmCode.COURSE_SHRANK:
        left = [
            f"{_number(name, after[name])} of {_number(name, before[name])} {_words(name)}" for name in before
        ]
        return f"The course lost more than it should since the copy of {day}: {join_words(left)} are left."
    if code is AlarmCode.FILES_EMPTIED:
        return (
            f"Files lost their content since the copy of {day}: {after[_EMPTY_FILES]:,} have no bytes, after "
            f"{before[_EMPTY_FILES]:,}."
        )
    name = "programs" if code is AlarmCode.EXECUTABLES_ADDED else "encrypted members"
    (had,), (has,) = before.values(), after.values()
    return f"The package has {has:,} {name}; the copy of {day} had {had:,}."


def _listed(numbers: Mapping[str, int]) -> str:
    return join_words([f"{number:,} {_words(name)}" for name, number in numbers.items()])


def _number(name: str, number: int) -> str:
    return format_size(number) if name in (_BYTES, _SIZE) else f"{number:,}"


def _words(name: str) -> str:
    return "" if name in (_BYTES, _SIZE) else name.replace("_", " ")
