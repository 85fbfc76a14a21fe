"""Remove the leftovers of killed runs, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import groupby
from typing import Any

from canvas_exports.core.archive.key_patterns import KeyPatterns
from canvas_exports.core.archive.layout import CONTEXT_FOLDERS, DEFAULT_TEMPLATE, manifest_key
from canvas_exports.core.archive.manifest import load_manifest
from canvas_exports.core.archive.probe import PROBE, is_probe, time_of
from canvas_exports.core.archive.records import is_manifest_key
from canvas_exports.core.archive.sweep_age import GRACE
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.errors import (
    ArchiveDeniedError,
    CanvasExportsError,
    LockedError,
    ObjectNotFoundError,
    UnreadableDocumentError,
)

log = logging.getLogger(__name__)

NAMED = 20

_ANY_PACKAGE = ""  # named by a manifest that cannot be read: it may be any package of its context


@dataclass
class Swept:
    """The result of a sweep.

    Attributes:
        packages: removed, that had no manifest.
        uploads: removed, that were unfinished.
        bytes: of those packages.
        keys: of the first ``NAMED`` of both.
        problem: why it ended early, or what else a person should check; ``None`` if all went well.
    """

    packages: int = 0
    uploads: int = 0
    bytes: int = 0
    keys: list[str] = field(default_factory=list)
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON data of a run report."""
        return {
            "packages": self.packages,
            "uploads": self.uploads,
            "bytes": self.bytes,
            "keys": self.keys,
            "trouble": self.problem,
        }

    def add_key(self, key: str) -> None:
        """Add a key, up to ``NAMED``."""
        if len(self.keys) < NAMED:
            self.keys.append(key)


def sweep(store: Store, *, grace: timedelta = GRACE, template: str = DEFAULT_TEMPLATE) -> Swept:
    """Remove unfinished uploads, and packages that have no manifest, once they are older than the grace period.

    A package goes only if its key is one that the template renders (see ``key_patterns``), if it was stored before the grace
    period, if it has no manifest, and if no other manifest of its context names it. Whatever has a manifest, is younger,
    or has any other name is never touched. Ages are measured by the store's clock; if the worker's clock is behind, the younger
    age counts.

    Lists the archive once, in memory for the objects of one context, and makes two point look-ups for each package it
    removes. Raises none of this package's errors: they are in ``problem``, and a later sweep does the rest.

    Args:
        store: the archive.
        grace: how old a leftover has to be.
        template: of the keys of the backup's packages. Packages with other keys stay, and all packages if the template has
            no ``{created}``.
    """
    swept = Swept()
    with _noting_errors(swept):
        patterns = KeyPatterns(template)
        youngest = time_of(store) - grace
        with _noting_errors(swept):
            _sweep_probes(store, youngest)
        # Without the right to list uploads, there may be the right to delete packages.
        with _noting_errors(swept):
            _sweep_uploads(store, patterns, youngest, swept)
        if patterns.has_packages:
            _sweep_packages(store, patterns, youngest, swept)
    if swept.packages or swept.uploads:
        log.info(
            "swept leftovers of killed runs: %d packages (%d bytes) and %d unfinished uploads, among them %s",
            swept.packages,
            swept.bytes,
            swept.uploads,
            ", ".join(swept.keys),
        )
    return swept


@contextmanager
def _noting_errors(swept: Swept) -> Iterator[None]:
    """Note an error of ours in the result, and continue after the block."""
    try:
        yield
    except CanvasExportsError as error:
        log.warning("sweeping ended early, a later run does the rest: %s", error)
        swept.problem = f"{swept.problem}; {error}" if swept.problem else str(error)


def _sweep_probes(store: Store, youngest: datetime) -> None:
    """Remove the probes that killed tasks left, or that could not be deleted then."""
    for info in store.list(PROBE):
        if is_probe(info.key) and info.modified <= youngest:
            with suppress(ArchiveDeniedError):
                store.delete(info.key)


def _sweep_uploads(store: Store, patterns: KeyPatterns, youngest: datetime, swept: Swept) -> None:
    for key in store.sweep(datetime.now(timezone.utc) - youngest, patterns.owns):
        swept.uploads += 1
        swept.add_key(key)


def _sweep_packages(store: Store, patterns: KeyPatterns, youngest: datetime, swept: Swept) -> None:
    for folder in CONTEXT_FOLDERS:
        listed = store.list(folder)
        for _, objects in groupby(listed, key=lambda info: info.key.split("/", 2)[:2]):
            for info in _leftovers(store, list(objects), patterns, youngest):
                if _remove(store, info, youngest, swept):
                    swept.packages += 1
                    swept.bytes += info.size
                    swept.add_key(info.key)


def _leftovers(
    store: Store, objects: list[ObjectInfo], patterns: KeyPatterns, youngest: datetime
) -> Iterator[ObjectInfo]:
    """Yield the packages among the objects of one context that are ours and old, and that no manifest names."""
    keys = {info.key: info.size for info in objects}
    left = {
        info.key: info
        for info in objects
        if f"{info.key.rpartition('.')[0]}.json" not in keys  # first, for nearly all end here
        and info.modified <= youngest
        and patterns.is_package(info.key)
    }
    for named in _packages_of_other_manifests(store, keys) if left else ():
        if named == _ANY_PACKAGE:
            return
        left.pop(named, None)
        if not left:
            return
    yield from left.values()


def _packages_of_other_manifests(store: Store, keys: Mapping[str, int]) -> Iterator[str]:
    """Yield the packages that manifests under other names refer to; ``_ANY_PACKAGE`` for a manifest that cannot be read.

    A manifest was moved, or the course was unchanged and the first manifest of its package has been deleted since. In
    descending order of names: as a rule the newest manifest names the package.
    """
    for key in sorted(keys, reverse=True):
        stem = key.removesuffix(".json")
        if is_manifest_key(key) and not {f"{stem}.imscc", f"{stem}.zip"} & keys.keys():
            try:
                yield load_manifest(store, key, size=keys[key]).package.key
            except ObjectNotFoundError:
                continue  # gone meanwhile
            except (UnreadableDocumentError, ArchiveDeniedError):
                yield _ANY_PACKAGE


def _remove(store: Store, info: ObjectInfo, youngest: datetime, swept: Swept) -> bool:
    """Remove one package, if it is still as the listing showed it."""
    now = store.stat(info.key)
    if now is None or now.size != info.size or now.modified > youngest:
        return False  # another task has replaced or removed it
    marker = manifest_key(info.key)
    if store.stat(marker) is not None:
        return False
    try:
        store.delete(info.key)
    except LockedError:
        return False  # it is to be kept
    if store.stat(marker) is not None:
        # A task that writes a manifest late checks for the package afterwards and deletes the manifest (see ``publish``). Only
        # if all of that happened between two of our requests, a manifest without a package remains.
        swept.problem = f"{marker} was written while its package was being swept: see whether it is there"
        log.error("%s", swept.problem)
    return True
