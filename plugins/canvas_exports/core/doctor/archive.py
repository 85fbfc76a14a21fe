"""Check an archive: whether it can be written and listed, and whether the store has conditional writes."""

from __future__ import annotations

from collections.abc import Iterator

from canvas_exports.core.archive.probe import check_writable
from canvas_exports.core.doctor.facts import Fact, ok, problem, warning
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveDeniedError, CanvasExportsError


def check_archive(store: Store, subject: str) -> Iterator[Fact]:
    """Yield what is known of an archive. Stores two small objects, lists and reads them, and deletes them.

    Args:
        store: the archive.
        subject: of the facts, such as the id of a connection.
    """
    try:
        check_writable(store)
        first = next(iter(store.list()), None)
    except CanvasExportsError as error:
        denied = isinstance(error, ArchiveDeniedError)
        yield problem(
            subject,
            f"{store.uri} cannot be written: {error}",
            "Allow these credentials to read, write, list and delete objects there."
            if denied
            else "Check the address of the archive, and whether this machine may reach it.",
        )
        return
    holds = "is empty" if first is None else "holds objects"
    yield ok(subject, f"{store.uri} can be written, read and listed, and {holds}.")
    if store.capabilities.one_winner:
        yield ok(subject, "The store has conditional writes.")
    else:
        yield warning(
            subject,
            "The store has no conditional writes: of two tasks that store one name at once, both may succeed.",
            "Let only one Airflow write to this archive.",
        )
