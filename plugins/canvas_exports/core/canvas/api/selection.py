"""Parse ``select``, which exports some objects of a context instead of all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from canvas_exports.core.model.export_types import ExportType
from canvas_exports.errors import InputError

#: Object types that Canvas documents, and its internal names of four of them; either may be used.
OBJECT_TYPES: Mapping[str, str] = {
    "folders": "folders",
    "files": "attachments",
    "attachments": "attachments",
    "quizzes": "quizzes",
    "assignments": "assignments",
    "announcements": "announcements",
    "calendar_events": "calendar_events",
    "discussion_topics": "discussion_topics",
    "modules": "context_modules",
    "context_modules": "context_modules",
    "module_items": "content_tags",
    "content_tags": "content_tags",
    "pages": "wiki_pages",
    "wiki_pages": "wiki_pages",
    "rubrics": "rubrics",
}

#: Object types of each export type. Canvas silently ignores all others, and then exports nothing or fails.
SELECTABLE: Mapping[ExportType, frozenset[str]] = {
    ExportType.COMMON_CARTRIDGE: frozenset(OBJECT_TYPES),
    ExportType.QTI: frozenset({"quizzes"}),
    ExportType.ZIP: frozenset({"folders", "files", "attachments"}),
}

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_FORMS = "a list of ids, or a mapping of asset strings to 1"


@dataclass(frozen=True)
class ChosenObjects:
    """The chosen objects of one type: ids, or asset strings (``quiz_12``) where they came as a hash."""

    object_type: str
    ids: tuple[str, ...]
    as_hash: bool = False


@dataclass(frozen=True)
class Selection:
    """A validated, never empty ``select``. Hashable; keeps the order in which it was written."""

    chosen: tuple[ChosenObjects, ...]

    @classmethod
    def parse(cls, select: Mapping[str, Any], *, field: str = "select") -> Selection:
        """Parse ``{"folders": [1, "2"]}`` or ``{"quizzes": {"quiz_12": "1"}}``, several types at once.

        Raises:
            InputError: unknown type, malformed id, one type under two names, or nothing chosen at all: Canvas
                exports everything for an empty ``select``.
        """
        if not isinstance(select, Mapping):
            raise InputError(field, "must be a mapping of object types to ids", accepted=OBJECT_TYPES)
        if not select:
            raise InputError(
                field, "is empty, and Canvas would export everything; leave it out if that is meant"
            )
        chosen = tuple(_choose(field, name, value) for name, value in select.items())
        names: dict[str, str] = {}
        for choice in chosen:
            first = names.setdefault(OBJECT_TYPES[choice.object_type], choice.object_type)
            if first != choice.object_type:
                raise InputError(
                    field, f"{first} and {choice.object_type} are the same objects; use one of the names"
                )
        return cls(chosen)

    def check(self, export_type: ExportType, *, field: str = "select") -> None:
        """Check for object types that this export type cannot hold.

        Raises:
            InputError: names the type and the ones that are valid.
        """
        valid = SELECTABLE[export_type]
        for choice in self.chosen:
            if choice.object_type not in valid:
                problem = f"{choice.object_type} cannot be selected for export_type {export_type.value}"
                raise InputError(field, problem, accepted=[name for name in OBJECT_TYPES if name in valid])

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the form fields that Canvas expects."""
        for choice in self.chosen:
            for id_ in choice.ids:
                if choice.as_hash:
                    yield f"select[{choice.object_type}][{id_}]", "1"
                else:
                    yield f"select[{choice.object_type}][]", id_

    def as_dict(self) -> dict[str, list[str]]:
        """Return object types and ids, for a manifest."""
        return {choice.object_type: list(choice.ids) for choice in self.chosen}


def _choose(field: str, name: object, value: object) -> ChosenObjects:
    if not isinstance(name, str) or name not in OBJECT_TYPES:
        raise InputError(field, f"{name!r} is not an object type", accepted=OBJECT_TYPES)
    where = f"{field}.{name}"
    if isinstance(value, Mapping):
        ids = [_asset(where, asset, flag) for asset, flag in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        ids = [_id(where, item) for item in value]
    else:
        raise InputError(where, "is neither a list nor a mapping", accepted=_FORMS)
    if not ids:
        raise InputError(where, "is empty, and Canvas would export everything", accepted=_FORMS)
    return ChosenObjects(name, tuple(dict.fromkeys(ids)), isinstance(value, Mapping))


def _id(where: str, item: object) -> str:
    text = str(item).strip() if isinstance(item, int | str) and not isinstance(item, bool) else ""
    if not _ID.fullmatch(text) or text.startswith("-"):
        raise InputError(where, f"{item!r} is not an id", accepted="integers or strings")
    return text


def _asset(where: str, asset: object, flag: object) -> str:
    if str(flag) not in ("1", "True", "true"):
        raise InputError(
            where, f"{asset!r} has the value {flag!r}; leave out what is not wanted", accepted='"1"'
        )
    return _id(where, asset)
