"""Compare two courses: match their items, read the documents that differ, and collect the changes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from canvas_exports.core.packages.changes.documents import (
    Resolve,
    compare_documents,
    compare_items,
    field_change,
)
from canvas_exports.core.packages.changes.match_items import match_items
from canvas_exports.core.packages.changes.model import MODULE, MODULE_ITEM, Change, CourseChanges, ItemChange
from canvas_exports.core.packages.changes.modules import PairOf, compare_modules
from canvas_exports.core.packages.changes.questions import compare_questions
from canvas_exports.core.packages.changes.text_diff import Budget
from canvas_exports.core.packages.changes.version import (
    Key,
    Pair,
    Version,
    affordable_pairs,
    documents_of,
    is_file,
    key_of,
    size_of,
)
from canvas_exports.core.packages.content.model import CourseContent, Document, Item, ItemKind, Module
from canvas_exports.core.text.wording import format_size

#: Pairs of documents that are read and compared, and their bytes; changes that are listed.
MAX_READ, MAX_READ_BYTES, MAX_CHANGES = 10_000, 100_000_000, 10_000

_TOGETHER, _TOGETHER_BYTES = 200, 16_000_000
_KINDS = tuple(kind.value for kind in ItemKind)


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
        self._matched = match_items(before, after)
        self._numbers: tuple[dict[Key, int], dict[Key, int]] = ({}, {})
        for number, pair in enumerate(self._matched.pairs):
            for side, item in zip(self._numbers, pair, strict=True):
                side.setdefault(key_of(item), number)

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

    def _pair_of(self, side: int) -> PairOf:
        return lambda item: self._numbers[side].get(key_of(item))

    def _resolve(self, side: int) -> Resolve:
        """Return what finds out where an address leads to: the same on both sides for the items of one pair."""
        content, numbers = self._sides[side].content, self._numbers[side]

        def resolve(address: str, base: Item) -> tuple[object, str]:
            target = content.resolve(address, base=base)
            if isinstance(target, Item):
                return numbers.get(key_of(target), target), target.title
            return target or address, target or address

        return resolve

    def _changed(self) -> Iterator[ItemChange]:
        """Yield the changes of the items that both sides have."""
        reading: list[Pair] = []
        for before, after in self._matched.pairs:
            sums = self._sides[0].checksum(before), self._sides[1].checksum(after)
            if is_file(after):
                yield _file_change(before, after, sums)
            elif sums[0] is None or sums[0] != sums[1]:
                reading.append((before, after))
            else:  # what the outline says of a title or of publication is part of the item, not of its document
                yield _change(before, after, replace_title=True)
        chosen = affordable_pairs(reading[:MAX_READ], MAX_READ_BYTES)
        self._unread += len(reading) - len(chosen)
        for group in _groups(chosen):
            yield from self._read_group(group)

    def _read_group(self, group: Sequence[Pair]) -> Iterator[ItemChange]:
        before, after = (
            {key_of(item): document for item, document in documents_of(side.content, items)}
            for side, items in zip(self._sides, zip(*group, strict=True), strict=True)
        )
        for one, other in group:
            if key_of(one) in before and key_of(other) in after:
                yield self._compare(one, other, before[key_of(one)], after[key_of(other)])

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
            place = (item.folder or "/") if is_file(item) else places.get(key_of(item), "")
            size = format_size(item.size)
            fields = (
                field_change("size", "Size", *(("", size) if change is Change.ADDED else (size, "")))
                if is_file(item)
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


def _groups(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Yield pairs whose documents fit into memory together."""
    group: list[Pair] = []
    size = 0
    for pair in pairs:
        length = size_of(pair)
        if group and (len(group) >= _TOGETHER or size + length > _TOGETHER_BYTES):
            yield group
            group, size = [], 0
        group.append(pair)
        size += length
    if group:
        yield group


def _change(before: Item, after: Item, *, replace_title: bool = False) -> ItemChange:
    if replace_title:
        before = replace(before, title=after.title)
    return ItemChange(
        Change.CHANGED,
        after.kind.value,
        after.title,
        before.identifier,
        after.identifier,
        place=(after.folder or "/") if is_file(after) else "",
        fields=tuple(compare_items(before, after)),
    )


def _file_change(before: Item, after: Item, sums: tuple[Hashable, Hashable]) -> ItemChange:
    change = _change(before, after)
    is_changed = sums[0] != sums[1] if all(sums) else before.size != after.size
    sizes = (
        field_change("size", "Size", format_size(before.size), format_size(after.size)) if is_changed else ()
    )
    return replace(change, fields=(*change.fields, *sizes), is_content_changed=is_changed)


def _places(modules: Sequence[Module]) -> dict[Key, str]:
    """Return the titles of the first modules that lead to an item."""
    found: dict[Key, list[str]] = {}
    for module in modules:
        for line in module.items:
            if line.target is not None:
                titles = found.setdefault(key_of(line.target), [])
                if len(titles) < _MAX_PLACES and module.title not in titles:
                    titles.append(module.title)
    return {key: ", ".join(titles) for key, titles in found.items()}


_MAX_PLACES = 5


_ORDER = {
    kind: number
    for number, kind in enumerate(
        (*_KINDS[:2], MODULE, MODULE_ITEM, *_KINDS[2:])
    )  # modules after pages and the syllabus
}


def _order(change: ItemChange) -> tuple[int, str, str]:
    return _ORDER[change.kind], change.title.casefold(), change.after or change.before
