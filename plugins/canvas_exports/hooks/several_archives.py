"""The archives of a backup: the first, and those that are to hold the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from canvas_exports.archive.store import Store
from canvas_exports.errors import InputError
from canvas_exports.hooks.archive import open_archive

FIELD = "also_archives"
ACCEPTED = "a list of root URIs, or of mappings with archive and archive_conn_id"


def named_archives(
    archive: str, archive_conn_id: str | None, also_archives: Any = ()
) -> list[tuple[str, str | None]]:
    """Every archive as a root URI and the connection with its credentials, the first one first.

    Args:
        archive: root URI of the first.
        archive_conn_id: its Airflow connection, and that of every further one that names none.
        also_archives: the further ones: root URIs, or mappings with ``archive`` and ``archive_conn_id``.

    Raises:
        InputError: what is no archive, or one that is named twice.
    """
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
        named.append((entry["archive"].strip(), entry.get("archive_conn_id") or archive_conn_id))
    roots = [uri.strip().rstrip("/") for uri, _ in named]
    if len(set(roots)) < len(roots):
        raise InputError(FIELD, "an archive is named twice", accepted="each archive once")
    return named


@contextmanager
def open_archives(
    archive: str, archive_conn_id: str | None, also_archives: Any = ()
) -> Iterator[list[Store]]:
    """Open all of them; see ``named_archives`` and ``open_archive``.

    Raises:
        InputError: what is no archive, or a connection that does not fit it. Nothing has been asked of any by then.
    """
    with ExitStack() as cleanup:
        yield [
            cleanup.enter_context(open_archive(uri, conn_id))
            for uri, conn_id in named_archives(archive, archive_conn_id, also_archives)
        ]
