"""``canvas-archive publish``: write the newest proven copies as a site of plain HTML, for the day when Canvas is down."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import closing
from itertools import chain, islice
from pathlib import Path

from canvas_exports.cli.arguments import Parsers, add_archive_subcommand, open_archive
from canvas_exports.cli.output import print_json, print_note, print_text
from canvas_exports.cli.progress import PROGRESS
from canvas_exports.core.archive.browsing.course_folder import FolderOptions
from canvas_exports.core.archive.browsing.site.publish_site import PublishResult, Selection, publish_site
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_count, format_size

_FIELD = "--output"


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers,
        "publish",
        run,
        help="write the newest proven copies of all courses as a site of HTML that needs no Canvas and no server",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        required=True,
        help="folder to write, or a URI such as s3://bucket/path; one that this command wrote is brought up to date",
    )
    parser.add_argument("--backup", metavar="NAME", help="only copies of this backup")
    parser.add_argument(
        "--account", type=int, metavar="ID", help="only courses of this account, by its number in Canvas"
    )
    parser.add_argument("--term", metavar="NAME", help="only courses of this term")
    parser.add_argument(
        "--delete", action="store_true", help="delete courses that are not among them any more"
    )
    parser.add_argument(
        "--key", action="store_true", help="show the correct answers of quizzes, and their access codes"
    )
    parser.add_argument("--no-files", action="store_true", help="leave the files of the courses out")


def run(options: argparse.Namespace) -> int:
    """Bring the site up to date; return 1 if a course or a file could not be written."""
    named = options.output
    with (
        open_archive(options) as store,
        closing(require_copies(store, read_with_index(store), allow_empty=options.allow_empty)) as holdings,
    ):
        first = list(
            islice(holdings, 1)
        )  # an address without an archive is refused before the folder is made
        with open_store(named if "://" in named else Path(named).absolute().as_uri(), field=_FIELD) as site:
            result = _publish(store, site, chain(first, holdings), options)
            uri = site.uri
    _print(uri, result, options)
    return 1 if result.problems else 0


def _publish(
    store: Store, site: Store, holdings: Iterable[Holding], options: argparse.Namespace
) -> PublishResult:
    return publish_site(
        store,
        site,
        holdings,
        Selection(backup=options.backup, term=options.term, account_id=options.account),
        options=FolderOptions(show_key=options.key, with_files=not options.no_files),
        delete=options.delete,
        field=_FIELD,
        tell=lambda so_far: PROGRESS.describe(format_count(so_far.written, "course")),
    )


def _print(uri: str, result: PublishResult, options: argparse.Namespace) -> None:
    if options.json:
        print_json({"output": uri, **vars(result)})
        return
    for problem in result.problems:
        print_note(problem)
    others = ", ".join(
        text
        for number, text in (
            (result.unchanged, f"{result.unchanged:,} unchanged"),
            (result.kept, f"{result.kept:,} not among them any more and kept"),
            (result.deleted, f"{result.deleted:,} deleted"),
        )
        if number
    )
    wrote = f"{format_count(result.written, 'course')} written"
    print_text(f"{uri}: {wrote} ({format_size(float(result.size))}){', ' + others if others else ''}.")
