"""Small documents that several archives hold: what one of them missed, it gets from the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from canvas_exports.core.archive.json_documents import MOST_OF_PLAN, fetch
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import UnreadableDocumentError

_log = logging.getLogger(__name__)

Later = Callable[[bytes, bytes], bool]
"""Whether the first of two versions of a document is the later one."""


def exchange(stores: Sequence[Store], folder: str, later: Later | None = None) -> None:
    """Give every archive the documents below a folder that any of them has.

    Versions of one size are taken for the same. One that is too large to be ours is left where it is. Holds one document at a time, and the names of all.

    Args:
        stores: the archives; all of them have to answer.
        folder: ends in ``/``.
        later: which of two versions replaces the other; ``None``: none ever does.

    Raises:
        ArchiveError: one of them failed.
    """
    if len(stores) < 2:  # noqa: PLR2004 - it takes two
        return
    listed = [{info.key: info.size for info in store.list(folder)} for store in stores]
    for key in sorted(set().union(*listed)):
        sizes = [sizes.get(key) for sizes in listed]
        if len(set(sizes)) == 1 or (later is None and None not in sizes):
            continue
        try:
            found = [
                None if size is None else fetch(store, key, MOST_OF_PLAN, size=size)
                for store, size in zip(stores, sizes, strict=True)
            ]
        except UnreadableDocumentError as error:  # none of ours is so large
            _log.warning("%s", error)
            continue
        newest: bytes | None = None
        for document in found:
            if document is not None and (newest is None or (later is not None and later(document, newest))):
                newest = document
        assert newest is not None  # somebody listed it
        for store, document in zip(stores, found, strict=True):
            if document is None and later is None:
                store.put_if_absent(key, newest)
            elif document != newest and later is not None:
                store.replace(key, newest)
