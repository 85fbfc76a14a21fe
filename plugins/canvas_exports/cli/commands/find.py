"""``canvas-archive find``: find courses by name, code, SIS id or number, also those that Canvas no longer has."""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from canvas_exports.cli.arguments import Parsers, add_archive_subcommand, open_archive
from canvas_exports.cli.output import print_json, print_table, print_text
from canvas_exports.core.archive.catalog.find_course import search_courses
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.catalog.totals import Totals, totals_of
from canvas_exports.core.archive.manifest import ContextFacts
from canvas_exports.core.text.wording import format_count, format_size
from canvas_exports.errors import InputError
from canvas_exports.foreign_text import harmless


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers,
        "find",
        run,
        help="find courses by name, course code, SIS id or number; exits with 1 if none is found",
    )
    parser.add_argument(
        "text",
        nargs="+",
        metavar="TEXT",
        help="words that the name, the code and the SIS id have together, or a number",
    )
    parser.add_argument("--term", metavar="NAME", help="only courses of this term")


@dataclass(frozen=True)
class _Found:
    """A course, by its newest copy."""

    name: str
    facts: ContextFacts
    totals: Totals


def run(options: argparse.Namespace) -> int:
    """Print a line for each course, those with the newest copies first; return 1 if there is none."""
    text = " ".join(options.text)
    if not text.strip():
        raise InputError(
            "TEXT", "is empty", accepted="a part of a name, a course code or an SIS id, or a number"
        )
    now = datetime.now(timezone.utc)
    with (
        open_archive(options) as store,
        closing(require_copies(store, read_with_index(store), allow_empty=options.allow_empty)) as holdings,
    ):
        found = [
            _Found(holding.name, holding.copies[-1].context, totals_of(holding.copies))
            for holding in search_courses((without_future_dates(each, now=now) for each in holdings), text)
            if _is_of_term(holding.copies[-1].context, options.term)
        ]
    found.sort(key=lambda each: (each.totals.newest or now, each.name), reverse=True)
    if options.json:
        print_json({"courses": [_document(each) for each in found]})
    elif found:
        _print(found)
    else:
        print_text(f"No course of this archive matches {harmless(text)!r}.")
    return 0 if found else 1


def _is_of_term(facts: ContextFacts, term: str | None) -> bool:
    return term is None or (facts.term or "").casefold() == term.casefold()


def _print(found: list[_Found]) -> None:
    print_table(
        ("COURSE", "CODE", "SIS ID", "NAME", "TERM", "COPIES", "SIZE", "NEWEST", "GOOD"),
        [
            (
                each.name,
                each.facts.course_code,
                each.facts.sis_id,
                each.facts.name,
                each.facts.term,
                f"{each.totals.copies:,}",
                format_size(float(each.totals.bytes)),
                each.totals.newest and f"{each.totals.newest:%Y-%m-%d}",
                "no" if each.totals.none else "yes",
            )
            for each in found
        ],
        numbers=("COPIES", "SIZE"),
    )
    print_text(f"\n{format_count(len(found), 'course')}.")


def _document(each: _Found) -> dict[str, Any]:
    facts = each.facts
    return {
        "context": each.name,
        "name": facts.name,
        "course_code": facts.course_code,
        "sis_id": facts.sis_id,
        "term": facts.term,
        **each.totals.to_json(),
    }
