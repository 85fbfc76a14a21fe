"""A night with trouble drawn by lot: what Canvas holds, what it and the archive do wrong, and what must come of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.store_servers.s3 import HANG_UP
from tests.support.store_servers.stores import MiB
from tests.survival.support.canvas_proxy import Trouble, When

from canvas_sandbox import Course, Effect, Fault, LimitedFault, RequestFault, Switches

#: Trouble of a course, and what becomes of it.
_FATES: Sequence[tuple[Fault | LimitedFault, str]] = [
    *((fault.times(1), "stored") for fault in (
        Fault.LOST_ANSWER, Fault.REFUSED, Fault.SERVER_ERROR, Fault.MAINTENANCE, Fault.THROTTLED, Fault.EXPORT_FAILS,
        Fault.LOGIN_PAGE, Fault.TRUNCATED, Fault.CUT, Fault.EXPIRED_LINK,
    )),
    (Fault.PROGRESS_REGRESSION, "stored"),
    (Fault.ZIP64, "stored"),
    (Fault.INCOMPLETE, "incomplete"),
    (Fault.EXPORT_ERRORS, "incomplete"),
    (Fault.EMPTY, "empty"),
    (Fault.EXPORT_FAILS, "failed"),
    (Fault.VANISHED, "gone"),
    (Fault.FORBIDDEN, "denied"),
]  # fmt: skip
_EFFECTS = (
    Effect.LOST_ANSWER,
    Effect.REFUSED,
    Effect.THROTTLED,
    Effect.SERVER_ERROR,
    Effect.MAINTENANCE,
    Effect.GARBLED,
    Effect.CUT,
    Effect.DELAY,
)
_PATHS = (
    r"/content_exports$",
    r"/progress/\d+$",
    r"/content_exports/\d+$",
    r"/files/\d+/download$",
    r"^/canvas-sandbox/",
)
_REQUESTS = (
    ("PUT", r"\.imscc"),
    ("PUT", r"\.json"),
    ("PUT", "partNumber=2"),
    ("POST", "uploads"),
    ("POST", "uploadId"),
    ("HEAD", ""),
)


@dataclass
class Misfortune:
    """One night.

    Attributes:
        courses: what Canvas holds.
        switches: how it works.
        expected: each course's outcome.
        faults: requests to Canvas that fail.
        troubles: requests to the archive that fail.
    """

    courses: list[Course]
    switches: Switches
    expected: dict[str, str]
    faults: list[RequestFault] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Remember how much trouble there is."""
        self._times = [fault.times or 0 for fault in self.faults]

    def came(self) -> Counter[str]:
        """How often each kind of trouble came."""
        counts = Counter[str]()
        for fault, times in zip(self.faults, self._times, strict=True):
            counts[Effect(fault.effect).value] += times - (fault.times or 0)
        for course in self.courses:
            for trouble in course.faults:
                if not isinstance(trouble, LimitedFault):
                    counts[trouble.value] += 1
                elif trouble.fault not in course.active_faults:
                    counts[trouble.fault.value] += 1
        for request in self.troubles:
            counts[f"archive {request.status or 'hang-up'} {request.when.name.lower()}"] += request.met
        return +counts


def draw(dice: random.Random) -> Misfortune:
    """A night; the same dice throw the same one."""
    courses, expected = [], {}
    for number in range(dice.randint(4, 12)):
        fault, outcome = dice.choice(_FATES) if dice.random() < 0.4 else (None, "stored")
        size = dice.choice((20_000, 200_000, 2 * MiB, 20 * MiB))
        course = Course(id=101 + number, size=size, faults=[] if fault is None else [fault])
        courses.append(course)
        expected[course.label] = outcome
    return Misfortune(
        courses,
        Switches(
            duration=dice.choice((0.5, 5.0, 15.0)),
            duration_sigma=0.5,
            job_workers=dice.randint(2, 6),
            throttle_status=dice.choice((403, 429)),
            clock_ahead=dice.choice((0.0, 0.0, 300.0, -300.0)),
        ),
        expected,
        [
            RequestFault(
                dice.choice(_EFFECTS),
                path=dice.choice(_PATHS),
                skip=dice.randint(0, 12),
                times=dice.randint(1, 3),
            )
            for _ in range(dice.randint(0, 6))
        ],
        [
            Trouble(
                *dice.choice(_REQUESTS),
                status=dice.choice((HANG_UP, 500, 503)),
                when=dice.choice(list(When)),
                times=dice.randint(1, 4),
            )
            for _ in range(dice.randint(0, 4))
        ],
    )
