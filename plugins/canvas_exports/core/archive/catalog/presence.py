"""Whether there is an archive at an address at all: it is known by its manifests.

The reports of runs alone make none: below ``runs/`` they lie there after a night in which nothing could be stored.
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
    """Pass on what an archive holds, and raise at its end if that was not a single copy.

    Args:
        store: the archive.
        holdings: what it holds of each context; closed here.
        allow_empty: an archive without a copy is one, too.

    Raises:
        NoArchiveError: there was no copy (permanent).
    """
    held, unreadable = False, None
    with closing(holdings):
        for holding in holdings:
            held = held or bool(holding.copies)
            unreadable = unreadable or next(iter(holding.unreadable), None)
            yield holding
    if not held and not allow_empty:
        raise no_archive_error(store, unreadable)


def require_archive(store: Store) -> None:
    """See that there is a copy of anything: a listing until the first that can be read.

    Raises:
        NoArchiveError: there is none (permanent).
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    with closing(require_copies(store, every_context(store))) as holdings:
        for holding in holdings:
            if holding.copies:
                return


def no_archive_error(store: Store, unreadable: UnreadableDocument | None = None) -> NoArchiveError:
    """The error, with what is at the address instead, as far as it is known, and what to do."""
    return NoArchiveError(store.uri, "; ".join(_reasons(store, unreadable)))


def _reasons(store: Store, unreadable: UnreadableDocument | None) -> Iterator[str]:
    parts = urlsplit(store.uri)
    if unreadable is not None:
        yield f"no manifest can be read, such as {unreadable.key}: {unreadable.reason}"
    elif parts.scheme == "file" and not Path(unquote(parts.path)).is_dir():
        yield "there is no such folder"
    elif next(iter(store.list("runs/")), None) is not None:
        yield "it holds reports of runs and no manifest, so nothing was ever stored; `canvas-archive missing` tells why"
    else:
        yield "it holds no manifest"
    yield "look at the address again, or store a first backup there"
