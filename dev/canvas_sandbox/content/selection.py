"""``select``: how Canvas stores it, and the part of a course that it names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from canvas_sandbox.content.model import Content, Item, Kind, create_key

_ALIASES = {
    "modules": "context_modules",
    "module_items": "content_tags",
    "pages": "wiki_pages",
    "files": "attachments",
}
_ASSETS = {kind.value: kind.asset for kind in Kind}
_ASSET_STRING = re.compile(r"[a-z_]+_\d+\Z")
_FALSE = {"", "0", "false", "off", "no", "f", "n", "none"}


@dataclass(frozen=True)
class Selection:
    """A stored selection: flags such as ``everything`` and ``all_quizzes``, and keys by collection.

    Keys are hashed for cartridges and QTI packages, and asset strings for file packages. Requests with the same meaning
    give equal selections.
    """

    flags: frozenset[str] = frozenset()
    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    hashed: bool = True

    def names(self, item: Item) -> bool:
        """Return whether the selection names the item itself, by flag or by key."""
        if "everything" in self.flags or f"all_{item.kind.value}" in self.flags:
            return True
        collections = {item.kind.value}
        if item.kind is Kind.ANNOUNCEMENT:
            collections.add(Kind.DISCUSSION.value)
        if item.kind is Kind.ASSIGNMENT_GROUP and "all_assignments" in self.flags:
            return True
        # Exports are asked for things by their database ids, imports by their migration ids.
        names = {create_key(item.asset_string), item.key} if self.hashed else {item.asset_string}
        return any(not names.isdisjoint(self.keys.get(collection, ())) for collection in collections)

    def written(self) -> dict[str, Any]:
        """Return the selection as plain data, complete enough to make it again."""
        keys = {name: sorted(keys) for name, keys in self.keys.items()}
        return {"flags": sorted(self.flags), "keys": keys, "hashed": self.hashed}

    def stored(self) -> dict[str, Any]:
        """Return the selection as plain data."""
        return {
            **dict.fromkeys(sorted(self.flags), 1),
            **{name: sorted(keys) for name, keys in self.keys.items()},
        }


_DEFAULTS = {
    "qti": "all_quizzes",
    "zip": "all_attachments",
}


def parse_selection(select: Mapping[str, Any] | None, export_type: str) -> Selection:
    """Parse the ``select`` parameter. Nothing, or an empty hash, means everything."""
    if not select:
        return Selection(frozenset({_DEFAULTS.get(export_type, "everything")}))
    hashed = export_type != "zip"
    flags: set[str] = set()
    keys: dict[str, frozenset[str]] = {}
    for name, value in select.items():
        collection = _ALIASES.get(name, name)
        if collection == "everything" or collection.startswith("all_"):
            if str(value).lower() not in _FALSE:
                flags.add(collection)
        else:
            keys[collection] = frozenset(_keys(collection, value, hashed=hashed)) | keys.get(
                collection, frozenset()
            )
    return Selection(frozenset(flags), keys, hashed)


def _keys(collection: str, value: object, *, hashed: bool) -> Iterable[str]:
    if isinstance(value, Mapping):
        names = [str(key) for key, chosen in value.items() if str(chosen).lower() not in _FALSE]
    elif isinstance(value, (list, tuple)):
        names = [f"{_ASSETS.get(collection, collection)}_{number}" for number in value]
    else:
        names = [f"{_ASSETS.get(collection, collection)}_{value}"]
    return [create_key(name) if hashed and _ASSET_STRING.match(name) else name for name in names]


def pick(content: Content, selection: Selection) -> Content:
    """Return the part of a course that a cartridge of this selection contains.

    Modules and module items include their targets, with the files that the text refers to; folders include everything
    below.
    """
    if "everything" in selection.flags:
        return content
    named = {item.id for item in content.items.values() if selection.names(item)}
    chosen = named | _below(content, named)
    for item in content.of(Kind.MODULE_ITEM):
        if (
            item.parent is not None
            and item.target is not None
            and not named.isdisjoint((item.id, item.parent))
        ):
            chosen |= {item.id, item.parent, item.target, *content.items[item.target].links}
    return _subset(content, chosen)


def pick_files(content: Content, selection: Selection) -> Content | None:
    """Return the content of a file package, or ``None`` if the selection names nothing that exists."""
    if "all_attachments" in selection.flags or "everything" in selection.flags:
        return _subset(
            content, {item.id for item in content.items.values() if item.kind in (Kind.FILE, Kind.FOLDER)}
        )
    named = {
        item.id
        for item in content.items.values()
        if item.kind in (Kind.FILE, Kind.FOLDER) and selection.names(item)
    }
    if not named:
        return None
    return _subset(content, named | _below(content, named))


def _below(content: Content, chosen: set[int]) -> set[int]:
    """Return files and folders inside selected folders. Folders come before their content, so one pass is enough."""
    inside: set[int] = set()
    for item in content.items.values():
        if item.kind in (Kind.FILE, Kind.FOLDER) and item.parent in chosen | inside:
            inside.add(item.id)
    return inside


def _subset(content: Content, chosen: set[int]) -> Content:
    """Return the selected items, with the folders of their paths."""
    kept = set(chosen) | {content.root}
    for item_id in chosen:
        item = content.items.get(item_id)
        while item is not None and item.kind in (Kind.FILE, Kind.FOLDER) and item.parent is not None:
            kept.add(item.parent)
            item = content.items.get(item.parent)
    return Content(content.root, {key: item for key, item in content.items.items() if key in kept})
