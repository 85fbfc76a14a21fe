"""Read the modules of a course: the outline of the manifest, with what ``module_meta.xml`` adds to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from canvas_exports.core.packages.cartridge.manifest import CartridgeManifest, OutlineItem, outlined_modules
from canvas_exports.core.packages.content.heads import is_published
from canvas_exports.core.packages.content.model import Item, Module, ModuleItem
from canvas_exports.core.packages.content.xml_tree import Element, read_tree
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.foreign_text import harmless

MODULE_META = "course_settings/module_meta.xml"

_MOST_INDENT = 10

Target = Callable[[str], "Item | None"]
"""Returns the item with an identifier."""


@dataclass(frozen=True)
class ModuleMeta:
    """A module in Canvas's own form, with its lines."""

    module: Element
    items: tuple[Element, ...]


def read_module_meta(pieces: Iterable[bytes], work: WorkLimit) -> list[ModuleMeta]:
    """Read ``module_meta.xml`` as far as it goes."""

    def take(element: Element, parents: list[Element]) -> ModuleMeta | None:
        if element.name != "module" or len(parents) != 1:
            return None
        lines = element.first("items")
        return ModuleMeta(element, tuple(lines.children) if lines else ())

    return list(read_tree(MODULE_META, pieces, work, take).results)


def modules_of(
    manifest: CartridgeManifest, metas: Iterable[ModuleMeta], target: Target
) -> tuple[Module, ...]:
    """Return the modules in order.

    Modules and lines are those of the manifest; the ones that only ``module_meta.xml`` has come last.
    """
    known = {meta.module.attributes.get("identifier") or f" {at}": meta for at, meta in enumerate(metas)}
    modules = []
    for head, lines in outlined_modules(manifest.outline):
        meta = known.pop(head.identifier, None) if head.identifier else None
        modules.append(_module(head, lines, meta, target))
    modules += [_module(None, [], meta, target) for meta in known.values()]
    return tuple(modules)


def _module(
    head: OutlineItem | None, outlined: list[OutlineItem], meta: ModuleMeta | None, target: Target
) -> Module:
    metas = _Lines(meta.items if meta else ())
    lines = [_outlined_item(each, metas.pop(each), target) for each in outlined]
    lines += [_own_item(each, target) for each in metas.rest()]
    own = meta.module if meta else Element("", {})
    identifier = head.identifier if head else own.attributes.get("identifier", "")
    title = (head.title if head else "") or own.value("title")
    return Module(identifier, harmless(title), tuple(lines), is_published(own.value("workflow_state")))


class _Lines:
    """The lines of a module in Canvas's own form, each found once by a line of the manifest."""

    def __init__(self, items: Iterable[Element]) -> None:
        self._left = {id(each): each for each in items if each.name == "item"}
        self._by_name: dict[str, list[Element]] = {}
        for each in self._left.values():
            for name in (each.attributes.get("identifier", ""), each.value("identifierref")):
                self._by_name.setdefault(name, []).append(each)

    def pop(self, line: OutlineItem) -> Element | None:
        """Return the same line: by its own identifier, else by that of what it leads to."""
        for name in filter(None, (line.identifier, line.resource)):
            for each in self._by_name.get(name, ()):
                if self._left.pop(id(each), None) is not None:
                    return each
        return None

    def rest(self) -> Iterable[Element]:
        """Return the lines that were not found."""
        return self._left.values()


def _outlined_item(line: OutlineItem, meta: Element | None, target: Target) -> ModuleItem:
    if meta is not None:
        return _own_item(meta, target, line)
    indent = min(max(line.level - 2, 0), _MOST_INDENT)
    found = target(line.resource)
    title = line.title or (found.title if found else "")
    return ModuleItem(line.identifier, harmless(title), indent, found)


def _own_item(meta: Element, target: Target, line: OutlineItem | None = None) -> ModuleItem:
    found = (target(line.resource) if line else None) or target(meta.value("identifierref"))
    title = meta.value("title") or (line.title if line else "") or (found.title if found else "")
    return ModuleItem(
        identifier=(line.identifier if line else "") or meta.attributes.get("identifier", ""),
        title=harmless(title),
        indent=_indent(meta.value("indent")),
        target=found,
        url=meta.value("url")[:2_000],
        is_published=is_published(meta.value("workflow_state")),
    )


def _indent(text: str) -> int:
    return min(int(text), _MOST_INDENT) if text.isascii() and text.isdigit() and len(text) < 4 else 0  # noqa: PLR2004
