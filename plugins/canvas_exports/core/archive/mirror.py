"""Copy the small documents of a run that one archive lacks from the archives that have them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from canvas_exports.core.archive.json_documents import MAX_PLAN_BYTES, read_bytes
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import UnreadableDocumentError

_log = logging.getLogger(__name__)

IsLater = Callable[[bytes, bytes], bool]
"""Return whether the first of two versions of a document is the later one."""


def mirror(stores: Sequence[Store], folder: str, is_later: IsLater | None = None) -> None:
    """Copy every document below a folder to the archives that lack it.

    Versions of the same size count as the same. A document that is too large to be ours is not copied. Memory holds the names
    of all documents, and one of them at a time.

    Args:
        stores: the archives; all of them must be available.
        folder: ends in ``/``.
        is_later: decides which of two versions replaces the other; ``None``: no version is ever replaced.

    Raises:
        ArchiveError: one of them failed.
    """
    if len(stores) == 1:
        return
    listed = [{info.key: info.size for info in store.list(folder)} for store in stores]
    for key in sorted(set().union(*listed)):
        sizes = [sizes.get(key) for sizes in listed]
        if len(set(sizes)) == 1 or (is_later is None and None not in sizes):
            continue
        try:
            found = [
                None if size is None else read_bytes(store, key, MAX_PLAN_BYTES, size=size)
                for store, size in zip(stores, sizes, strict=True)
            ]
        except UnreadableDocumentError as error:
            _log.warning("%s", error)
            continue
        newest: bytes | None = None
        for document in found:
            if document is not None and (
                newest is None or (is_later is not None and is_later(document, newest))
            ):
                newest = document
        assert newest is not None
        for store, document in zip(stores, found, strict=True):
            if document is None and is_later is None:
                store.put_if_absent(key, newest)
            elif document != newest and is_later is not None:
                store.replace(key, newest)
