"""A year of a university's courses, night by night: what their manifests would say. Nothing is exported or stored.

A course is numbers of things and the sizes of its files. Teachers edit on working days, more while their term runs; they clean up
when it ends, and roll a course over before it begins; some import a lot, delete a large file, or replace one. Twice a year
a new release of Canvas changes every package. All of it comes from one seed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.runs import RunSummary
from canvas_exports.core.archive.manifest import ContextFacts, ExportFacts, PackageFacts
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.proof import Verdict

FIRST = date(2026, 1, 1)
NIGHTS = 365
_TERMS = (
    (date(2026, 1, 12), date(2026, 5, 8)),
    (date(2026, 6, 1), date(2026, 7, 31)),
    (date(2026, 8, 24), date(2026, 12, 11)),
)
_KINDS = {
    "pages": 0.3,
    "assignments": 0.2,
    "quizzes": 0.08,
    "question_banks": 0.04,
    "discussions": 0.2,
    "web_links": 0.18,
}
_FILES = 0.7  # for each other thing
_PROGRAMS = 0.03  # of courses, that have executables among their files
_RARE_PROGRAM = 0.001  # of files that are added
_EDITS = {"add": 0.38, "delete": 0.16, "replace": 0.16, "text": 0.3}
_SIMILAR = 0.8  # of files that are replaced: by another version
_RELEASES = (date(2026, 3, 21), date(2026, 9, 19))


@dataclass
class Course:
    """The content of a course.

    Attributes:
        number: Canvas's.
        term: of ``_TERMS``.
        counts: numbers of things by kind.
        files: bytes of each file.
        empty_files, executables, encrypted: as a proof counts them.
        edition: raised with every change.
        copies: that were made of it so far, oldest first, one for each content.
    """

    number: int
    term: int
    counts: Counter[str]
    files: list[int]
    empty_files: int = 0
    executables: int = 0
    encrypted: int = 0
    edition: int = 0
    copies: list[Copy] = field(default_factory=list)

    def copied(self, night: datetime) -> Copy:
        """Return the copy that a run of this night would make."""
        things = sum(self.counts.values())
        counts = {
            **{kind: self.counts[kind] for kind in _KINDS},
            "files": len(self.files),
            "modules": things // 9,
            "module_items": things * 2 // 3,
            "bytes": sum(self.files) + 4_000 * (things + 8),
            "empty_files": self.empty_files,
            "executables": self.executables,
            "encrypted": self.encrypted,
        }
        is_empty = not things and not self.files
        return Copy(
            key=f"courses/{self.number}/{self.edition}.json",
            context=ContextFacts("course", self.number, course_code=f"C-{self.number}"),
            export=ExportFacts(self.edition + 1, "common_cartridge", night, "canvas.example.edu"),
            package=PackageFacts(
                key=f"courses/{self.number}/{self.edition}.imscc",
                size=sum(self.files) * 9 // 10 + 1_500 * (things + 8),
                digests={"sha256": "0" * 64},
                content_digest="0" * 64,
                member_count=things + len(self.files) + 8,
                media_type="application/zip",
            ),
            run=RunFacts("canvas_exports", dag_id="nightly"),
            level="directory",
            verdict=Verdict.EMPTY if is_empty else Verdict.WHOLE,
            counts=counts,
            stored_at=night + timedelta(minutes=5),
        )

    def clone(self) -> Course:
        """Return the same course, to be changed by itself."""
        return replace(self, counts=Counter(self.counts), files=list(self.files), copies=list(self.copies))


@dataclass(frozen=True)
class Night:
    """A night of the year: its date, the courses that changed, and the totals of its run."""

    at: datetime
    changed: tuple[Course, ...]
    totals: RunSummary


class Year:
    """A simulated year.

    Args:
        seed: of everything that happens by chance.
        courses: how many there are.
    """

    def __init__(self, seed: int, courses: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self.courses = [self._course(number) for number in range(1, courses + 1)]

    def nights(self) -> Iterator[Night]:
        """Yield the nights. Each course has its copies up to the night."""
        for back in range(NIGHTS):
            day = FIRST + timedelta(days=back)
            at = datetime.combine(day, time(2), timezone.utc)
            listed = [course for course in self.courses if self._is_listed(course, day)]
            changed = [course for course in listed if self._lives(course, day) or not course.copies]
            for course in changed:
                course.edition += 1
                course.copies.append(course.copied(at))
            size = sum(course.copies[-1].package.size for course in changed)
            outcomes = {"stored": len(changed), "unchanged": len(listed) - len(changed)}
            totals = RunSummary(
                key=f"runs/{day}/nightly/run/report.json",
                dag_id="nightly",
                run_id="run",
                started_at=at,
                finished_at=at,
                contexts=len(listed),
                problems=0,
                bytes=size,
                outcomes=outcomes,
            )
            yield Night(at, tuple(changed), totals)

    def _course(self, number: int) -> Course:
        chance = self._random
        things = int(min(chance.lognormvariate(3.6, 1.1), 1_500))
        course = Course(number, chance.randrange(len(_TERMS)), Counter(), [])
        for kind, share in _KINDS.items():
            course.counts[kind] = self._about(things * share * chance.uniform(0.3, 1.7))
        course.files = [self._file() for _ in range(self._about(things * _FILES * chance.uniform(0.2, 1.8)))]
        if chance.random() < _PROGRAMS:
            course.executables = min(len(course.files), chance.randint(1, 12))
        return course

    def _file(self) -> int:
        return int(min(self._random.lognormvariate(12.2, 1.9), 2e9))

    def _about(self, number: float) -> int:
        """Return a whole number that is the given one on average."""
        return int(number) + (self._random.random() < number % 1)

    def _is_listed(self, course: Course, day: date) -> bool:
        """Return whether the backup lists a course: of a term that ended, for two months more; the others always."""
        begins, ends = _TERMS[course.term]
        return course.number % 4 != 0 or begins - timedelta(days=60) <= day <= ends + timedelta(
            days=60 + course.number % 14
        )

    def _lives(self, course: Course, day: date) -> bool:
        """Change a course as a day does; return whether it did."""
        chance = self._random
        begins, ends = _TERMS[course.term]
        is_release = day in _RELEASES
        changes = 0
        if begins - timedelta(days=14) <= day < begins and chance.random() < 1 / 14:
            changes += self._roll_over(course)
        if ends <= day <= ends + timedelta(days=21) and chance.random() < 0.5 / 21:
            changes += self._clean_up(course, chance.uniform(0.05, 0.35))
        if chance.random() < 1 / 200:
            changes += self._import(course)
        busy = 0.22 if begins - timedelta(days=10) <= day <= ends else 0.015
        if chance.random() < busy * (1.0 if day.weekday() < 5 else 0.25):  # noqa: PLR2004 - Saturday
            for _ in range(min(30, 1 + int(chance.expovariate(0.4)))):
                self._edit(course)
                changes += 1
        return bool(changes) or is_release

    def _edit(self, course: Course) -> None:
        chance = self._random
        kind = chance.choices([*_KINDS, "files"], [*_KINDS.values(), _FILES])[0]
        edit = chance.choices(list(_EDITS), list(_EDITS.values()))[0]
        if kind != "files":
            if edit == "add":
                course.counts[kind] += 1
            elif edit == "delete":
                course.counts[kind] = max(0, course.counts[kind] - 1)
        elif edit == "add" or not course.files:
            course.files.append(self._file())
            course.executables += chance.random() < _RARE_PROGRAM
        elif edit == "delete":
            course.files.pop(chance.randrange(len(course.files)))
        elif edit == "replace":
            at = chance.randrange(len(course.files))
            is_similar = chance.random() < _SIMILAR
            size = course.files[at] * chance.lognormvariate(0, 0.5) if is_similar else self._file()
            course.files[at] = int(size)

    def _roll_over(self, course: Course) -> int:
        """Take over the content of another year: of every kind a little less or more, without most announcements."""
        chance = self._random
        for kind in _KINDS:
            least = 0.6 if kind == "discussions" else 0.75
            course.counts[kind] = self._about(course.counts[kind] * chance.uniform(least, 1.3))
        keep = chance.uniform(0.75, 1)
        course.files = [size for size in course.files if chance.random() < keep]
        course.files += [self._file() for _ in range(chance.randint(0, 12))]
        return 1

    def _clean_up(self, course: Course, share: float) -> int:
        """Delete a share of everything, thing by thing."""
        chance = self._random
        for kind in _KINDS:
            course.counts[kind] = sum(chance.random() >= share for _ in range(course.counts[kind]))
        course.files = [size for size in course.files if chance.random() >= share]
        return 1

    def _import(self, course: Course) -> int:
        """Import more content: half as much as there is, or twice."""
        times = self._random.uniform(0.5, 2)
        for kind in _KINDS:
            course.counts[kind] += self._about(min(300.0, course.counts[kind] * times))
        course.files += [self._file() for _ in range(min(300, int(len(course.files) * times)))]
        return 1
