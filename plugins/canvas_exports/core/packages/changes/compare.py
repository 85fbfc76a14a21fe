"""Compare two courses: match their items, read the documents that differ, and collect the changes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from canvas_exports.core.packages.changes.documents import (
    Resolve,
    compare_documents,
    compare_items,
    field_change,
)
from canvas_exports.core.packages.changes.html_lines import html_lines
from canvas_exports.core.packages.changes.matching import MAX_COMPARED, Matched, shingles, title_key
from canvas_exports.core.packages.changes.model import MODULE, MODULE_ITEM, Change, CourseChanges, ItemChange
from canvas_exports.core.packages.changes.modules import PairOf, compare_modules
from canvas_exports.core.packages.changes.questions import MAX_QUESTIONS, compare_questions
from canvas_exports.core.packages.changes.text_diff import Budget
from canvas_exports.core.packages.content.documents.course_settings import DOCUMENTS as SETTINGS_DOCUMENTS
from canvas_exports.core.packages.content.model import CourseContent, Document, Item, ItemKind, Module
from canvas_exports.core.text.wording import format_size

#: Pairs of documents that are read and compared, and their bytes; documents of one side; changes that are listed.
MAX_READ, MAX_READ_BYTES, MAX_READ_ALONE, MAX_CHANGES = 10_000, 100_000_000, 1_000, 10_000

_TOGETHER, _TOGETHER_BYTES = 200, 16_000_000
# Documents that are read with those that an item names.
_OF_QUIZ = ("non_cc_assessments/{}.xml.qti", "{}/assessment_qti.xml")
_KINDS = tuple(kind.value for kind in ItemKind)

_Pair = tuple[Item, Item]
_Key = tuple[str, str]


@dataclass(frozen=True)
class Version:
    """One side of a comparison.

    Attributes:
        content: the open package.
        checksums: size and CRC of its members by name, as its directory states them. Without them all documents are read, and
            files are compared by their size.
    """

    content: CourseContent
    checksums: Mapping[str, Hashable] = field(default_factory=dict)

    def checksum(self, item: Item) -> Hashable | None:
        """Return a value that is equal for an equal item; ``None`` if only its document can tell."""
        names = [name for name in (item.member, item.settings) if name]
        if not names or not all(name in self.checksums for name in names):
            return None
        further = (
            SETTINGS_DOCUMENTS
            if item.kind is ItemKind.SETTINGS
            else tuple(name.format(item.identifier) for name in _OF_QUIZ)
        )
        return (
            *(self.checksums[name] for name in names),
            *(self.checksums.get(name) for name in further),
        )


def compare_courses(before: Version, after: Version, *, with_key: bool = False) -> CourseChanges:
    """Compare two copies of a course, or two courses, as a person means it.

    Items are matched by kind and identifier; what is left then by kind and title, and what is left then by content. Documents
    are read if their members differ. Everything is bounded: what is too much to read or to show is counted instead. The other
    way round, the same items are matched, and added is removed.

    Args:
        before: the first version.
        after: the second.
        with_key: compare the answer keys of quizzes in detail; otherwise only whether they differ.

    Raises:
        ArchiveError: see ``CourseContent.read``.
    """
    return _Comparison(before, after, with_key=with_key).compare()


class _Comparison:
    def __init__(self, before: Version, after: Version, *, with_key: bool) -> None:
        self._sides = before, after
        self._with_key = with_key
        self._budget = Budget()
        self._unread = 0
        self._matched = self._match()
        self._numbers: tuple[dict[_Key, int], dict[_Key, int]] = ({}, {})
        for number, pair in enumerate(self._matched.pairs):
            for side, item in zip(self._numbers, pair, strict=True):
                side.setdefault(_key(item), number)

    def compare(self) -> CourseChanges:
        before, after = (side.content for side in self._sides)
        found = [change for change in self._changed() if not change.is_empty]
        found += self._only(Change.ADDED, self._matched.after, after)
        found += self._only(Change.REMOVED, self._matched.before, before)
        told = {
            number: frozenset(change.fields)
            for change in found
            if (number := self._numbers[1].get((change.kind, change.after))) is not None
        }
        found += compare_modules(before.modules, after.modules, (self._pair_of(0), self._pair_of(1)), told)
        found.sort(key=_order)
        return CourseChanges(tuple(found[:MAX_CHANGES]), max(0, len(found) - MAX_CHANGES), self._unread)

    def _match(self) -> Matched[Item]:
        """Match the items of both sides."""
        before, after = self._sides
        found = Matched(list(_distinct(before.content.items)), list(_distinct(after.content.items)))
        sides = {id(item): side for side in self._sides for item in side.content.items}
        found.match(_key)
        found.match(lambda item: (item.folder, item.title) if _is_file(item) else None)
        found.match(lambda item: _content_key(item, sides[id(item)], with_title=True))
        found.match(lambda item: _content_key(item, sides[id(item)], with_title=False))
        found.match(
            lambda item: (item.kind, title_key(item.title)) if _is_file(item) and item.title else None,
            only_unique=True,
        )
        found.match(
            lambda item: (
                None if _is_file(item) or not title_key(item.title) else (item.kind, title_key(item.title))
            )
        )
        found.match(lambda item: item.kind if item.kind in _SINGLE else None)
        self._match_content(found)
        return found

    def _match_content(self, found: Matched[Item]) -> None:
        """Match what is left by the texts in the documents."""
        counts = [
            Counter(item.kind for item in items if not _is_file(item))
            for items in (found.before, found.after)
        ]
        both = counts[0].keys() & counts[1].keys()
        few = {kind for kind in both if max(counts[0][kind], counts[1][kind]) <= MAX_COMPARED}
        digests: dict[int, bytes] = {}
        words: dict[int, frozenset[int]] = {}
        for side, items in zip(self._sides, (found.before, found.after), strict=True):
            wanted = _affordable(
                [item for item in items if item.kind in both][:MAX_READ_ALONE], MAX_READ_BYTES // 4
            )
            for item, document in _documents(side.content, wanted):
                text = "\n".join(_text_of(document))
                if text:
                    digests[id(item)] = hashlib.sha256(text.encode(errors="replace")).digest()
                    words[id(item)] = shingles(text) if item.kind in few else frozenset()
        found.match(lambda item: (item.kind, digests[id(item)]) if id(item) in digests else None)
        found.match_alike(lambda item: words.get(id(item), frozenset()), lambda item: item.kind)

    def _pair_of(self, side: int) -> PairOf:
        return lambda item: self._numbers[side].get(_key(item))

    def _resolve(self, side: int) -> Resolve:
        """Return what finds out where an address leads to: the same on both sides for the items of one pair."""
        content, numbers = self._sides[side].content, self._numbers[side]

        def resolve(address: str, base: Item) -> tuple[object, str]:
            target = content.resolve(address, base=base)
            if isinstance(target, Item):
                return numbers.get(_key(target), target), target.title
            return target or address, target or address

        return resolve

    def _changed(self) -> Iterator[ItemChange]:
        """Yield the changes of the items that both sides have."""
        reading: list[_Pair] = []
        for before, after in self._matched.pairs:
            sums = self._sides[0].checksum(before), self._sides[1].checksum(after)
            if _is_file(after):
                yield _file_change(before, after, sums)
            elif sums[0] is None or sums[0] != sums[1]:
                reading.append((before, after))
            else:  # what the outline says of a title or of publication is part of the item, not of its document
                yield _change(before, after, replace_title=True)
        chosen = _affordable_pairs(reading[:MAX_READ], MAX_READ_BYTES)
        self._unread += len(reading) - len(chosen)
        for group in _groups(chosen):
            yield from self._read_group(group)

    def _read_group(self, group: Sequence[_Pair]) -> Iterator[ItemChange]:
        before, after = (
            {_key(item): document for item, document in _documents(side.content, items)}
            for side, items in zip(self._sides, zip(*group, strict=True), strict=True)
        )
        for one, other in group:
            if _key(one) in before and _key(other) in after:
                yield self._compare(one, other, before[_key(one)], after[_key(other)])

    def _compare(self, one: Item, other: Item, before: Document, after: Document) -> ItemChange:
        part = compare_documents(
            before, after, (self._resolve(0), self._resolve(1)), self._budget, with_key=self._with_key
        )
        change = _change(before.item, after.item)
        questions, left_out = compare_questions(
            before.questions, after.questions, self._budget, with_key=self._with_key
        )
        return replace(
            change,
            fields=part.fields,
            texts=part.texts,
            questions=questions,
            questions_left_out=left_out,
            links_added=part.links_added,
            links_removed=part.links_removed,
            is_format_changed=part.is_format_changed,
            problem=self._problem(one, other, before, after),
        )

    def _problem(self, one: Item, other: Item, before: Document, after: Document) -> str:
        """Return why two documents could not be compared; a document that is in neither version is no difference."""
        if before.problem == after.problem and None in (
            self._sides[0].checksum(one),
            self._sides[1].checksum(other),
        ):
            return ""
        return before.problem or after.problem

    def _only(self, change: Change, items: Sequence[Item], content: CourseContent) -> Iterator[ItemChange]:
        """Yield the items of one side."""
        places = _places(content.modules)
        for item in items:
            names = ("", item.identifier) if change is Change.ADDED else (item.identifier, "")
            place = (item.folder or "/") if _is_file(item) else places.get(_key(item), "")
            size = format_size(item.size)
            fields = (
                field_change("size", "Size", *(("", size) if change is Change.ADDED else (size, "")))
                if _is_file(item)
                else ()
            )
            yield ItemChange(
                change,
                item.kind.value,
                item.title,
                *names,
                place=place,
                fields=tuple(fields),
            )


_SINGLE = frozenset({ItemKind.SYLLABUS, ItemKind.SETTINGS})


def _documents(content: CourseContent, items: Iterable[Item]) -> Iterator[tuple[Item, Document]]:
    """Yield the documents of items, in any order."""
    wanted = {_key(item): item for item in items}
    for document in content.read_all(wanted.values()):
        item = wanted.get(_key(document.item))
        if item is not None:
            yield item, document


def _groups(pairs: Sequence[_Pair]) -> Iterator[list[_Pair]]:
    """Yield pairs whose documents fit into memory together."""
    group: list[_Pair] = []
    size = 0
    for pair in pairs:
        length = _size(pair)
        if group and (len(group) >= _TOGETHER or size + length > _TOGETHER_BYTES):
            yield group
            group, size = [], 0
        group.append(pair)
        size += length
    if group:
        yield group


def _affordable_pairs(pairs: Iterable[_Pair], left: int) -> list[_Pair]:
    """Return the pairs whose documents are together no larger than what is left, in bytes."""
    chosen = []
    for pair in pairs:
        if (size := _size(pair)) <= left:
            left -= size
            chosen.append(pair)
    return chosen


def _affordable(items: Iterable[Item], left: int) -> list[Item]:
    return [item for item, _ in _affordable_pairs(((item, _NOTHING) for item in items), left)]


def _size(pair: _Pair) -> int:
    return sum(item.size for item in pair)


_NOTHING = Item(ItemKind.SETTINGS, "", "")


def _change(before: Item, after: Item, *, replace_title: bool = False) -> ItemChange:
    if replace_title:
        before = replace(before, title=after.title)
    return ItemChange(
        Change.CHANGED,
        after.kind.value,
        after.title,
        before.identifier,
        after.identifier,
        place=(after.folder or "/") if _is_file(after) else "",
        fields=tuple(compare_items(before, after)),
    )


def _file_change(before: Item, after: Item, sums: tuple[Hashable, Hashable]) -> ItemChange:
    change = _change(before, after)
    is_changed = sums[0] != sums[1] if all(sums) else before.size != after.size
    sizes = (
        field_change("size", "Size", format_size(before.size), format_size(after.size)) if is_changed else ()
    )
    return replace(change, fields=(*change.fields, *sizes), is_content_changed=is_changed)


def _content_key(item: Item, side: Version, *, with_title: bool) -> Hashable | None:
    """Return the content of a file, by its checksum; of an empty file there is none."""
    if not _is_file(item) or not item.size or (found := side.checksum(item)) is None:
        return None
    return (found, item.title) if with_title else found


def _text_of(document: Document) -> tuple[str, ...]:
    questions: Callable[[str], tuple[str, ...]] = lambda html: html_lines(html).lines  # noqa: E731
    return (
        *html_lines(document.html).lines,
        *(line for question in document.questions[:MAX_QUESTIONS] for line in questions(question.html)),
        *(f"{each.name} {each.value}" for each in document.fields if each.name in ("url", "start_at")),
    )


def _places(modules: Sequence[Module]) -> dict[_Key, str]:
    """Return the titles of the first modules that lead to an item."""
    found: dict[_Key, list[str]] = {}
    for module in modules:
        for line in module.items:
            if line.target is not None:
                titles = found.setdefault(_key(line.target), [])
                if len(titles) < _MAX_PLACES and module.title not in titles:
                    titles.append(module.title)
    return {key: ", ".join(titles) for key, titles in found.items()}


_MAX_PLACES = 5


def _distinct(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items; of several of one kind and identifier, the first."""
    seen: set[_Key] = set()
    for item in items:
        if _key(item) not in seen:
            seen.add(_key(item))
            yield item


def _key(item: Item) -> _Key:
    return item.kind.value, item.identifier


def _is_file(item: Item) -> bool:
    return item.kind is ItemKind.FILE


_ORDER = {
    kind: number
    for number, kind in enumerate(
        (*_KINDS[:2], MODULE, MODULE_ITEM, *_KINDS[2:])
    )  # modules after pages and the syllabus
}


def _order(change: ItemChange) -> tuple[int, str, str]:
    return _ORDER[change.kind], change.title.casefold(), change.after or change.before
