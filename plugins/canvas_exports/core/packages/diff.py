"""Compare two versions of a course: members added, removed and changed.

Only the directories and the manifests of both packages are read, with a few ranged requests. No other member is read or
unpacked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from canvas_exports.core.packages.cartridge import manifest as cartridge
from canvas_exports.core.packages.content_digest import counted_members, manifest_digest
from canvas_exports.core.packages.random_access import RandomAccess
from canvas_exports.core.packages.zip.directory import Member, check_size, inflate, read_directory


@dataclass(frozen=True)
class Change:
    """One member that differs between the two versions.

    Attributes:
        name: path in the package. ``imsmanifest.xml`` stands for a change of titles, rights or the order of the outline.
        title: title in the course outline, if it has one there; of the later version that has the member.
        before: bytes in the first version; ``None`` if it was not there.
        after: bytes in the second version; ``None`` if it is gone.
    """

    name: str
    title: str | None
    before: int | None
    after: int | None

    def to_json(self) -> dict[str, Any]:
        """Return the change as JSON data."""
        return {"name": self.name, "title": self.title, "before": self.before, "after": self.after}


@dataclass(frozen=True)
class PackageDiff:
    """The changes from the first version to the second, each list sorted by name."""

    added: tuple[Change, ...] = ()
    removed: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()

    @property
    def is_same(self) -> bool:
        """Return whether both versions have the same content: exactly then are their content digests equal."""
        return not (self.added or self.removed or self.changed)

    @property
    def summary(self) -> str:
        """Return the numbers of changes, such as ``1 added, 2 changed``."""
        lists = (("added", self.added), ("removed", self.removed), ("changed", self.changed))
        return (
            ", ".join(f"{len(changes):,} {word}" for word, changes in lists if changes) or "nothing changed"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the difference as JSON data."""
        return {
            "same": self.is_same,
            "added": [change.to_json() for change in self.added],
            "removed": [change.to_json() for change in self.removed],
            "changed": [change.to_json() for change in self.changed],
        }


@dataclass(frozen=True)
class PackageContents:
    """The content of a package, without what changes at every export (see ``content_digest``).

    Attributes:
        members: sizes and CRCs by name; several where a name occurs more than once.
        manifest: size and digest of ``imsmanifest.xml``; ``None`` if the package has none.
        titles: titles in the course outline, by the name of the member.
    """

    members: Mapping[str, tuple[tuple[int, int], ...]]
    manifest: tuple[int, bytes] | None = None
    titles: Mapping[str, str] | None = None


def read_contents(package: RandomAccess, *, export_type: str) -> PackageContents:
    """Read the content of a package from its directory and its manifest.

    Raises:
        CorruptPackageError: see ``read_directory``.
    """
    members = read_directory(package)
    manifest = None if export_type == "zip" else _manifest_of(members)
    sizes = {
        name: tuple((size, crc) for _, size, crc in group)
        for name, group in groupby(
            counted_members(members, has_manifest=manifest is not None), key=lambda each: each[0]
        )
    }
    if manifest is None:
        return PackageContents(sizes)
    check_size(manifest, cartridge.MAX_MANIFEST)
    pieces = list(inflate(manifest, package, limit=cartridge.MAX_MANIFEST))
    titles = dict(_titles(cartridge.read_manifest(pieces)))
    return PackageContents(sizes, (manifest.size, manifest_digest(pieces)), titles)


def diff(before: PackageContents, after: PackageContents) -> PackageDiff:
    """Return the changes from one version to another. The other way round, added is removed."""
    old, new = before.members, after.members
    changed = [
        _change(name, before, after)
        for name in old.keys() & new.keys()
        if sorted(old[name]) != sorted(new[name])
    ]
    if before.manifest is not None and after.manifest is not None and before.manifest[1] != after.manifest[1]:
        changed.append(Change(cartridge.MANIFEST, None, before.manifest[0], after.manifest[0]))
    return PackageDiff(
        added=_sorted(_change(name, before, after) for name in new.keys() - old.keys()),
        removed=_sorted(_change(name, before, after) for name in old.keys() - new.keys()),
        changed=_sorted(changed),
    )


def _manifest_of(members: Iterable[Member]) -> Member | None:
    return next((member for member in members if member.name == cartridge.MANIFEST), None)


def _titles(manifest: cartridge.CartridgeManifest) -> Iterator[tuple[str, str]]:
    """Yield the outline's titles by file; of several titles for one file, the first."""
    named = {item.resource: item.title for item in reversed(manifest.outline) if item.title}
    for resource in manifest.resources:
        if resource.identifier in named:
            for name in (resource.href, *resource.files):
                yield name, named[resource.identifier]


def _change(name: str, before: PackageContents, after: PackageContents) -> Change:
    title = (after.titles or {}).get(name) or (before.titles or {}).get(name)
    return Change(name, title, _size(before, name), _size(after, name))


def _size(version: PackageContents, name: str) -> int | None:
    found = version.members.get(name)
    return None if found is None else sum(size for size, _ in found)


def _sorted(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: change.name))
