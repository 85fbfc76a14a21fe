"""Locks on single objects, where a cloud has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from canvas_exports.core.storage.cloud.sdk import SdkRequests
from canvas_exports.core.storage.options import LockMode
from canvas_exports.errors import ArchiveDeniedError, ObjectNotFoundError

#: The end of a hold that a person has to lift.
HELD = datetime.max.replace(tzinfo=timezone.utc)


class Locks(SdkRequests, ABC):
    """Locks on the objects below an archive's root.

    All methods may raise ``ArchiveDeniedError`` (permanent) and ``ArchiveUnavailableError`` (retryable).
    """

    _advice: str

    @abstractmethod
    def retain(self, key: str, mode: LockMode, until: datetime) -> None:
        """Lock an object until a time. ``ObjectNotFoundError`` if it is absent."""

    @abstractmethod
    def hold(self, key: str) -> None:
        """Lock an object until a person lifts the hold. ``ObjectNotFoundError`` if it is absent."""

    def until(self, key: str) -> datetime | None:
        """Return when the last lock on an object ends; as ``Store.lock_of``."""
        try:
            ends = self._ends(key)
        except ObjectNotFoundError:
            return None
        return max(
            (end for end in ends if end is not None and end > datetime.now(timezone.utc)), default=None
        )

    def check(self) -> None:
        """Check that objects can be locked. ``ArchiveDeniedError`` if the bucket is not made for it."""
        try:
            able = self._is_lockable()
        except ObjectNotFoundError:
            able = False
        if not able:
            raise ArchiveDeniedError(f"{self._sdk.uri} cannot lock objects; {self._advice}")

    @abstractmethod
    def _ends(self, key: str) -> list[datetime | None]:
        """Return when each kind of lock on an object ends."""

    @abstractmethod
    def _is_lockable(self) -> bool:
        """Return whether objects of this bucket can be locked."""

    def _lock(self, key: str, request: Callable[[Any], object]) -> None:
        self._sdk.call("lock objects", request, key, advice=self._advice)

    def _look(self, key: str, request: Callable[[Any], Any]) -> Any:
        return self._sdk.call("look up locks", request, key)
