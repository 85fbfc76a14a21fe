"""The archives of a backup: the first, and those that are to hold the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError
from canvas_exports.hooks.archive import open_place
from canvas_exports.hooks.archive_location import Place, find_place, is_name
from canvas_exports.hooks.connections import Refused

FIELD = "also_archives"
ACCEPTED = "a list of names or root URIs, or of mappings with archive and archive_conn_id"


def named_archives(
    archive: str | Refused, archive_conn_id: str | None, also_archives: Any = ()
) -> list[tuple[str, str | None]]:
    """Every archive that is named here, as name or root URI and the connection with its credentials, the first one first.

    No connection is looked up: further archives that the connection of a Canvas archive names are not among them.

    Args:
        archive: name or root URI of the first.
        archive_conn_id: its Airflow connection, and that of every further URI that names none.
        also_archives: the further ones: names or root URIs, or mappings with ``archive`` and ``archive_conn_id``.

    Raises:
        InputError: what is no archive, one that is named twice, or what a form may not reach.
    """
    if isinstance(archive, Refused):
        archive.refuse()
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
    _each_once(uri for uri, _ in named)
    return named


def all_places(archive: str | Refused, archive_conn_id: str | None, also_archives: Any = ()) -> list[Place]:
    """Where each of them lies; those that the connection of the first names come last. See ``named_archives``.

    Raises:
        InputError: as there; or a connection that is missing or of another type.
    """
    places = [find_place(*each) for each in named_archives(archive, archive_conn_id, also_archives)]
    places += [find_place(name) for name in places[0].also]
    _each_once(place.uri for place in places)
    return places


@contextmanager
def open_archives(
    archive: str | Refused, archive_conn_id: str | None, also_archives: Any = ()
) -> Iterator[list[Store]]:
    """Open all of them; see ``all_places`` and ``open_place``.

    Raises:
        InputError: what is no archive, or a connection that does not fit it. Nothing has been asked of any by then.
    """
    with ExitStack() as cleanup:
        yield [
            cleanup.enter_context(open_place(place))
            for place in all_places(archive, archive_conn_id, also_archives)
        ]


def _each_once(archives: Iterable[str]) -> None:
    roots = [each.strip().rstrip("/") for each in archives]
    if len(set(roots)) < len(roots):
        raise InputError(FIELD, "an archive is named twice", accepted="each archive once")
