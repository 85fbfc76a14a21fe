"""Flat dataclasses as JSON data and back. Times are UTC, in whole seconds, and end in ``Z``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timezone
from enum import Enum
from typing import Any, TypeVar

Flat = TypeVar("Flat")


def format_time(moment: datetime) -> str:
    """``2026-11-23T02:00:00Z``."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """The moment that ``format_time`` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def plain(instance: Any) -> dict[str, Any]:
    """The fields of a flat dataclass as JSON data."""
    return {field.name: _plain(getattr(instance, field.name)) for field in fields(instance)}


def rebuild(kind: type[Flat], data: Mapping[str, Any]) -> Flat:
    """The dataclass from its fields; those it does not know are left out, missing ones take their default."""
    known = {
        # Annotations are strings: a time is known by its type's name.
        field.name: parse_time(data[field.name])
        if "datetime" in str(field.type) and data[field.name] is not None
        else data[field.name]
        for field in fields(kind)  # type: ignore[arg-type] # every caller's kind is a dataclass
        if field.name in data
    }
    return kind(**known)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Enum):
        return value.value
    return dict(value) if isinstance(value, Mapping) else value
