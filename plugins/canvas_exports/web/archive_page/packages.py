"""Keep the packages that people read open for a while: the list of what one holds is read once."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.manifest import Manifest, load_manifest
from canvas_exports.core.archive.package_content import open_package
from canvas_exports.core.packages.content.model import CourseContent
from canvas_exports.core.storage.store import Store

_MOST_OPEN = 8  # packages of all archives; one keeps some 8 MiB at most
_KEPT = 600.0  # seconds


@dataclass(frozen=True)
class OpenPackage:
    """A package that is open for reading.

    Attributes:
        content: of the package.
        manifest: of the copy.
        opened_at: by the monotonic clock.
        store: that it is read from.
    """

    content: CourseContent
    manifest: Manifest
    opened_at: float
    store: Store


_lock = threading.Lock()
_open: OrderedDict[tuple[str, str], OpenPackage] = OrderedDict()


def opened(store: Store, copy: Copy) -> OpenPackage:
    """Return the package of a copy, open for reading. Blocks while it is opened. Thread-safe.

    It is opened again for a store that was opened again: the credentials of the former one may have expired.

    Raises:
        ArchiveError: see ``open_package``.
        PackageError: likewise.
    """
    key = (store.uri, copy.key)
    with _lock:
        found = _open.get(key)
        if found is not None and found.store is store and time.monotonic() - found.opened_at < _KEPT:
            _open.move_to_end(key)
            return found
    found = OpenPackage(open_package(store, copy), load_manifest(store, copy.key), time.monotonic(), store)
    with _lock:
        _open[key] = found
        while len(_open) > _MOST_OPEN:
            _open.popitem(last=False)
    return found
