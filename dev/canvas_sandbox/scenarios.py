"""Ready-made universities."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from canvas_sandbox.campus import Account, Course, DeveloperKey, Group, Term, User
from canvas_sandbox.faults import Fault, LimitedFault
from canvas_sandbox.sandbox import Sandbox
from canvas_sandbox.switches import Switches

MB = 1_000_000
CURRENT_TERM = 2
_LAST_TERM, _NEXT_TERM = 3, 4


@dataclass
class Scenario:
    """A university, and the expected outcomes of its backup.

    ``expected`` maps ``course:ID`` to ``stored``, ``incomplete``, ``empty``, ``gone``, ``denied``, ``failed`` or ``stalled``.
    ``drills`` are empty, unpublished courses outside of every term's dates, as targets of restore drills: no backup lists
    them. ``concluded`` are courses of a past term, which no nightly backup lists; they have no faults.
    """

    courses: Sequence[Course]
    expected: dict[str, str]
    drills: Sequence[Course] = ()
    concluded: Sequence[Course] = ()
    groups: Sequence[Group] = ()
    users: Sequence[User] = ()
    accounts: Sequence[Account] = ()
    terms: Sequence[Term] = ()
    developer_keys: Sequence[DeveloperKey] = (DeveloperKey(31, "the-secret-of-a-sandbox"),)
    switches: Switches = field(default_factory=Switches)

    def sandbox(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        storage_port: int = 0,
        storage_host: str | None = None,
        time_scale: float = 1.0,
        seed: int = 1,
        throttle: bool = True,
        state: Path | None = None,
    ) -> Sandbox:
        """Return a sandbox of this scenario, not yet started. Make one sandbox of each scenario: faults count down."""
        return Sandbox(
            (*self.courses, *self.concluded, *self.drills),
            groups=self.groups,
            users=self.users,
            accounts=self.accounts,
            terms=self.terms,
            developer_keys=self.developer_keys,
            switches=replace(self.switches, throttle=throttle),
            time_scale=time_scale,
            seed=seed,
            host=host,
            port=port,
            storage_port=storage_port,
            storage_host=storage_host,
            state=state,
        )


def campus() -> Scenario:
    """Return a small campus: two faculties, three terms, a dozen courses in every state, groups and users. Nothing fails."""
    rows = _CATALOGUE[:12]
    courses = [
        Course(
            id=101 + index,
            name=name,
            course_code=code,
            sis_course_id=f"{code.replace(' ', '-')}-{_year(index)}",
            account_id=account,
            term_id=(CURRENT_TERM, CURRENT_TERM, CURRENT_TERM, _LAST_TERM, _NEXT_TERM)[index % 5],
            state=("available", "available", "available", "completed", "claimed")[index % 5],
            size=60_000 + 45_000 * index,
            duration=0.5 + 0.25 * (index % 4),
            blueprint=index == 2,  # noqa: PLR2004  one of the rows
        )
        for index, (code, name, account) in enumerate(rows)
    ]
    return Scenario(
        courses=courses,
        expected={course.label: "stored" for course in courses},
        drills=_drills(901),
        groups=[
            Group(id=7, name="Lab group A", course_id=101, sis_group_id="G-7"),
            Group(id=8, name="Chess club", members=(1, 3)),
        ],
        users=[User(id=11, name="Nia Newcomer", login_id="nia", sis_user_id="U-11")],
        accounts=_ACCOUNTS,
        terms=_terms(),
        switches=Switches(job_workers=4),
    )


def demo() -> Scenario:
    """Return forty courses of the current term with every kind of fault, about 70 seconds on six workers, and a few of the last term."""
    dice = random.Random(40)
    courses, expected = [], {}
    for index, (code, name, account) in enumerate(_CATALOGUE):
        course_id = 2001 + 7 * index
        size, faults, outcome = _SPECIAL.get(index, (int(dice.lognormvariate(13.5, 1.0)), (), "stored"))
        course = Course(
            id=course_id,
            name=name,
            course_code=code,
            sis_course_id=f"{code.replace(' ', '-')}/2026-AUT",
            account_id=account,
            term_id=CURRENT_TERM,
            size=size,
            duration=_DURATION_OF.get(outcome, min(24.0, max(4.0, dice.lognormvariate(2.3, 0.5)))),
            subject=name,
            faults=faults,
        )
        courses.append(course)
        expected[course.label] = outcome
    return Scenario(
        courses=courses,
        expected=expected,
        drills=_drills(2901, 8),
        concluded=[
            Course(
                id=1901 + 7 * index,
                name=name,
                course_code=code,
                sis_course_id=f"{code.replace(' ', '-')}/2026-SPR",
                account_id=account,
                term_id=_LAST_TERM,
                state="completed",
                duration=4.0,
            )
            for index, (code, name, account) in enumerate(_CATALOGUE[:5])
        ],
        accounts=_ACCOUNTS,
        terms=_terms(),
        switches=Switches(job_workers=6),
    )


SCENARIOS: dict[str, Callable[[], Scenario]] = {"campus": campus, "demo": demo}
"""Scenarios by name; each call makes a new one."""

_ACCOUNTS = (
    Account(1, "Sandbox University", sis_account_id="UNI"),
    Account(2, "Faculty of Science", parent_id=1, sis_account_id="SCI"),
    Account(3, "Faculty of Arts & Humanities", parent_id=1, sis_account_id="ART"),
    Account(4, "School of Medicine", parent_id=1, sis_account_id="MED"),
)

_CATALOGUE = (
    ("BIO 101", "Foundations of Biology", 2),
    ("BIO 210", "Genetics & Genomics", 2),
    ("BIO 340", "Plant Ecology", 2),
    ("CHE 110", "General Chemistry I", 2),
    ("CHE 225", "Organic Chemistry Laboratory", 2),
    ("PHY 101", "Mechanics and Waves", 2),
    ("PHY 260", "Electromagnetism", 2),
    ("PHY 390", "Computational Astrophysics", 2),
    ("MAT 120", "Linear Algebra", 2),
    ("MAT 205", "Probability Theory", 2),
    ("MAT 330", "Partial Differential Equations", 2),
    ("CSC 100", "Introduction to Programming", 2),
    ("CSC 240", "Databases & Data Modelling", 2),
    ("CSC 315", "Distributed Systems", 2),
    ("CSC 402", "Machine Learning Practicum", 2),
    ("GEO 150", "Earth Systems", 2),
    ("GEO 275", "Remote Sensing", 2),
    ("STA 201", "Statistical Inference", 2),
    ("ENV 220", "Climate Science and Policy", 2),
    ("ENG 105", "Academic Writing", 3),
    ("ENG 233", "The Victorian Novel", 3),
    ("ENG 310", "Shakespeare in Performance", 3),
    ("HIS 112", "Europe since 1789", 3),
    ("HIS 245", "Oral History Methods", 3),
    ("HIS 377", "The Atlantic World", 3),
    ("PHI 101", "Problems of Philosophy", 3),
    ("PHI 220", "Ethics of Technology", 3),
    ("FRE 110", "Français langue étrangère I", 3),
    ("SPA 215", "Cine español contemporáneo", 3),
    ("GER 130", "Deutsch für Anfänger", 3),
    ("JPN 101", "日本語入門 (Japanese I)", 3),
    ("MUS 160", "Music Theory and Ear Training", 3),
    ("ART 140", "Drawing from Observation", 3),
    ("FLM 305", "Documentary Film Workshop", 3),
    ("LIN 200", "Phonetics and Phonology", 3),
    ("ANA 101", "Human Anatomy", 4),
    ("PHA 230", "Pharmacology", 4),
    ("NUR 115", "Clinical Skills I", 4),
    ("EPI 320", "Epidemiology", 4),
    ("PSY 210", "Cognitive Psychology", 4),
)

_Special = tuple[int, tuple[Fault | LimitedFault, ...], str]
_SPECIAL: dict[int, _Special] = {
    4: (800_000, (Fault.INCOMPLETE,), "incomplete"),
    7: (600_000, (Fault.EXPORT_FAILS,), "failed"),
    14: (900_000, (Fault.EXPORT_FAILS.times(1),), "stored"),
    16: (2 * MB, (Fault.CUT.times(1),), "stored"),
    20: (500_000, (Fault.VANISHED,), "gone"),
    24: (700_000, (Fault.EXPORT_ERRORS,), "incomplete"),
    29: (60_000, (Fault.EMPTY,), "empty"),
    33: (300 * MB, (), "stored"),
    36: (500_000, (Fault.FORBIDDEN,), "denied"),
    38: (500_000, (Fault.STUCK_EXPORTING,), "stalled"),
}
"""Size, faults and outcome of the courses with faults, by place in the catalogue."""

_DURATION_OF = {"failed": 5.0, "empty": 3.0, "stalled": 8.0}


def _drills(first_id: int, count: int = 2) -> list[Course]:
    """Return courses to restore into, in the default term, which has no dates."""
    return [
        Course(
            id=first_id + number,
            name=f"Restore drills {number + 1}",
            course_code=f"DRILL {number + 1}",
            sis_course_id=f"RESTORE-DRILLS-{number + 1}",
            size=0,
            state="claimed",
            teachers=(),
            students=(),
        )
        for number in range(count)
    ]


def _terms() -> list[Term]:
    return [
        Term(1, "Default Term"),
        Term(CURRENT_TERM, "Autumn 2026", "2026-AUT", starts=-60, ends=60),
        Term(_LAST_TERM, "Spring 2026", "2026-SPR", starts=-300, ends=-120),
        Term(_NEXT_TERM, "Spring 2027", "2027-SPR", starts=90, ends=210),
    ]


def _year(index: int) -> str:
    return ("2026-AUT", "2026-AUT", "2026-AUT", "2026-SPR", "2027-SPR")[index % 5]
