"""``updated_at`` of courses and of what they contain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from canvas_sandbox.campus import Exportable
from canvas_sandbox.kernel import DAY, Kernel

_CREATED = 200 * DAY  # before the sandbox's start
_LAST_SAVED, _SPREAD = 7, 90  # days before the sandbox's start


class Timestamps:
    """When courses and their items were last changed. What was never changed has a time before the sandbox's start."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._courses: dict[str, float] = {}
        self._renewed: dict[str, float] = {}
        self._items: defaultdict[str, dict[int, float]] = defaultdict(dict)

    @property
    def created_at(self) -> float:
        """Return when the courses of the start were created."""
        return self._kernel.started - _CREATED

    def course(self, owner: Exportable) -> float:
        """Return when a course was last changed."""
        return self._courses.get(owner.label) or self._first(owner)

    def item(self, owner: Exportable, number: int) -> float:
        """Return when an item of a course was last changed."""
        label = owner.label
        moment = self._items[label].get(number, 0.0) if label in self._items else 0.0
        return max(moment, self._renewed.get(label, 0.0)) or self._first(owner)

    def touch(self, owner: Exportable, moment: float) -> None:
        """Move the time of a course, and of nothing that it contains."""
        self._courses[owner.label] = moment

    def touch_items(self, owner: Exportable, numbers: Iterable[int], moment: float) -> None:
        """Move the times of items."""
        self._items[owner.label].update(dict.fromkeys(numbers, moment))

    def touch_all(self, owner: Exportable, moment: float) -> None:
        """Move the times of a course and of all that it contains."""
        self.touch(owner, moment)
        self._renewed[owner.label] = moment

    def _first(self, owner: Exportable) -> float:
        return self._kernel.started - (_LAST_SAVED + owner.id % _SPREAD) * DAY
