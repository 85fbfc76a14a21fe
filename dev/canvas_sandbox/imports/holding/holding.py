"""The imported content of a course, beside the content of its own."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from canvas_sandbox.content.model import Content, Item, Kind
from canvas_sandbox.imports.package_contents import ItemKey, PackageContents, PackageItem
from canvas_sandbox.packages.manifest import Resource
from canvas_sandbox.packages.zip_layout import Member

_HOLDERS = (Kind.MODULE, Kind.ASSIGNMENT_GROUP)


@dataclass(frozen=True)
class Holding:
    """Imported content of a course. It is immutable: an import makes a new one.

    ``ids`` are the database ids of the items, which stay when they are imported again; ``partial`` is whether some of them
    are in no document that describes the course as a whole; ``manifest`` is one that names them all.
    """

    found: Mapping[ItemKey, PackageItem] = field(default_factory=dict)
    ids: Mapping[ItemKey, int] = field(default_factory=dict)
    members: Mapping[str, Member] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    partial: bool = False
    manifest: str = ""

    def with_package(self, package: PackageContents, own: Content, next_id: Callable[[], int]) -> Holding:
        """Return the holding after another import. An item with a known migration id is updated, never doubled.

        Args:
            package: the contents of the package.
            own: the content of the course without imports; its items are updated, too.
            next_id: makes database ids for new items.
        """
        taken = {
            (item.kind, own.path(item) if item.kind is Kind.FOLDER else item.key): item.id
            for item in own.items.values()
        }
        places = {
            (found.parent, found.title): key for key, found in package.found.items() if key[0] is Kind.FILE
        }
        replaced = {
            key
            for key, found in self.found.items()
            if key in package.found or (key[0] is Kind.FILE and (found.parent, found.title) in places)
        }
        renewed = {key for _, key in replaced} | set(package.resources)
        kept = {name: row for name, row in self.members.items() if self.owners.get(name) not in renewed}
        owners = {name: key for name, key in self.owners.items() if name in kept} | dict(package.owners)
        resources = {key: row for key, row in self.resources.items() if key not in renewed}
        ids = {
            key: self.ids.get(key) or taken.get(key) or next_id()
            for key in dict.fromkeys([*self.found, *package.found])
        }
        return Holding(
            found={key: found for key, found in self.found.items() if key not in replaced}
            | dict(package.found),
            ids=ids,
            members=kept | dict(package.members),
            owners=owners,
            resources=resources | dict(package.resources),
            partial=self.partial or package.partial,
            manifest=package.manifest if ids.keys() == package.found.keys() else "",
        )

    def content_with(self, own: Content) -> Content:
        """Return the content of a course: its own, with the imported items in its place or beside it."""
        if not self.found:
            return own
        files = {
            posixpath.join(found.parent, found.title): self.ids[key]
            for key, found in self.found.items()
            if key[0] is Kind.FILE
        }
        items = {
            item.id: item
            for item in own.items.values()
            if (item.kind, item.key) not in self.found
            and not (item.kind is Kind.FILE and own.path(item) in files)
        }
        folders = {own.path(item): item.id for item in own.of(Kind.FOLDER) if item.id != own.root}
        folders |= {path: self.ids[kind, path] for kind, path in self.found if kind is Kind.FOLDER}
        folders[""] = own.root
        files = {own.path(item): item.id for item in own.of(Kind.FILE)} | files
        holders = self._numbers(own, lambda kind: kind in _HOLDERS)
        targets = self._numbers(own, lambda kind: kind not in (*_HOLDERS, Kind.FOLDER, Kind.MODULE_ITEM))
        for (kind, key), found in self.found.items():
            number = self.ids[kind, key]
            parent = (
                folders.get(found.parent, own.root)
                if kind in (Kind.FILE, Kind.FOLDER)
                else holders.get(found.parent)
            )
            items[number] = Item(
                kind,
                number,
                found.title,
                body=found.body,
                links=tuple(files[path] for path in found.links if path in files),
                parent=parent,
                target=targets.get(found.target),
                size=found.size,
                locked=found.locked,
                migration_id="" if kind is Kind.FOLDER else key,
            )
        return Content(own.root, items)

    def _numbers(self, own: Content, test: Callable[[Kind], bool]) -> dict[str, int]:
        """Return database ids by key, of some kinds; imported items take precedence."""
        numbers = {item.key: item.id for item in own.items.values() if test(item.kind)}
        return numbers | {key: self.ids[kind, key] for kind, key in self.found if test(kind)}

    def verbatim(self, chosen: Content, *, whole: bool) -> Verbatim | None:
        """Return the documents that an export of ``chosen`` contains unchanged; those of the course itself only if ``whole``."""
        keys = {item.migration_id for item in chosen.items.values() if item.migration_id}
        if not keys and not (whole and self.members):
            return None
        if whole:
            gone = {key for kind, key in self.found if kind is not Kind.FOLDER} - keys
            members = {name: row for name, row in self.members.items() if self.owners.get(name) not in gone}
            resources = {key: row for key, row in self.resources.items() if row.identifier not in gone}
            return Verbatim(frozenset(keys), members, resources, self.owners, not self.partial, self.manifest)
        members = {name: row for name, row in self.members.items() if self.owners.get(name) in keys}
        resources = {
            key: row
            for key, row in self.resources.items()
            if key in keys or any(self.owners.get(name) in keys for name in row.files)
        }
        return Verbatim(frozenset(keys), members, resources, self.owners)


@dataclass(frozen=True)
class Verbatim:
    """Imported documents that an export contains unchanged.

    ``keys`` are the migration ids of their items. ``covers`` is whether the documents name all items; if not, the export
    writes its own documents, too. ``manifest`` is the manifest to use with them, if any.
    """

    keys: frozenset[str]
    members: Mapping[str, Member]
    resources: Mapping[str, Resource]
    owners: Mapping[str, str]
    covers: bool = False
    manifest: str = ""

    def has(self, item: Item) -> bool:
        """Return whether an item is exported unchanged."""
        return item.migration_id in self.keys

    def of(self, item: Item) -> dict[str, Member]:
        """Return the members that belong to an item."""
        return {name: row for name, row in self.members.items() if self.owners.get(name) == item.migration_id}


EMPTY_HOLDING = Holding()
