"""Locks on single objects, where a cloud has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timezone

import requests

from canvas_exports.core.storage.cloud.signed_requests import Answer
from canvas_exports.core.storage.options import LockMode
from canvas_exports.core.storage.store import not_found
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError

# What servers say that cannot lock, or do not want to.
_REFUSED = (
    requests.codes.bad_request,
    requests.codes.method_not_allowed,
    requests.codes.conflict,
    requests.codes.not_implemented,
)

#: When a hold ends that somebody has to lift.
HELD = datetime.max.replace(tzinfo=timezone.utc)


class Locks(ABC):
    """Locks on the objects below an archive's root.

    All methods may raise ``ArchiveDeniedError`` (permanent) and ``ArchiveUnavailableError`` (retryable).
    """

    @abstractmethod
    def retain(self, key: str, mode: LockMode, until: datetime) -> None:
        """Lock an object until a time. ``ObjectNotFoundError`` if it is absent."""

    @abstractmethod
    def hold(self, key: str) -> None:
        """Lock an object until somebody lifts the hold. ``ObjectNotFoundError`` if it is absent."""

    @abstractmethod
    def until(self, key: str) -> datetime | None:
        """As ``Store.lock_of``."""

    @abstractmethod
    def check(self) -> None:
        """``ArchiveDeniedError`` if the bucket is not made for locks."""


def expect(answer: Answer, key: str, advice: str) -> None:
    """Raise what an answer to a request for a lock means, unless it was granted."""
    if answer.ok:
        return
    if answer.status_code == requests.codes.not_found:
        raise not_found(key)
    if answer.status_code in _REFUSED and not answer.refusal.is_left_to_us:
        raise ArchiveDeniedError(
            f"the store refuses to lock it (HTTP {answer.status_code}); {advice}", key=key
        )
    raise ArchiveUnavailableError(f"the store answered HTTP {answer.status_code}", key=key)


def latest(*ends: datetime | None) -> datetime | None:
    """The last of several ends, of those that lie ahead."""
    ahead = [end for end in ends if end is not None and end > datetime.now(timezone.utc)]
    return max(ahead, default=None)


def moment(text: str | None) -> datetime | None:
    """A time as clouds write it: ISO 8601 in UTC, with or without fractions, at times in nine digits."""
    if not text:
        return None
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)


def written(time: datetime) -> str:
    """A time as clouds read it. In whole seconds."""
    return f"{time.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
