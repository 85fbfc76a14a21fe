"""What does reading a course list cost? ``python -m benchmarks.lists`` reads 100,000 lines, and twice and four times as many.

Processor time of this process alone. Lists are made in memory; to fetch them is not measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.report import RESULTS, Column, Report
from canvas_exports.core.export.planning.course_lists import MAX_DOCUMENT, parse_list

MOST_SECONDS = 1.0  # for 100,000 lines of CSV
MOST_GROWTH = 1.3  # seconds a line, of four times as many lines
_LINES = 100_000
_COLUMNS = (
    Column("form", "form"),
    Column("lines", "lines", ",d"),
    Column("cpu_seconds", "CPU s", ".2f"),
    Column("growth", "CPU a line, of the first", ".2f"),
    Column("verdict", ""),
)


def _csv(count: int) -> str:
    head = "canvas_course_id,course_id,short_name,long_name,status\n"
    return head + "".join(
        f'{number},BIO-{number},BIO {number},"Biology, part {number}",active\n'
        for number in range(1, count + 1)
    )


def _txt(count: int) -> str:
    return "".join(f"sis_course_id:BIO-{number}\n" for number in range(count))


def _json(count: int) -> str:
    return json.dumps([{"id": number} for number in range(1, count + 1)])


def _yaml(count: int) -> str:
    return "".join(f"- {number}\n" for number in range(1, count + 1))


FORMS: dict[str, Callable[[int], str]] = {"csv": _csv, "txt": _txt, "json": _json, "yaml": _yaml}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, write the results as JSON. 1 if a goal is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lists", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds; a row holds medians (default: 5)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    options = parser.parse_args(arguments)
    report = Report("lists", _COLUMNS)
    for form, written in FORMS.items():
        first = 0.0
        for count in (_LINES, 2 * _LINES, 4 * _LINES):
            text = written(count)
            if len(text) > MAX_DOCUMENT.get(form, len(text)):
                break
            seconds = median(_read(text, form, count) for _ in range(options.rounds))
            first = first or seconds / count
            good = seconds / count <= MOST_GROWTH * first and (
                form != "csv" or count > _LINES or seconds <= MOST_SECONDS
            )
            row = {"form": form, "lines": count, "cpu_seconds": seconds, "growth": seconds / count / first}
            report.add({**row, "verdict": "ok" if good else "MISSED"})
    report.write(options.results, goals={"csv_seconds": MOST_SECONDS, "growth": MOST_GROWTH})
    return int(any(row["verdict"] == "MISSED" for row in report.rows))


def _read(text: str, form: str, count: int) -> float:
    begun = time.process_time()
    found = sum(1 for _ in parse_list(text, form))
    spent = time.process_time() - begun
    if found != count:
        raise RuntimeError(f"{found:,} of {count:,} lines of {form} were read")
    return spent


if __name__ == "__main__":
    sys.exit(main())
