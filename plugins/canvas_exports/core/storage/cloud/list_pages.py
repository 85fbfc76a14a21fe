"""Detect a paginated list that never ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from canvas_exports.errors import ArchiveUnavailableError


class Pages:
    """The pages of one list, as they come.

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
        self._seen: set[int] = {_place({})}
        self._empty = 0

    def begin(self, first: tuple[str, ...] | None) -> None:
        """See how a page begins, before its rows are used.

        Args:
            first: what names the first row; ``None``: the page is empty.

        Raises:
            ArchiveUnavailableError: an earlier page began so, or too many in a row were empty (retryable).
        """
        self._empty = 0 if first else self._empty + 1
        if self._empty > self.most_empty:
            raise ArchiveUnavailableError(self._complaint)
        if first:
            self._see(hash(("first", *first)))

    def go_on(self, place: Mapping[str, str]) -> None:
        """See where the next page begins. ``ArchiveUnavailableError``: the list has been there (retryable)."""
        self._see(_place(place))

    def _see(self, sight: int) -> None:
        if sight in self._seen:
            raise ArchiveUnavailableError(self._complaint)
        self._seen.add(sight)


def _place(place: Mapping[str, str]) -> int:
    return hash(("place", *sorted(place.items())))
