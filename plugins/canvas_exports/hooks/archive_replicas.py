"""The replicas of an archive: the first archive, and further ones with the same copies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from canvas_exports.errors import InputError
from canvas_exports.hooks.archive_location import ArchiveLocation, find_location, is_name
from canvas_exports.hooks.connections import RefusedChoice

if TYPE_CHECKING:
    from canvas_exports.core.storage.store import Store

FIELD = "also_archives"
ACCEPTED = "a list of names or root URIs, or of mappings with archive and archive_conn_id"


def named_archives(
    archive: str | RefusedChoice, archive_conn_id: str | None, also_archives: Any = ()
) -> list[tuple[str, str | None]]:
    """Return name or root URI and credentials connection of each archive in these arguments, the first one first.

    Reads no connection, so replicas that the connection of the first archive names are not included.

    Args:
        archive: name or root URI of the first archive.
        archive_conn_id: its Airflow connection, and that of every further URI without one.
        also_archives: the replicas: names or root URIs, or mappings with ``archive`` and ``archive_conn_id``.

    Raises:
        InputError: a malformed entry, an archive that is named twice, or a refused choice of a form.
    """
    if isinstance(archive, RefusedChoice):
        archive.raise_error()
    named = [(archive, archive_conn_id)]
    listed = [also_archives] if isinstance(also_archives, (str, Mapping)) else also_archives or ()
    try:
        entries = list(listed)
    except TypeError:
        raise InputError(FIELD, "this is not a list", accepted=ACCEPTED) from None
    for each in entries:
        entry = {"archive": each} if isinstance(each, str) else each
        if (
            not isinstance(entry, Mapping)
            or not isinstance(entry.get("archive"), str)
            or not entry["archive"].strip()
            or set(entry) - {"archive", "archive_conn_id"}
        ):
            raise InputError(FIELD, "one of them names no archive", accepted=ACCEPTED)
        uri = entry["archive"].strip()
        inherited = None if is_name(uri) else archive_conn_id
        named.append((uri, entry.get("archive_conn_id") or inherited))
    _require_distinct(uri for uri, _ in named)
    return named


def find_locations(
    archive: str | RefusedChoice, archive_conn_id: str | None, also_archives: Any = ()
) -> list[ArchiveLocation]:
    """Return the location of each archive; replicas that the connection of the first archive names come last.

    Raises:
        InputError: as in ``named_archives``; or a connection that is missing or of another type.
    """
    locations = [find_location(*each) for each in named_archives(archive, archive_conn_id, also_archives)]
    locations += [find_location(name) for name in locations[0].also]
    _require_distinct(location.uri for location in locations)
    return locations


@contextmanager
def open_archives(
    archive: str | RefusedChoice, archive_conn_id: str | None, also_archives: Any = ()
) -> Iterator[list[Store]]:
    """Open all archives; see ``find_locations`` and ``open_location``.

    Raises:
        InputError: a malformed entry, or a connection that does not fit its URI. No archive has been accessed by then.
    """
    from canvas_exports.hooks.archive import open_location

    with ExitStack() as cleanup:
        yield [
            cleanup.enter_context(open_location(location))
            for location in find_locations(archive, archive_conn_id, also_archives)
        ]


def _require_distinct(archives: Iterable[str]) -> None:
    roots = [each.strip().rstrip("/") for each in archives]
    if len(set(roots)) < len(roots):
        raise InputError(FIELD, "an archive is named twice", accepted="each archive once")
