"""How quiet are the alarms, and do they miss anything? ``python -m benchmarks.alarms`` simulates years, and plants disasters.

First a year of 1,000 courses in which nothing bad happens (``simulated_year.py``): every alarm is false. Then 100 disasters,
each alone on a night of that year and in a course of its own: those that are found on the night they happen.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.report import RESULTS, Column, Report
from benchmarks.simulated_year import Course, Night, Year
from canvas_exports.core.archive.alarms.judge_course import judge_course
from canvas_exports.core.archive.alarms.judge_run import (
    judge_totals,
    list_shrank,
    many_courses,
)
from canvas_exports.core.archive.catalog.runs import RunSummary
from canvas_exports.core.model.alarm import Alarm, AlarmCode

COURSES = 1000
DISASTERS = 100
#: Of a year: false alarms, one a week.
MOST_FALSE = 52
_SEEDS = (1, 2, 3)
_WARM = 60  # nights before the first disaster
_COLUMNS = (
    Column("case", "case"),
    Column("false", "false alarms a year", ",d"),
    Column("worst_week", "in the worst week", ",d"),
    Column("planted", "planted", ",d"),
    Column("found", "found that night", ",d"),
    Column("verdict", ""),
    Column("kinds", "false alarms by kind"),
)

Wreck = Callable[[Course, random.Random], bool]


def main(arguments: list[str] | None = None) -> int:
    """Run the years, print the table, write the results as JSON. 1 if an alarm was missed, or there were too many."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alarms", description=(__doc__ or "").strip())
    parser.add_argument("--seeds", type=int, nargs="+", default=list(_SEEDS), help="of the years")
    parser.add_argument("--courses", type=int, default=COURSES)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    report = Report("alarms", _COLUMNS)
    for seed in options.seeds:
        measured = run(seed, options.courses)
        report.add({"case": f"year {seed}, {options.courses:,} courses", **measured})
    report.write(options.results, goal_false=MOST_FALSE, disasters=DISASTERS)
    return int(any(row["verdict"] != "ok" for row in report.rows))


def run(seed: int, courses: int) -> dict[str, object]:
    """Simulate a year, and plant the disasters into it."""
    year = Year(seed, courses)
    chance = random.Random(seed + 1_000)  # noqa: S311 - no secret
    planted = sorted((chance.randrange(_WARM, 365), kind) for kind in range(DISASTERS))
    false: list[tuple[int, str]] = []
    past: list[RunSummary] = []
    missed: list[str] = []
    tried = 0
    names = list(_OF_COURSES) + list(_OF_RUNS)
    for number, night in enumerate(year.nights()):
        false += [(number // 7, alarm.code) for alarm in _alarms(night, past, courses)]
        while planted and planted[0][0] == number:
            name = names[planted.pop(0)[1] % len(names)]
            tried += 1
            if not _is_found(name, year, night, past, chance):
                missed.append(f"{name} in night {number}")
        past.append(night.totals)
    weeks = Counter(week for week, _ in false)
    kinds = Counter(code for _, code in false)
    is_ok = len(false) <= MOST_FALSE and not missed and tried == DISASTERS
    return {
        "false": len(false),
        "worst_week": max(weeks.values(), default=0),
        "planted": tried,
        "found": tried - len(missed),
        "kinds": "   " + ", ".join(f"{count} {code}" for code, count in kinds.most_common()),
        "missed": missed,
        "verdict": "ok" if is_ok else "MISSED " + "; ".join(missed) if missed else "LOUD",
    }


def _alarms(night: Night, past: Sequence[RunSummary], courses: int) -> list[Alarm]:
    """Return what the report of a night would say."""
    found = [alarm for course in night.changed for alarm in _new_alarms(course)]
    together = many_courses(found, courses)
    return [*([together] if together else found), *_of_run(night.totals, past)]


def _new_alarms(course: Course) -> list[Alarm]:
    newest = course.copies[-1]
    return [found.alarm for found in judge_course(course.copies) if found.after is newest]


def _of_run(totals: RunSummary, past: Sequence[RunSummary]) -> list[Alarm]:
    found = judge_totals(totals, past)
    if list_shrank(totals, past):
        found.append(Alarm(AlarmCode.LIST_SHRANK.value, "run", "", ""))
    return found


@dataclass(frozen=True)
class Disaster:
    """What happens to a course, what it needs for that, and the alarms that tell it."""

    wreck: Callable[[Course, random.Random], None]
    needs: Callable[[Course], bool]
    codes: frozenset[AlarmCode]


_LOST = frozenset({AlarmCode.COURSE_EMPTIED, AlarmCode.COURSE_SHRANK})


def _empty(course: Course, _: random.Random) -> None:
    course.counts.clear()
    course.files.clear()


def _halve(kind: str) -> Callable[[Course, random.Random], None]:
    def wreck(course: Course, _: random.Random) -> None:
        course.counts[kind] //= 2

    return wreck


def _halve_all(course: Course, chance: random.Random) -> None:
    for kind in course.counts:
        course.counts[kind] //= 2
    chance.shuffle(course.files)
    del course.files[len(course.files) // 2 :]


def _remove(kind: str) -> Callable[[Course, random.Random], None]:
    def wreck(course: Course, _: random.Random) -> None:
        course.counts[kind] = 0

    return wreck


def _remove_files(course: Course, _: random.Random) -> None:
    course.files.clear()


def _halve_files(course: Course, chance: random.Random) -> None:
    chance.shuffle(course.files)
    del course.files[len(course.files) // 2 :]


def _cut_files(course: Course, _: random.Random) -> None:
    course.files = [min(size, 512) for size in course.files]


def _empty_files(course: Course, _: random.Random) -> None:
    course.files = [0] * len(course.files)
    course.empty_files = len(course.files)


def _add_executables(course: Course, chance: random.Random) -> None:
    added = chance.randint(1, 8)
    course.executables += added
    course.files += [300_000] * added


def _encrypt(course: Course, chance: random.Random) -> None:
    course.encrypted = chance.randint(1, 1 + len(course.files))


def _has_items(least: int) -> Callable[[Course], bool]:
    return lambda course: sum(course.counts.values()) >= least


def _has_files(least: int, size: int = 0) -> Callable[[Course], bool]:
    return lambda course: len(course.files) >= least and sum(course.files) >= size


def _has(kind: str, least: int) -> Callable[[Course], bool]:
    return lambda course: course.counts[kind] >= least


_OF_COURSES: dict[str, Disaster] = {
    "emptied course": Disaster(_empty, _has_items(3), frozenset({AlarmCode.COURSE_EMPTIED})),
    "half of the pages": Disaster(_halve("pages"), _has("pages", 10), _LOST),
    "half of the assignments": Disaster(_halve("assignments"), _has("assignments", 10), _LOST),
    "half of everything": Disaster(_halve_all, _has("pages", 8), _LOST),
    "all quizzes": Disaster(_remove("quizzes"), _has("quizzes", 3), _LOST),
    "all pages": Disaster(_remove("pages"), _has("pages", 3), _LOST),
    "all question banks": Disaster(_remove("question_banks"), _has("question_banks", 3), _LOST),
    "all discussions": Disaster(_remove("discussions"), _has("discussions", 3), _LOST),
    "all files": Disaster(_remove_files, _has_files(3), _LOST),
    "half of the files": Disaster(_halve_files, _has_files(10), _LOST),
    "files cut": Disaster(_cut_files, _has_files(3, 2_000_000), _LOST),
    "files emptied": Disaster(_empty_files, _has_files(3), frozenset({AlarmCode.FILES_EMPTIED})),
    "executables added": Disaster(
        _add_executables, lambda course: not course.executables, frozenset({AlarmCode.EXECUTABLES_ADDED})
    ),
    "members encrypted": Disaster(_encrypt, lambda _: True, frozenset({AlarmCode.ENCRYPTED_MEMBERS})),
}


def _halved_list(run: RunSummary) -> RunSummary:
    return replace(run, contexts=run.contexts // 2)


def _all_changed(run: RunSummary) -> RunSummary:
    ended = sum(run.outcomes.values())
    return replace(run, outcomes={"stored": ended * 9 // 10, "unchanged": ended - ended * 9 // 10})


def _grown(run: RunSummary) -> RunSummary:
    return replace(run, bytes=run.bytes * 10 + 200_000_000_000)


_OF_RUNS: dict[str, tuple[Callable[[RunSummary], RunSummary], AlarmCode]] = {
    "list halved": (_halved_list, AlarmCode.LIST_SHRANK),
    "nine in ten changed": (_all_changed, AlarmCode.MANY_CHANGED),
    "store grows": (_grown, AlarmCode.STORE_GROWTH),
}


def _is_found(name: str, year: Year, night: Night, past: Sequence[RunSummary], chance: random.Random) -> bool:
    if name in _OF_RUNS:
        wreck, code = _OF_RUNS[name]
        return code.value in {alarm.code for alarm in _of_run(wreck(night.totals), past)}
    disaster = _OF_COURSES[name]
    candidates = [
        course
        for course in year.courses
        if course.copies and course.copies[-1].created_at < night.at and disaster.needs(course)
    ]
    course = chance.choice(candidates).clone()
    disaster.wreck(course, chance)
    course.edition += 1
    course.copies.append(course.copied(night.at))
    return bool({code.value for code in disaster.codes} & {alarm.code for alarm in _new_alarms(course)})


if __name__ == "__main__":
    raise SystemExit(main())
