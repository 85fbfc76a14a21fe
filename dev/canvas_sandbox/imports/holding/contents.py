"""Compute the content of a course, group or user: generated content, with the imports on top."""

from __future__ import annotations

import itertools
from functools import reduce

from canvas_sandbox.campus import Course, Exportable
from canvas_sandbox.content.edits import Edit
from canvas_sandbox.content.generate import Source, generate, source_of
from canvas_sandbox.content.model import Content, Kind
from canvas_sandbox.imports.holding.edit import new_page
from canvas_sandbox.imports.holding.holding import EMPTY_HOLDING, Holding
from canvas_sandbox.imports.package_contents import PackageContents
from canvas_sandbox.kernel import Kernel
from canvas_sandbox.switches import NewQuizzes

_FIRST_IMPORTED = 8_000_000_000
_MEGABYTE = 1_048_576
_OTHER_QUOTA_MB = 500  # of groups and users


class Contents:
    """The contents of one Canvas. Hold the kernel's lock around every call."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._holdings: dict[str, Holding] = {}
        self._edits: dict[str, tuple[Edit, ...]] = {}
        self._item_ids = itertools.count(_FIRST_IMPORTED)

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
        return next(self._item_ids)

    def edit_items(self, course: Course, edit: Edit) -> None:
        """Edit single items of a course.

        Raises:
            ValueError: there is nothing to edit. Nothing is changed.
        """
        edit(self.of(course))
        self._edits[course.label] = (*self.edits(course), edit)

    def add(self, owner: Exportable, package: PackageContents) -> None:
        """Import the contents of a package into a course, group or user."""
        own = generate(self.source(owner))
        self._holdings[owner.label] = self.holding(owner).with_package(package, own, self.next_item_id)

    def edit(self, course: Course) -> None:
        """Start a new revision of a course: its generated and its imported content both change. Edits of items are lost."""
        course.revision += 1
        self._edits.pop(course.label, None)
        if self.holding(course).found:
            self.add(course, new_page(course.revision))

    def quota(self, owner: Exportable) -> tuple[int, int]:
        """Return the bytes that the files of a course, group or user may use, and do use."""
        megabytes = owner.storage_quota_mb if isinstance(owner, Course) else _OTHER_QUOTA_MB
        used = sum(item.size for item in self.of(owner).of(Kind.FILE))
        return megabytes * _MEGABYTE, used
