"""Selective import: the list of a package's content, and the part that a selection names."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from canvas_sandbox.content.model import Content, Item, Kind
from canvas_sandbox.content.selection import Selection, parse_selection, pick
from canvas_sandbox.imports.holding.holding import EMPTY_HOLDING
from canvas_sandbox.imports.package_contents import PackageContents

_KEY_PREFIX = "id_"


def parse_copy(copy: Mapping[str, Any]) -> Selection:
    """Parse the ``copy`` parameter, whose keys are ``id_`` with a migration id. Empty means everything."""
    named = {
        collection: {key.removeprefix(_KEY_PREFIX): chosen for key, chosen in value.items()}
        if isinstance(value, Mapping)
        else value
        for collection, value in copy.items()
    }
    return parse_selection(named, "common_cartridge")


def list_content(package: PackageContents) -> Content:
    """Return the content of a package, as of a course that holds nothing else."""
    own = Content(0, {0: Item(Kind.FOLDER, 0, "course files")})
    numbers = itertools.count(1)
    return EMPTY_HOLDING.with_package(package, own, lambda: next(numbers)).content_with(own)


def select_items(package: PackageContents, selection: Selection) -> PackageContents:
    """Return the part of a package that a selection names, with the targets of module items."""
    if "everything" in selection.flags:
        return package
    content = pick(list_content(package), selection)
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
