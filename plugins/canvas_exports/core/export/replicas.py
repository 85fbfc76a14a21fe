"""The archives of a batch: which of them to use, and what became of the others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from canvas_exports.core.archive.probe import check_writable
from canvas_exports.core.archive.publishing.publish import Published
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveError, CanvasExportsError

_log = logging.getLogger(__name__)

_PATIENCE = 3  # failures in a row after which an archive is left alone: each may have cost minutes of its client's patience

Answer = TypeVar("Answer")


class Places:
    """One archive, or several that are to hold the same. Used by several threads at once.

    Of several, one that fails again and again is left alone for the rest of this process, so that a night is not spent on
    waiting for it; what it lacks is told as ``degraded``. It is never the last one: where none works, all are tried again.

    Args:
        stores: the archives, the first being the one that people are pointed to.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = tuple(stores)
        self._failures = dict.fromkeys(range(len(self._stores)), 0)
        self._aside: dict[int, str] = {}
        self._lock = threading.Lock()

    def check(self) -> None:
        """Prove that each can be written to, before anything is created in Canvas. One of them is enough.

        Raises:
            ArchiveDeniedError: none is, and no retry can help (permanent).
            ArchiveUnavailableError: none is, at present (retryable).
        """
        errors: list[ArchiveError] = []
        for number, store in enumerate(self._stores):
            try:
                check_writable(store)
            except ArchiveError as error:  # noqa: PERF203 - there are two or three of them
                errors.append(error)
                if len(self._stores) > 1:
                    _log.warning("%s cannot be written to, the others are used: %s", store.uri, error)
                    self._aside[number] = error.message
        if len(errors) == len(self._stores):
            raise next((error for error in errors if error.retryable), errors[0])

    def in_use(self) -> list[Store]:
        """The archives to store in, in order: at least one."""
        return self.divided()[0]

    def divided(self) -> tuple[list[Store], dict[str, str]]:
        """Those in use, and why each of the others is left alone, all of one moment."""
        with self._lock:
            used = [store for number, store in enumerate(self._stores) if number not in self._aside]
            return used, {self._stores[number].uri: reason for number, reason in self._aside.items()}

    def note(self, store: Store, result: Published | CanvasExportsError) -> None:
        """Remember how one of several archives did where at least one did well."""
        with self._lock:
            number = self._stores.index(store)
            failed = isinstance(result, ArchiveError)
            self._failures[number] = self._failures[number] + 1 if failed else 0
            if isinstance(result, ArchiveError) and self._failures[number] >= _PATIENCE:
                _log.warning("%s is left alone from here on: %s", store.uri, result)
                self._aside[number] = result.message

    def try_all_again(self) -> None:
        """None of those in use has worked: the others may by now."""
        with self._lock:
            self._aside.clear()

    def everywhere(self, act: Callable[[Store], Answer]) -> Answer:
        """Do something in each archive, in order; what fails in one is told in the log.

        Returns:
            The answer of the first in which it worked.

        Raises:
            ArchiveError: it worked in none.
        """
        answers: list[Answer] = []
        errors: list[ArchiveError] = []
        for store in self.in_use():
            try:
                answers.append(act(store))
            except ArchiveError as error:  # noqa: PERF203 - there are two or three of them
                _log.warning("%s: %s", store.uri, error)
                errors.append(error)
        if not answers:
            raise errors[0]
        return answers[0]


def usable(stores: Sequence[Store]) -> list[Store]:
    """Of several archives those that can be written to now; one alone is not looked at.

    Raises:
        ArchiveError: none can.
    """
    places = Places(stores)
    if len(stores) > 1:
        places.check()
    return places.in_use()


def first_answer(stores: Sequence[Store], ask: Callable[[Store], Answer]) -> Answer:
    """What the first archive says that can be asked and has an answer.

    Raises:
        CanvasExportsError: none has: the first error that a retry may help against, else the first.
    """
    errors: list[CanvasExportsError] = []
    for store in stores:
        try:
            return ask(store)
        except CanvasExportsError as error:  # noqa: PERF203 - there are two or three of them
            errors.append(error)
    raise next((error for error in errors if error.retryable), errors[0])
