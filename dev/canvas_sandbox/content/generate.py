"""Content generated from a seed: the same context and revision always hold the same items."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

from canvas_sandbox.campus import Course, Exportable
from canvas_sandbox.content.lessons import add_lessons, add_pictures
from canvas_sandbox.content.model import Content, Item, Kind
from canvas_sandbox.faults import Fault

IDS_PER_CONTEXT = 1_000
_ID_OFFSETS = {"course": 0, "group": 4_000_000_000, "user": 6_000_000_000}
_OVERHEAD, _NEW_QUIZ = 17_000, 5_500
_LARGE_FILE = 64 * 1024 * 1024
_LOCKED_FILE = 2
"""Number of the file that students may not have."""
_PROSE = (
    "the a of and to in measure light cell model theory sample value method field energy language history market "
    "source question reading seminar answer week group figure result number draft review evidence reason example "
    "practice structure function community culture river network signal protein verb archive museum law"
)
_WORDS = _PROSE.split()
_TOPICS = (
    "Foundations",
    "Methods",
    "Evidence",
    "Models",
    "Case studies",
    "Applications",
    "Limits",
    "Debates",
    "Outlook",
    "Review",
)


@dataclass(frozen=True)
class Source:
    """Inputs of the generated content of a context."""

    kind: str
    id: int
    size: int
    revision: int
    seed: int
    empty: bool
    new_quizzes: bool = False
    subject: str = ""
    files: int | None = None


def source_of(owner: Exportable, seed: int, *, new_quizzes: bool = False) -> Source:
    """Return the source of the content of a course, group or user as it is now."""
    empty = owner.size == 0 or Fault.EMPTY in owner.active_faults
    subject, files = (owner.subject, owner.files) if isinstance(owner, Course) else ("", None)
    return Source(owner.kind, owner.id, owner.size, owner.revision, seed, empty, new_quizzes, subject, files)


@lru_cache(maxsize=256)
def generate(source: Source) -> Content:
    """Generate the content. Groups and users hold files only; an empty course holds only its root folder."""
    dice = random.Random(f"{source.seed}:{source.kind}:{source.id}:{source.revision}")
    maker = _Maker(_ID_OFFSETS[source.kind] + source.id * IDS_PER_CONTEXT, dice)
    is_course = source.kind == "course"
    settings: tuple[tuple[str, str], ...] = ()
    root = maker.add(Kind.FOLDER, "course files" if is_course else "files")
    if not source.empty:
        pictures = add_pictures(maker.add, root, source.subject) if source.subject else {}
        total = max(0, source.size - (_overhead(source) if is_course else 1_000))
        maker.add_files(root, total, source.files)
        if is_course:
            if source.subject:
                settings = add_lessons(maker.add, source.subject, pictures)
            maker.add_course_items()
            if source.new_quizzes:
                maker.add_new_quiz()
    return Content(root, maker.items, settings)


def _overhead(source: Source) -> int:
    """Return the size of a course's package without its files, in bytes."""
    return _OVERHEAD + (_NEW_QUIZ if source.new_quizzes else 0)


class _Maker:
    """Adds items with running ids."""

    def __init__(self, first_id: int, dice: random.Random) -> None:
        self._next_id = first_id
        self._dice = dice
        self.items: dict[int, Item] = {}
        self._files: list[int] = []

    def add(self, kind: Kind, title: str, **fields: object) -> int:
        item = Item(kind, self._next_id, title, **fields)  # type: ignore[arg-type]  # fields of Item, by name
        self.items[item.id] = item
        self._next_id += 1
        return item.id

    def add_files(self, root: int, total: int, number: int | None = None) -> None:
        lectures = self.add(Kind.FOLDER, "Lectures", parent=root)
        data = self.add(Kind.FOLDER, "Data & scripts", parent=lectures)
        self.add(Kind.FOLDER, "Submissions of last year", parent=root)
        count = min(5 + total // _LARGE_FILE, 40) if number is None else max(1, number)
        weights = [self._dice.uniform(0.5, 1.5) for _ in range(count)]
        left, whole = total, sum(weights)
        for place, weight in enumerate(weights, start=1):
            size = left if place == count else int(total * weight / whole)
            left -= size
            suffix = (
                "mp4" if size > _LARGE_FILE // 2 else self._dice.choice(("pdf", "pdf", "pptx", "csv", "png"))
            )
            title = f"{self._dice.choice(_TOPICS)} {place}.{suffix}"
            folder = (root, lectures, data)[place % 3]
            self._files.append(
                self.add(Kind.FILE, title, parent=folder, size=size, locked=place == _LOCKED_FILE)
            )

    def add_course_items(self) -> None:
        topics = self._dice.sample(_TOPICS, 4)
        pages = [
            self.add(
                Kind.PAGE,
                f"Week {week}: {topic}",
                body=self._prose(),
                links=(self._files[week % len(self._files)],),
            )
            for week, topic in enumerate(topics, start=1)
        ]
        group = self.add(Kind.ASSIGNMENT_GROUP, "Coursework")
        essay = self.add(Kind.ASSIGNMENT, f"Essay on {topics[0].lower()}", body=self._prose(), parent=group)
        self.add(Kind.ASSIGNMENT, "Lab report", body=self._prose(), parent=group, links=(self._files[0],))
        quiz = self.add(Kind.QUIZ, f"Quiz: {topics[1]}", body=self._prose())
        talk = self.add(Kind.DISCUSSION, "Introduce yourself", body=self._prose())
        self.add(Kind.ANNOUNCEMENT, "Welcome to the course", body=self._prose())
        self.add(Kind.EVENT, "Guest lecture", body=self._prose())
        self.add(Kind.RUBRIC, "Essay rubric")
        for title, targets in (("Start here", (pages[0], talk)), ("Core", (pages[1], essay, quiz))):
            module = self.add(Kind.MODULE, title)
            for target in targets:
                self.add(Kind.MODULE_ITEM, self.items[target].title, parent=module, target=target)

    def add_new_quiz(self) -> None:
        """Add a New Quiz. Call it last, so that all other items are the same with and without New Quizzes."""
        group = next(item.id for item in self.items.values() if item.kind is Kind.ASSIGNMENT_GROUP)
        title = f"New Quiz: {self._dice.choice(_TOPICS).lower()}"
        self.add(Kind.ASSIGNMENT, title, body=self._prose(), parent=group, is_new_quiz=True)

    def _prose(self) -> str:
        sentences = (
            " ".join(self._dice.choices(_WORDS, k=self._dice.randint(6, 16))).capitalize() + "."
            for _ in range(self._dice.randint(6, 14))
        )
        return " ".join(sentences)
