"""Compare the modules of two courses and their lines: added, removed, renamed, moved, published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from canvas_exports.core.packages.changes.documents import field_change
from canvas_exports.core.packages.changes.matching import Matched, moved, title_key
from canvas_exports.core.packages.changes.model import MODULE, MODULE_ITEM, Change, FieldChange, ItemChange
from canvas_exports.core.packages.content.model import Item, Module, ModuleItem

#: Finds the number of the pair that an item belongs to, before and after; ``None`` if it is only in one version.
PairOf = Callable[[Item], "int | None"]


@dataclass(frozen=True)
class _Line:
    """A line of a module, with where it stands."""

    line: ModuleItem
    module: Module
    number: int  # of its module
    place: int  # in its module, from 1


def compare_modules(
    before: Sequence[Module],
    after: Sequence[Module],
    pair_of: tuple[PairOf, PairOf],
    told: Mapping[int, AbstractSet[FieldChange]],
) -> Iterator[ItemChange]:
    """Yield what differs in the modules and in their lines.

    A line that comes, goes, or changes its title or publication together with the item that it leads to is not told again;
    nor are the lines that come or go with their module.

    Args:
        before: the modules of the first version.
        after: those of the second.
        pair_of: numbers the items that both versions have.
        told: the changes of these items that are told already, by number.
    """
    modules: Matched[tuple[int, Module]] = Matched(list(enumerate(before)), list(enumerate(after)))
    modules.match(lambda each: each[1].identifier or None)
    modules.match(lambda each: title_key(each[1].title))
    modules.match(lambda each: tuple(line.title for line in each[1].items) or None)
    numbers: tuple[dict[int, int], dict[int, int]] = (
        {pair[0][0]: number for number, pair in enumerate(modules.pairs)},
        {pair[1][0]: number for number, pair in enumerate(modules.pairs)},
    )
    relocated = moved(
        *(
            [
                (numbers[side][index], module.title)
                for index, module in enumerate(found)
                if index in numbers[side]
            ]
            for side, found in enumerate((before, after))
        )
    )
    yield from (_only(Change.ADDED, module) for _, module in modules.after)
    for number, ((place, one), (index, other)) in enumerate(modules.pairs):
        fields = [
            *field_change("title", "Title", one.title, other.title),
            *_published(one.is_published, other.is_published),
        ]
        if number in relocated:
            fields.append(FieldChange("position", "Position", str(place + 1), str(index + 1)))
        if fields:
            yield ItemChange(
                Change.CHANGED, MODULE, other.title, one.identifier, other.identifier, fields=tuple(fields)
            )
    yield from (_only(Change.REMOVED, module) for _, module in modules.before)
    yield from _compare_lines(before, after, numbers, pair_of, told)


def _compare_lines(
    before: Sequence[Module],
    after: Sequence[Module],
    numbers: tuple[dict[int, int], dict[int, int]],
    pair_of: tuple[PairOf, PairOf],
    told: Mapping[int, AbstractSet[FieldChange]],
) -> Iterator[ItemChange]:
    lines = Matched(list(_lines(before, numbers[0], -1)), list(_lines(after, numbers[1], -2)))
    lines.match(lambda each: each.line.identifier or None)
    sides = {id(line): side for side, found in enumerate((lines.before, lines.after)) for line in found}

    def target(each: _Line) -> object:
        """Return what a line leads to, alike on both sides."""
        if each.line.target is not None:
            return pair_of[sides[id(each)]](each.line.target)
        return each.line.url or title_key(each.line.title)

    lines.match(lambda each: None if target(each) is None else (each.number, target(each)))
    lines.match(lambda each: None if target(each) is None else (target(each), title_key(each.line.title)))
    pair_numbers = {id(line): number for number, pair in enumerate(lines.pairs) for line in pair}
    staying = [pair for pair in lines.pairs if pair[0].number == pair[1].number]
    relocated = _moved_lines(staying, pair_numbers)
    for line in lines.after:
        if line.number >= 0 and not _goes_with_target(line, pair_of[1]):
            yield _only_line(Change.ADDED, line)
    for one, other in lines.pairs:
        leads_to = pair_of[1](other.line.target) if other.line.target else None
        known = told.get(-1 if leads_to is None else leads_to, frozenset())
        is_moved = pair_numbers[id(one)] in relocated
        fields = [field for field in _line_fields(one, other, is_moved=is_moved) if field not in known]
        if fields:
            yield ItemChange(
                Change.CHANGED,
                MODULE_ITEM,
                other.line.title,
                one.line.identifier,
                other.line.identifier,
                place=other.module.title,
                fields=tuple(fields),
            )
    for line in lines.before:
        if line.number >= 0 and not _goes_with_target(line, pair_of[0]):
            yield _only_line(Change.REMOVED, line)


def _lines(modules: Sequence[Module], numbers: dict[int, int], without: int) -> Iterator[_Line]:
    for index, module in enumerate(modules):
        for place, line in enumerate(module.items, 1):
            yield _Line(line, module, numbers.get(index, without), place)


def _moved_lines(pairs: Sequence[tuple[_Line, _Line]], numbers: dict[int, int]) -> set[int]:
    """Return the numbers of pairs that changed their order within a module."""
    by_module: dict[int, list[tuple[_Line, _Line]]] = {}
    for pair in pairs:
        by_module.setdefault(pair[0].number, []).append(pair)
    found: set[int] = set()
    for group in by_module.values():
        orders = (
            [
                (numbers[id(line)], line.line.title)
                for line in sorted((pair[side] for pair in group), key=lambda each: each.place)
            ]
            for side in (0, 1)
        )
        found |= moved(*orders)
    return found


def _line_fields(one: _Line, other: _Line, *, is_moved: bool) -> Iterator[FieldChange]:
    before, after = one.line, other.line
    yield from field_change("title", "Title", before.title, after.title)
    yield from field_change("url", "Address", before.url, after.url)
    yield from field_change("indent", "Indent", str(before.indent), str(after.indent))
    yield from _published(before.is_published, after.is_published)
    if one.number != other.number:
        yield FieldChange("module", "Module", one.module.title, other.module.title)
    elif is_moved:
        yield FieldChange("position", "Position", str(one.place), str(other.place))


def _goes_with_target(line: _Line, pair_of: PairOf) -> bool:
    """Return whether the item that a line leads to is in the same version only, and is told already."""
    return line.line.target is not None and pair_of(line.line.target) is None


def _published(before: bool | None, after: bool | None) -> Iterable[FieldChange]:
    if before is None or after is None:
        return ()
    return field_change("published", "Published", *("yes" if each else "no" for each in (before, after)))


def _only(change: Change, module: Module) -> ItemChange:
    names = (module.identifier, "") if change is Change.REMOVED else ("", module.identifier)
    number = str(len(module.items))
    lines = field_change("items", "Items", *((number, "") if change is Change.REMOVED else ("", number)))
    return ItemChange(change, MODULE, module.title, *names, fields=tuple(lines))


def _only_line(change: Change, each: _Line) -> ItemChange:
    names = (each.line.identifier, "") if change is Change.REMOVED else ("", each.line.identifier)
    return ItemChange(change, MODULE_ITEM, each.line.title, *names, place=each.module.title)
