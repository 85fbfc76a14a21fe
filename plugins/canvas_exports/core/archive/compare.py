"""What has changed between two versions of a course: members added, removed, changed.

Told from the directories of both packages and their manifests, which are read with a few ranged requests. No other member
is read or inflated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from canvas_exports.core.archive.manifest import PackageFacts
from canvas_exports.core.packages.cartridge import manifest as cartridge
from canvas_exports.core.packages.content_digest import counted, sense
from canvas_exports.core.packages.random_access import RandomAccess, StoredPackage
from canvas_exports.core.packages.zip.directory import Member, check_size, inflate, read_directory
from canvas_exports.core.storage.store import Store


@dataclass(frozen=True)
class Change:
    """One member of which the two versions differ.

    Attributes:
        name: path in the package. ``imsmanifest.xml`` if what it says has changed: titles, rights, the order of the outline.
        title: what the course outline calls it, where it does; of the later version that has it.
        before: bytes in the first version; ``None``: it was not there.
        after: bytes in the second version; ``None``: it is gone.
    """

    name: str
    title: str | None
    before: int | None
    after: int | None

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return {"name": self.name, "title": self.title, "before": self.before, "after": self.after}


@dataclass(frozen=True)
class Comparison:
    """What makes the second version out of the first, each in the order of the names."""

    added: tuple[Change, ...] = ()
    removed: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()

    @property
    def is_same(self) -> bool:
        """Both hold the same. Then, and only then, are their content digests equal."""
        return not (self.added or self.removed or self.changed)

    @property
    def words(self) -> str:
        """In a sentence: ``1 added, 2 changed``."""
        told = (("added", self.added), ("removed", self.removed), ("changed", self.changed))
        return ", ".join(f"{len(changes):,} {word}" for word, changes in told if changes) or "nothing changed"

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "same": self.is_same,
            "added": [change.to_json() for change in self.added],
            "removed": [change.to_json() for change in self.removed],
            "changed": [change.to_json() for change in self.changed],
        }


@dataclass(frozen=True)
class Contents:
    """What a package holds, as far as it counts.

    Attributes:
        members: sizes and CRCs by name; several where a name is there more than once.
        manifest: size of ``imsmanifest.xml`` and the digest of what it says; ``None`` where the package has none.
        titles: by name of a member, as the course outline calls it.
    """

    members: Mapping[str, tuple[tuple[int, int], ...]]
    manifest: tuple[int, bytes] | None = None
    titles: Mapping[str, str] | None = None


def compare_packages(store: Store, one: PackageFacts, other: PackageFacts, *, export_type: str) -> Comparison:
    """Compare two stored packages of one export type. A package is what it is: nothing is read to compare it with itself.

    Args:
        store: the archive that holds both.
        one: the first version.
        other: the second.
        export_type: ``common_cartridge``, ``qti`` or ``zip``.

    Raises:
        ObjectNotFoundError: a package is not there.
        CorruptPackageError: a package is not what was stored: see ``zip_directory`` (retryable: verify it).
        ArchiveUnavailableError: the store failed (retryable).
    """
    if one.key == other.key:
        return Comparison()
    first, second = (
        contents(StoredPackage(store, package.key, package.size), export_type=export_type)
        for package in (one, other)
    )
    return compare(first, second)


def contents(package: RandomAccess, *, export_type: str) -> Contents:
    """What a package holds, from its directory and its manifest.

    Raises:
        CorruptPackageError: see ``zip_directory``.
    """
    members = read_directory(package)
    manifest = None if export_type == "zip" else _manifest_of(members)
    sizes = {
        name: tuple((size, crc) for _, size, crc in group)
        for name, group in groupby(
            counted(members, has_manifest=manifest is not None), key=lambda each: each[0]
        )
    }
    if manifest is None:
        return Contents(sizes)
    check_size(manifest, cartridge.MAX_MANIFEST)
    pieces = list(inflate(manifest, package, limit=cartridge.MAX_MANIFEST))
    return Contents(sizes, (manifest.size, sense(pieces)), dict(_titles(cartridge.read_manifest(pieces))))


def compare(one: Contents, other: Contents) -> Comparison:
    """What makes ``other`` out of ``one``. Compared the other way round, added is removed and before is after."""
    before, after = one.members, other.members
    changed = [
        _change(name, one, other)
        for name in before.keys() & after.keys()
        if sorted(before[name]) != sorted(after[name])
    ]
    if one.manifest is not None and other.manifest is not None and one.manifest[1] != other.manifest[1]:
        changed.append(Change(cartridge.MANIFEST, None, one.manifest[0], other.manifest[0]))
    return Comparison(
        added=_sorted(_change(name, one, other) for name in after.keys() - before.keys()),
        removed=_sorted(_change(name, one, other) for name in before.keys() - after.keys()),
        changed=_sorted(changed),
    )


def _manifest_of(members: Iterable[Member]) -> Member | None:
    return next((member for member in members if member.name == cartridge.MANIFEST), None)


def _titles(manifest: cartridge.CartridgeManifest) -> Iterator[tuple[str, str]]:
    """The outline's titles by file; of several, the first."""
    named = {item.resource: item.title for item in reversed(manifest.outline) if item.title}
    for resource in manifest.resources:
        if resource.identifier in named:
            for name in (resource.href, *resource.files):
                yield name, named[resource.identifier]


def _change(name: str, one: Contents, other: Contents) -> Change:
    title = (other.titles or {}).get(name) or (one.titles or {}).get(name)
    return Change(name, title, _size(one, name), _size(other, name))


def _size(version: Contents, name: str) -> int | None:
    found = version.members.get(name)
    return None if found is None else sum(size for size, _ in found)


def _sorted(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: change.name))
