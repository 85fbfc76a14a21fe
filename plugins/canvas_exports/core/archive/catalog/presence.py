"""Require that an address holds an archive: at least one copy.

Run reports alone are not enough: after a night in which every export failed there are reports and no copy.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from canvas_exports.core.archive.catalog.read import Holding, UnreadableDocument, every_context
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import NoArchiveError


def require_copies(
    store: Store, holdings: Generator[Holding, None, None], *, allow_empty: bool = False
) -> Generator[Holding, None, None]:
    """Yield the holdings of an archive, and raise at the end if there was not a single copy.

    Args:
        store: the archive.
        holdings: the copies of each context; closed here.
        allow_empty: do not raise.

    Raises:
        NoArchiveError: there is no copy (permanent).
    """
    has_copy, unreadable = False, None
    with closing(holdings):
        for holding in holdings:
            has_copy = has_copy or bool(holding.copies)
            unreadable = unreadable or next(iter(holding.unreadable), None)
            yield holding
    if not has_copy and not allow_empty:
        raise NoArchiveError(store.uri, "; ".join(_reasons(store, unreadable)))


def require_archive(store: Store) -> None:
    """Check that the archive holds a copy. Lists until the first copy that can be read.

    Raises:
        NoArchiveError: there is no copy (permanent).
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    with closing(require_copies(store, every_context(store))) as holdings:
        for holding in holdings:
            if holding.copies:
                return


def _reasons(store: Store, unreadable: UnreadableDocument | None) -> Iterator[str]:
    """Yield what is at the address instead, and what to do."""
    parts = urlsplit(store.uri)
    if unreadable is not None:
        yield f"no manifest can be read, such as {unreadable.key}: {unreadable.reason}"
    elif parts.scheme == "file" and not Path(unquote(parts.path)).is_dir():
        yield "there is no such folder"
    elif next(iter(store.list("runs/")), None) is not None:
        yield "it holds run reports and no manifest, so nothing was ever stored; `canvas-archive missing` shows why"
    else:
        yield "it holds no manifest"
    yield "check the address, or store a first backup there"
