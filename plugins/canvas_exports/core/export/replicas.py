"""Choose which archives of a batch to use, and remember why the others are skipped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from canvas_exports.core.archive.probe import check_writable
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.archive.publishing.replicate import most_useful
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveError, CanvasExportsError

_log = logging.getLogger(__name__)

# Failures in a row after which an archive is skipped: each may have cost minutes of its client's retries.
_MAX_FAILURES = 3

Result = TypeVar("Result")


class Replicas:
    """Hold one archive, or several that are to hold the same packages. Used by several threads at once.

    Of several archives, one that fails again and again is skipped for the rest of this process, so that a night is not spent
    on waiting for it; exports that are not in it are reported as ``degraded``. Where no archive works, all are tried again.

    Args:
        stores: the archives; reports link to the first.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = tuple(stores)
        self._failures = dict.fromkeys(range(len(self._stores)), 0)
        self._skipped: dict[int, str] = {}
        self._lock = threading.Lock()

    def check(self) -> None:
        """Check before anything is created in Canvas that at least one archive can be written to.

        Raises:
            ArchiveDeniedError: none can, and a retry cannot help (permanent).
            ArchiveUnavailableError: none can at present (retryable).
        """
        errors: list[ArchiveError] = []
        for number, store in enumerate(self._stores):
            try:
                check_writable(store)
            except ArchiveError as error:  # noqa: PERF203 - there are two or three of them
                errors.append(error)
                if len(self._stores) > 1:
                    _log.warning("%s cannot be written to, the others are used: %s", store.uri, error)
                    self._skipped[number] = error.message
        if len(errors) == len(self._stores):
            raise most_useful(errors)

    def usable(self) -> list[Store]:
        """Return the archives to store in, in order; at least one."""
        return self.split()[0]

    def split(self) -> tuple[list[Store], dict[str, str]]:
        """Return the usable archives, and for each skipped one its URI and the reason, as of one moment."""
        with self._lock:
            used = [store for number, store in enumerate(self._stores) if number not in self._skipped]
            return used, {self._stores[number].uri: reason for number, reason in self._skipped.items()}

    def record(self, store: Store, result: Published | CanvasExportsError) -> None:
        """Count how an archive did with a package that at least one archive took."""
        with self._lock:
            number = self._stores.index(store)
            failed = isinstance(result, ArchiveError)
            self._failures[number] = self._failures[number] + 1 if failed else 0
            if isinstance(result, ArchiveError) and self._failures[number] >= _MAX_FAILURES:
                _log.warning("%s is skipped from here on: %s", store.uri, result)
                self._skipped[number] = result.message

    def retry_all(self) -> None:
        """Use the skipped archives again, after all others have failed."""
        with self._lock:
            self._skipped.clear()

    def in_each(self, act: Callable[[Store], Result]) -> Result:
        """Call ``act`` with each usable archive, in order; log what fails in one of them.

        Returns:
            The result of the first archive in which it worked.

        Raises:
            ArchiveError: it worked in none.
        """
        results: list[Result] = []
        errors: list[ArchiveError] = []
        for store in self.usable():
            try:
                results.append(act(store))
            except ArchiveError as error:  # noqa: PERF203 - there are two or three of them
                _log.warning("%s: %s", store.uri, error)
                errors.append(error)
        if not results:
            raise errors[0]
        return results[0]


def writable_stores(stores: Sequence[Store]) -> list[Store]:
    """Return those of several archives that can be written to now. A single archive is not checked.

    Raises:
        ArchiveError: none can.
    """
    replicas = Replicas(stores)
    if len(stores) > 1:
        replicas.check()
    return replicas.usable()


def first_result(stores: Sequence[Store], read: Callable[[Store], Result]) -> Result:
    """Return what the first archive returns that can be read and has it.

    Raises:
        CanvasExportsError: none has: the first error that a retry may help against, else the first.
    """
    errors: list[CanvasExportsError] = []
    for store in stores:
        try:
            return read(store)
        except CanvasExportsError as error:  # noqa: PERF203 - there are two or three of them
            errors.append(error)
    raise most_useful(errors)
