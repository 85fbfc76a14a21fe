"""``canvas-archive get``: copy a package, or one file out of it, to this machine, and verify it on the way."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from canvas_exports.cli.arguments import (
    Parsers,
    add_archive_subcommand,
    add_copy,
    add_course,
    open_archive,
    read_course,
)
from canvas_exports.cli.local_file import target_file, write_file
from canvas_exports.cli.output import print_json, print_table, print_text
from canvas_exports.cli.progress import PROGRESS
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.archive.package_files import file_content, find_file, package_files
from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.core.restore.choose_copy import choose_from
from canvas_exports.core.restore.form_labels import option_labels
from canvas_exports.core.restore.request import CopyChoice
from canvas_exports.core.restore.verified_package import verified_blocks
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_size, format_time
from canvas_exports.errors import InputError
from canvas_exports.foreign_text import harmless


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_archive_subcommand(
        parsers,
        "get",
        run,
        help="copy the package of a course, or one file out of it, to this machine, verified",
    )
    add_course(parser)
    add_copy(parser)
    parser.add_argument("--files", action="store_true", help="list the files in the package; write nothing")
    parser.add_argument(
        "--file", metavar="NAME", help="only this file of the package, by the name --files lists"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="file to write, or folder to write to (default: the current folder)",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def run(options: argparse.Namespace) -> int:
    """Write the file, or list the files in the package."""
    if options.files and (options.file or options.output):
        raise InputError("--files", "writes nothing", accepted="no --file and no --output with it")
    with open_archive(options) as store, option_labels():
        copy = _choose(store, options)
        if options.files:
            _print_files(copy, package_files(store, copy), options)
        elif options.file:
            _get_file(store, copy, options)
        else:
            _get_package(store, copy, options)
    return 0


def _choose(store: Store, options: argparse.Namespace) -> Copy:
    wanted = CopyChoice.parse(options.copy)
    holding = read_course(store, options)
    if not holding.copies and not options.allow_empty:
        require_archive(store)
    return choose_from(holding, wanted, export_type=options.type, allow_incomplete=options.allow_incomplete)


def _get_package(store: Store, copy: Copy, options: argparse.Namespace) -> None:
    target = target_file(options.output, copy.package.key, force=options.force)
    PROGRESS.begin("Reading the package", total=copy.package.size)
    size = write_file(target, verified_blocks(store, copy), force=options.force)
    _print_written(
        copy, target, size, options, sha256=copy.package.sha256, digests=dict(copy.package.digests)
    )


def _get_file(store: Store, copy: Copy, options: argparse.Namespace) -> None:
    target = target_file(options.output, options.file, force=options.force)
    member = find_file(package_files(store, copy), options.file, field="--file")
    PROGRESS.begin("Reading the file", total=member.compressed)
    size = write_file(target, file_content(store, copy, member), force=options.force)
    _print_written(copy, target, size, options, file=member.name)


def _print_written(copy: Copy, target: Path, size: int, options: argparse.Namespace, **more: Any) -> None:
    if options.json:
        document = {**_document(copy), "output": str(target.absolute()), "size": size, **more}
        print_json(document)
    else:
        shown = harmless(str(target), most=2000)
        made = format_time(copy.created_at)
        print_text(f"{shown}: {format_size(float(size))}, verified; from the copy of {copy.name} of {made}.")


def _print_files(copy: Copy, members: list[Member], options: argparse.Namespace) -> None:
    if options.json:
        files = [{"name": member.name, "size": member.size} for member in members]
        print_json({**_document(copy), "files": files})
    else:
        print_table(
            ("SIZE", "FILE"),
            [(format_size(float(member.size)), member.name) for member in members],
            numbers=("SIZE",),
        )


def _document(copy: Copy) -> dict[str, Any]:
    return {
        "context": copy.name,
        "created_at": format_time(copy.created_at),
        "package": copy.package.key,
        "manifest": copy.key,
    }
