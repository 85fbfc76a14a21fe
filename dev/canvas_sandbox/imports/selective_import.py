"""What a selective import offers, and what it takes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from canvas_sandbox.content.model import Content, Item, Kind
from canvas_sandbox.content.selection import Selection, parse_selection, pick
from canvas_sandbox.imports.holding.holding import NOTHING
from canvas_sandbox.imports.package_contents import PackageContents

_KEY_PREFIX = "id_"


def parse_copy(copy: Mapping[str, Any]) -> Selection:
    """Canvas's reading of the ``copy`` parameter, whose keys are ``id_`` with a migration id; nothing means everything."""
    named = {
        collection: {key.removeprefix(_KEY_PREFIX): chosen for key, chosen in value.items()}
        if isinstance(value, Mapping)
        else value
        for collection, value in copy.items()
    }
    return parse_selection(named, "common_cartridge")


def contents(package: PackageContents) -> Content:
    """What is in a package, as a course without anything else would hold it."""
    own = Content(0, {0: Item(Kind.FOLDER, 0, "course files")})
    numbers = itertools.count(1)
    return NOTHING.plus(package, own, lambda: next(numbers)).furnish(own)


def choose(package: PackageContents, selection: Selection) -> PackageContents:
    """The part of a package that a selection names, with what modules lead to."""
    if "everything" in selection.flags:
        return package
    content = pick(contents(package), selection)
    keys = {
        (item.kind, content.path(item) if item.kind is Kind.FOLDER else item.migration_id)
        for item in content.items.values()
    }
    found = {key: row for key, row in package.found.items() if key in keys}
    names = {key for _, key in found}
    members = {name: row for name, row in package.members.items() if package.owners.get(name) in names}
    return replace(
        package,
        found=found,
        members=members,
        owners={name: key for name, key in package.owners.items() if name in members},
        resources={
            key: row for key, row in package.resources.items() if any(name in members for name in row.files)
        },
        manifest="",
        partial=True,
    )
