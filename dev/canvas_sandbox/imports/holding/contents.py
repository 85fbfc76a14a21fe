"""Compute the content of a course, group or user: generated content, with the imports on top."""

from __future__ import annotations

from functools import reduce

from canvas_sandbox.campus import Course, Exportable
from canvas_sandbox.content.edit_kinds import SHOWN, EditKind, touched
from canvas_sandbox.content.edits import Edit
from canvas_sandbox.content.generate import Source, generate, source_of
from canvas_sandbox.content.model import Content, Kind
from canvas_sandbox.imports.holding.edit import new_page
from canvas_sandbox.imports.holding.holding import EMPTY_HOLDING, Holding
from canvas_sandbox.imports.package_contents import PackageContents
from canvas_sandbox.kernel import Kernel
from canvas_sandbox.switches import NewQuizzes
from canvas_sandbox.timestamps import Timestamps

_FIRST_IMPORTED = 8_000_000_000
_MEGABYTE = 1_048_576
_OTHER_QUOTA_MB = 500  # of groups and users


class Contents:
    """The contents of one Canvas. Hold the kernel's lock around every call.

    Attributes:
        timestamps: When courses and what they contain were last changed.
        upcoming_item_id: What `next_item_id` returns next.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.timestamps = Timestamps(kernel)
        self._holdings: dict[str, Holding] = {}
        self._edits: dict[str, tuple[Edit, ...]] = {}
        self.upcoming_item_id = _FIRST_IMPORTED

    def of(self, owner: Exportable) -> Content:
        """Return everything that a course, group or user holds."""
        content = self.holding(owner).content_with(generate(self.source(owner)))
        return reduce(lambda before, edit: edit(before), self.edits(owner), content)

    def source(self, owner: Exportable) -> Source:
        """Return what the generated content of a course, group or user depends on."""
        new_quizzes = self._kernel.switches.new_quizzes is not NewQuizzes.NONE
        return source_of(owner, self._kernel.seed, new_quizzes=new_quizzes)

    def holding(self, owner: Exportable) -> Holding:
        """Return what a course, group or user has imported."""
        return self._holdings.get(owner.label, EMPTY_HOLDING)

    def edits(self, owner: Exportable) -> tuple[Edit, ...]:
        """Return the edits of single items, the oldest first."""
        return self._edits.get(owner.label, ())

    def next_item_id(self) -> int:
        """Return an id for a new item."""
        self.upcoming_item_id += 1
        return self.upcoming_item_id - 1

    def edit_items(self, course: Course, edit: Edit, kind: EditKind, number: int) -> None:
        """Edit a single item of a course, or with 0 its settings. Times move as the kind of the edit says.

        Raises:
            ValueError: there is nothing to edit. Nothing is changed.
        """
        before = self.of(course)
        after = edit(before)
        self._edits[course.label] = (*self.edits(course), edit)
        now = self._kernel.now
        self.timestamps.touch_items(course, touched(kind, before, after, number), now)
        if SHOWN[kind].moves_course:
            self.timestamps.touch(course, now)

    def add(
        self, owner: Exportable, package: PackageContents, moment: float, *, moves_course: bool = True
    ) -> None:
        """Import the contents of a package into a course, group or user; an import that fails does not move the course."""
        own = generate(self.source(owner))
        holding = self.holding(owner).with_package(package, own, self.next_item_id)
        self._holdings[owner.label] = holding
        self.timestamps.touch_items(owner, (holding.ids[key] for key in package.found), moment)
        if moves_course:
            self.timestamps.touch(owner, moment)

    def edit(self, course: Course) -> None:
        """Start a new revision of a course: its generated and its imported content both change. Edits of items are lost."""
        course.revision += 1
        self._edits.pop(course.label, None)
        if self.holding(course).found:
            self.add(course, new_page(course.revision), self._kernel.now)
        self.timestamps.touch_all(course, self._kernel.now)

    def quota(self, owner: Exportable) -> tuple[int, int]:
        """Return the bytes that the files of a course, group or user may use, and do use."""
        megabytes = owner.storage_quota_mb if isinstance(owner, Course) else _OTHER_QUOTA_MB
        used = sum(item.size for item in self.of(owner).of(Kind.FILE))
        return megabytes * _MEGABYTE, used
