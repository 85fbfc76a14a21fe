"""Imported documents in an export: unchanged, except that settings are merged with the course's own."""

from __future__ import annotations

from collections.abc import Mapping

from canvas_sandbox.content.model import Item
from canvas_sandbox.imports.holding.holding import Verbatim
from canvas_sandbox.imports.holding.merge_settings import merge_settings
from canvas_sandbox.imports.open_package import read_text
from canvas_sandbox.packages.zip_layout import Member, text_member

_SETTINGS = "course_settings/"


def with_verbatim(
    written: Mapping[str, Member], verbatim: Verbatim, unreadable: Item | None
) -> dict[str, Member]:
    """Return the imported members by name, without the file that the storage cannot read."""
    lost = verbatim.of(unreadable) if unreadable is not None and verbatim.has(unreadable) else {}
    return {
        name: _one(written[name], member) if name in written else member
        for name, member in verbatim.members.items()
        if name not in lost
    }


def _one(own: Member, imported: Member) -> Member:
    if not (own.name.startswith(_SETTINGS) and own.name.endswith(".xml")):
        return imported
    text = read_text(imported)
    both = merge_settings(read_text(own), text, own.name)
    return imported if both == text else text_member(own.name, both)
