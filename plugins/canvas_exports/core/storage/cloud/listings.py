"""List a cloud's objects through its SDK: obstore's own lists end at the first key that it takes for no path."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, ClassVar, Protocol, TypeVar

from canvas_exports.core.storage.cloud.retried_requests import ObstoreRequests
from canvas_exports.core.storage.cloud.sdk import SdkRequests
from canvas_exports.core.storage.store import ObjectInfo
from canvas_exports.errors import ArchiveError, ArchiveUnavailableError
from canvas_exports.foreign_text import harmless

PAGE = 1000

_LARGEST = 10**18  # bytes; an exabyte

Item = TypeVar("Item")
Place = Mapping[str, Any]
"""Parameters of the request for the next page."""


class Pages:
    """Read the pages of one list.

    A store that ignores where it is asked to go on, or sends its tokens in a circle, would be listed for ever. So no place
    and no beginning of a page may come twice. Keeps a number for each page, no more.

    Args:
        complaint: the error's message.

    Attributes:
        most_empty: pages in a row with nothing on them; a store that skips what was deleted sends some.
    """

    most_empty: ClassVar[int] = 1000

    def __init__(self, complaint: str) -> None:
        self._complaint = complaint
        self._seen: set[int] = set()

    def read(
        self, page: Callable[[Place], tuple[list[Item], Place | None]], name: Callable[[Item], object]
    ) -> Iterator[list[Item]]:
        """Yield the items of each page.

        Args:
            page: returns the items from a place on, and where the list goes on; ``None`` at its end.
            name: returns what tells an item from all others.

        Raises:
            ArchiveUnavailableError: an earlier page began so, the list has been at that place, or too many pages in a row were
                empty (retryable).
        """
        place: Place | None = {}
        empty = 0
        while place is not None:
            self._see("place", *sorted(place.items()))
            items, place = page(place)
            empty = 0 if items else empty + 1
            if empty > self.most_empty:
                raise ArchiveUnavailableError(self._complaint)
            if items:
                self._see("first", name(items[0]))
            yield items

    def _see(self, *sight: object) -> None:
        if hash(sight) in self._seen:
            raise ArchiveUnavailableError(self._complaint)
        self._seen.add(hash(sight))


@dataclass(frozen=True)
class Row:
    """One object of a list: its name in the bucket, its size in bytes, the time of its last change (UTC)."""

    name: str
    size: int | None
    modified: datetime | None


class Lister(Protocol):
    """List the objects of a store."""

    def below(self, prefix: str) -> Iterator[ObjectInfo | str]:
        """Yield every object whose key below the root starts with the prefix, foreign ones included; a page at a time.

        For an object that the list does not describe in full (no size, no readable time), yield only the key.
        """


class ObstoreListing:
    """List by obstore itself, where only that has credentials; fail at the first key that it takes for no path.

    Args:
        remote: obstore's store.
        requests: for its errors.
    """

    def __init__(self, remote: Any, requests: ObstoreRequests) -> None:
        self._remote = remote
        self._requests = requests

    def below(self, prefix: str) -> Iterator[ObjectInfo | str]:
        """Yield objects as ``Lister`` does; at a foreign name, raise an error that says what to do."""
        import obstore  # noqa: PLC0415 - native code, loaded only for such a store

        folder = prefix.rpartition("/")[0]
        with self._requests.translated("list", prefix):
            try:
                for page in obstore.list(self._remote, prefix=folder or None, chunk_size=1000):
                    for meta in page:
                        if meta["path"].startswith(prefix):
                            yield ObjectInfo(meta["path"], meta["size"], meta["last_modified"])
            except obstore.exceptions.InvalidPathError as error:
                name = harmless(str(error).partition("\n")[0].partition('"')[2].rpartition('"')[0])
                raise ArchiveError(
                    f"cannot list in {self._requests.uri}: an object there has a name that is no path, {name!r}; rename it, "
                    "or install the extra for this cloud"
                ) from None


class Listing(SdkRequests, ABC):
    """List the objects below an archive's root, foreign ones included."""

    def below(self, prefix: str) -> Iterator[ObjectInfo | str]:
        """Yield objects as ``Lister`` does.

        Raises:
            ArchiveDeniedError: no right to list, or no bucket (permanent).
            ArchiveUnavailableError: the store failed, or its list has no end (retryable).
        """
        pages = Pages(f"cannot list in {self._sdk.uri}: the list does not go on where it ended")
        for rows in pages.read(partial(self._page, self._root + prefix), lambda row: row.name):
            for row in rows:
                key = row.name.removeprefix(self._root)
                if row.size is None or not 0 <= row.size < _LARGEST or row.modified is None:
                    yield key
                else:
                    yield ObjectInfo(key, row.size, row.modified)

    @abstractmethod
    def _page(self, prefix: str, place: Place) -> tuple[list[Row], Place | None]:
        """Return the objects from a place on, and where the list goes on; ``None`` at its end."""


def moment(text: str | None) -> datetime | None:
    """Read a time as S3 or HTTP writes it; UTC where it names no zone. ``None`` for anything else."""
    written = (text or "").strip()[:40]
    try:
        local = datetime.strptime(written[:19], "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - its zone follows
        zone = re.fullmatch(r"(?:\.[0-9]+)?(?:Z|([+-][0-9]{2}):?([0-9]{2}))?", written[19:])
        if zone is None:
            return None
        ahead = timedelta(hours=int(zone[1]), minutes=int(zone[1][0] + zone[2])) if zone[1] else timedelta()
        return (local - ahead).replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        pass
    try:
        found = parsedate_to_datetime(written)
        return found.astimezone(timezone.utc) if found.tzinfo else found.replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        return None
