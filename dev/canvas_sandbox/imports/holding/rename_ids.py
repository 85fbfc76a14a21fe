"""New identifiers for imported content, as from a Canvas that does not keep the original ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from canvas_sandbox.content.model import Content, create_key
from canvas_sandbox.imports.holding.holding import Verbatim
from canvas_sandbox.imports.open_package import read_text
from canvas_sandbox.imports.read_cartridge import FILES
from canvas_sandbox.packages.manifest import Resource
from canvas_sandbox.packages.new_quiz_documents import MEDIA
from canvas_sandbox.packages.zip_layout import Member, text_member


def rename_ids(content: Content, verbatim: Verbatim) -> tuple[Content, Verbatim]:
    """Replace every migration id in items and documents."""
    new = {
        item.migration_id: create_key(item.asset_string)
        for item in content.items.values()
        if item.migration_id
    }
    pattern = re.compile("|".join(map(re.escape, new)))

    def write(text: str) -> str:
        return pattern.sub(lambda match: new[match[0]], text)

    items = {
        number: replace(item, migration_id=new.get(item.migration_id, ""))
        for number, item in content.items.items()
    }
    members = (_member(member, write) for member in verbatim.members.values())
    resources = {write(key): _resource(resource, write) for key, resource in verbatim.resources.items()}
    return Content(content.root, items), Verbatim(
        keys=frozenset(new[key] for key in verbatim.keys),
        members={member.name: member for member in members},
        resources=resources,
        owners={write(name): new.get(key, key) for name, key in verbatim.owners.items()},
        covers=verbatim.covers,
        manifest=write(verbatim.manifest),
    )


def _member(member: Member, write: Callable[[str], str]) -> Member:
    """Rename in names and documents; the bytes of files stay."""
    if member.name.startswith((FILES, MEDIA)) or member.name.endswith("/"):
        return replace(member, name=write(member.name))
    text = read_text(member)
    changed = write(text)
    return (
        replace(member, name=write(member.name))
        if changed == text
        else text_member(write(member.name), changed)
    )


def _resource(resource: Resource, write: Callable[[str], str]) -> Resource:
    return replace(
        resource,
        identifier=write(resource.identifier),
        files=tuple(map(write, resource.files)),
        depends_on=tuple(map(write, resource.depends_on)),
    )
