"""Detect a paginated list that never ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from canvas_exports.errors import ArchiveUnavailableError

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
