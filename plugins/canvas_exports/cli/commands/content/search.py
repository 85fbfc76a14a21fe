"""``canvas-archive search``: find a text, links to a host, or uses of an external tool in the content of courses."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from canvas_exports.cli.arguments import Parsers, add_archive_subcommand, open_archive
from canvas_exports.cli.output import print_json, print_text
from canvas_exports.cli.progress import PROGRESS
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.search.documents import KINDS
from canvas_exports.core.archive.search.results import FoundCourse, FoundItem, SearchQuery, SearchResults
from canvas_exports.core.archive.search.search import MOST_COURSES, MOST_ITEMS, search_archive
from canvas_exports.core.archive.search.snippets import MarkedText
from canvas_exports.core.text.wording import format_count, format_day, format_moment, format_time
from canvas_exports.errors import InputError
from canvas_exports.foreign_text import harmless

_LONGEST = 700  # characters of a snippet


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers,
        "search",
        run,
        help="find a text, or links to a host, in pages, assignments, quizzes, files; exits with 1 if nothing is found",
    )
    parser.add_argument(
        "text",
        nargs="*",
        metavar="TEXT",
        help="words that must all occur; '\"nitrogen cycle\"' is a phrase, nitro* the beginning of a word",
    )
    parser.add_argument(
        "--host", default="", metavar="NAME", help="only what links to this host, or to a host of this domain"
    )
    parser.add_argument(
        "--tool",
        default="",
        metavar="NAME",
        help="only what uses an external tool: its host or domain, or words of its name",
    )
    parser.add_argument(
        "--kind", action="append", default=[], choices=KINDS, help="only this kind; may be repeated"
    )
    parser.add_argument(
        "--course", default="", metavar="NAME", help="only this course: its number, SIS id, code or name"
    )
    parser.add_argument("--term", default="", metavar="NAME", help="only courses of this term")
    parser.add_argument(
        "--all-copies", action="store_true", help="search every copy, not only the newest of each course"
    )
    parser.add_argument(
        "--limit",
        type=_number(MOST_COURSES),
        default=20,
        metavar="N",
        help="no more than so many courses (20)",
    )
    parser.add_argument(
        "--items",
        type=_number(MOST_ITEMS),
        default=5,
        metavar="N",
        help="no more than so many items of each course (5)",
    )
    parser.add_argument(
        "--cache",
        metavar="FOLDER",
        help="folder of the search database (default: canvas-archive in the cache folder)",
    )


def run(options: argparse.Namespace) -> int:
    """Print what was found by course, the best match first; return 1 if nothing was found."""
    query = SearchQuery(
        text=" ".join(options.text),
        host=options.host,
        tool=options.tool,
        kinds=tuple(options.kind),
        course=options.course,
        term=options.term,
        all_copies=options.all_copies,
    )
    with open_archive(options) as store:
        results = search_archive(
            store,
            query,
            folder=_cache_folder(options.cache),
            most_courses=options.limit,
            most_items=options.items,
            report=_show_progress,
        )
        if not results.packages and not options.allow_empty:
            require_archive(store)
            raise InputError(
                "--archive",
                "the archive has no search index",
                accepted="an archive after `canvas-archive search-index`, or of a backup with search_index: true",
            )
    if options.json:
        print_json(_document(results))
    else:
        _print(results)
    return 0 if results.courses else 1


def _cache_folder(named: str | None) -> Path:
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "canvas-archive" / "search"


def _show_progress(done: int, segments: int) -> None:
    if not done:
        PROGRESS.begin("Reading the search index")
    PROGRESS.describe(f"{done:,} of {format_count(segments, 'segment')}")


def _print(results: SearchResults) -> None:
    for course in results.courses:
        _print_course(course)
    found = format_count(len(results.courses), "course") if results.courses else "Nothing found"
    more = (
        ", and there are more: --limit, or a narrower search"
        if results.has_more or not results.is_complete
        else ""
    )
    newest = (
        "" if results.newest is None else f"; the newest indexed copy is of {format_moment(results.newest)}"
    )
    searched = format_count(results.indexed_courses, "course")
    print_text(f"{found}{more}. Searched {searched} with {results.packages:,} packages{newest}.")


def _print_course(course: FoundCourse) -> None:
    names = ", ".join(
        harmless(each, most=80) for each in (course.course_code, course.sis_id, course.term) if each
    )
    name = harmless(course.name or "", most=120)
    print_text(f"course:{course.canvas_id}  {name}" + (f" ({names})" if names else ""))
    for item in course.items:
        _print_item(item)
    if course.more:
        print_text(f"  {course.more:,} more: --items, or --course {course.canvas_id}")
    print_text("")


def _print_item(item: FoundItem) -> None:
    newest = item.copies[0]
    older = f" and {len(item.copies) - 1} older" if len(item.copies) > 1 else ""
    title = _marked(item.snippet.title) or "(no title)"
    kind = item.kind.replace("_", " ")
    print_text(f"  {kind}: {title} - copy of {format_day(newest.created_at)}{older}")
    if item.snippet.text.text:
        print_text(f"    {_marked(item.snippet.text)}")


def _marked(marked: MarkedText) -> str:
    """Return a text with what was found in brackets."""
    pieces, at = [], 0
    for begin, end in marked.spans:
        pieces += [marked.text[at:begin], "[", marked.text[begin:end], "]"]
        at = end
    return harmless("".join([*pieces, marked.text[at:]]), most=_LONGEST)


def _document(results: SearchResults) -> dict[str, Any]:
    return {
        "courses": [
            {
                "context": f"course:{course.canvas_id}",
                "name": course.name,
                "course_code": course.course_code,
                "sis_id": course.sis_id,
                "term": course.term,
                "items": [_item_document(item) for item in course.items],
                "more_items": course.more,
            }
            for course in results.courses
        ],
        "more_courses": results.has_more,
        "complete": results.is_complete,
        "index": {
            "courses": results.indexed_courses,
            "copies": results.packages,
            "newest": results.newest and format_time(results.newest),
        },
    }


def _item_document(item: FoundItem) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "identifier": item.identifier,
        "title": item.snippet.title.text,
        "text": item.snippet.text.text,
        "found_in_title": item.snippet.title.spans,
        "found_in_text": item.snippet.text.spans,
        "copies": [
            {
                "created_at": format_time(copy.created_at),
                "type": copy.export_type,
                "package": copy.package,
                "manifest": copy.manifest,
            }
            for copy in item.copies
        ],
    }


def _number(most: int) -> Any:
    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = 0
        if not 1 <= number <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {most:,}")
        return number

    return read
