"""Removing what killed runs left behind, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import groupby
from typing import Any

from canvas_exports.core.archive.key_patterns import Ownership
from canvas_exports.core.archive.layout import DEFAULT_TEMPLATE, manifest_key
from canvas_exports.core.archive.manifest import load_manifest
from canvas_exports.core.archive.probe import PROBE, is_probe, time_of
from canvas_exports.core.archive.records import is_manifest_key
from canvas_exports.core.model.durations import Duration, read_duration
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.errors import (
    ArchiveDeniedError,
    CanvasExportsError,
    InputError,
    LockedError,
    ObjectNotFoundError,
    UnreadableDocumentError,
)

log = logging.getLogger(__name__)

GRACE = timedelta(days=2)
SHORTEST_GRACE = timedelta(days=1)  # longer than any one package is on its way
NAMED = 20

_FOLDERS = ("courses/", "groups/", "users/")
UNCLEAR = ""  # what a manifest names that cannot be read: maybe any package of its context


@dataclass
class Swept:
    """What a sweep has removed.

    Attributes:
        packages: that never got a manifest.
        uploads: that never ended.
        bytes: of those packages.
        keys: of the first ``NAMED`` of both.
        trouble: why it ended early, or what else a person should know; ``None`` if all went well.
    """

    packages: int = 0
    uploads: int = 0
    bytes: int = 0
    keys: list[str] = field(default_factory=list)
    trouble: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As it stands in a run report."""
        return {
            "packages": self.packages,
            "uploads": self.uploads,
            "bytes": self.bytes,
            "keys": self.keys,
            "trouble": self.trouble,
        }

    def note(self, key: str) -> None:
        """Name one more, as long as there is room."""
        if len(self.keys) < NAMED:
            self.keys.append(key)


def sweep(store: Store, *, grace: timedelta = GRACE, template: str = DEFAULT_TEMPLATE) -> Swept:
    """Remove unfinished uploads, and packages that have no manifest, once they are older than the grace period.

    A package goes only if its key is one that the template renders (see ``ownership``), if it was stored before the grace
    period, if it has no manifest, and if no other manifest of its context names it. Whatever has a manifest, is younger,
    or bears any other name is never touched. Age is told by the store's clock, for both ends of it; where the worker's is
    behind, the younger age counts.

    Lists the archive once, in memory for the objects of one context, and makes two point look-ups for each package it
    removes. Raises none of this package's errors: what went wrong is in ``trouble``, and a later sweep does the rest.

    Args:
        store: the archive.
        grace: how old a leftover has to be.
        template: how the backup's packages are named. Of other names, and of a template without ``{created}``, which
            renders names that are not telling, it leaves everything.
    """
    swept = Swept()
    with _told(swept):
        ownership = Ownership(template)
        youngest = time_of(store) - grace
        with _told(swept):
            _sweep_probes(store, youngest)
        with _told(swept):  # who may not list uploads may well delete packages
            _sweep_uploads(store, ownership, youngest, swept)
        if ownership.is_telling:
            _sweep_packages(store, ownership, youngest, swept)
    if swept.packages or swept.uploads:
        log.info(
            "swept what killed runs had left: %d packages (%d bytes) and %d unfinished uploads, among them %s",
            swept.packages,
            swept.bytes,
            swept.uploads,
            ", ".join(swept.keys),
        )
    return swept


@contextmanager
def _told(swept: Swept) -> Iterator[None]:
    """Note an error of this package, and go on after the block."""
    try:
        yield
    except CanvasExportsError as error:
        log.warning("sweeping ended early, a later run does the rest: %s", error)
        swept.trouble = f"{swept.trouble}; {error}" if swept.trouble else str(error)


def _sweep_probes(store: Store, youngest: datetime) -> None:
    """Remove the probes of tasks that were killed, or that the store did not let delete them then."""
    for info in store.list(PROBE):
        if is_probe(info.key) and info.modified <= youngest:
            with suppress(ArchiveDeniedError):
                store.delete(info.key)


def _sweep_uploads(store: Store, ownership: Ownership, youngest: datetime, swept: Swept) -> None:
    for key in store.sweep(datetime.now(timezone.utc) - youngest, ownership.owns):
        swept.uploads += 1
        swept.note(key)


def _sweep_packages(store: Store, ownership: Ownership, youngest: datetime, swept: Swept) -> None:
    for folder in _FOLDERS:
        listed = store.list(folder)
        for _, objects in groupby(listed, key=lambda info: info.key.split("/", 2)[:2]):
            for info in _left(store, list(objects), ownership, youngest):
                if _remove(store, info, youngest, swept):
                    swept.packages += 1
                    swept.bytes += info.size
                    swept.note(info.key)


def _left(
    store: Store, objects: list[ObjectInfo], ownership: Ownership, youngest: datetime
) -> Iterator[ObjectInfo]:
    """The packages among one context's objects that are ours and old, and that no manifest names."""
    keys = {info.key: info.size for info in objects}
    left = {
        info.key: info
        for info in objects
        if f"{info.key.rpartition('.')[0]}.json" not in keys  # first, for nearly all end here
        and info.modified <= youngest
        and ownership.is_package(info.key)
    }
    for named in _named_elsewhere(store, keys) if left else ():
        if named == UNCLEAR:
            return
        left.pop(named, None)
        if not left:
            return
    yield from left.values()


def _named_elsewhere(store: Store, keys: Mapping[str, int]) -> Iterator[str]:
    """The packages that are named by manifests which do not lie beside them, ``UNCLEAR`` of one that cannot be read.

    Somebody has moved one, or the course was unchanged and the first manifest of its package has been deleted since. In
    the order of names, the last first: as a rule the newest names what is asked for.
    """
    for key in sorted(keys, reverse=True):
        stem = key.removesuffix(".json")
        if is_manifest_key(key) and not {f"{stem}.imscc", f"{stem}.zip"} & keys.keys():
            try:
                yield load_manifest(store, key, size=keys[key]).package.key
            except ObjectNotFoundError:
                continue  # gone meanwhile
            except (UnreadableDocumentError, ArchiveDeniedError):
                yield UNCLEAR


def _remove(store: Store, info: ObjectInfo, youngest: datetime, swept: Swept) -> bool:
    """Remove one package, if a fresh look finds it as the listing did."""
    now = store.stat(info.key)
    if now is None or now.size != info.size or now.modified > youngest:
        return False  # somebody has just taken care of it
    marker = manifest_key(info.key)
    if store.stat(marker) is not None:
        return False
    try:
        store.delete(info.key)
    except LockedError:
        return False  # somebody wants it kept
    if store.stat(marker) is not None:
        # Whoever writes a manifest late looks for the package afterwards and takes the manifest back (see ``publish``);
        # only if all of that happened between two of our requests does a manifest stay alone.
        swept.trouble = f"{marker} was written while its package was being swept: see whether it is there"
        log.error("%s", swept.trouble)
    return True


def read_grace(value: Duration | None, *, field: str = "sweep_after") -> timedelta | None:
    """After how long something is swept: a length of time, or ``None`` for ``never``.

    Raises:
        InputError: neither, or so short that what is swept might be under way.
    """
    if value is None or (isinstance(value, str) and value.strip().lower() == "never"):
        return None
    grace = read_duration(value, field=field)
    if grace < SHORTEST_GRACE:
        raise InputError(field, f"{value} is too short", accepted="P1D or longer, or never")
    return grace
