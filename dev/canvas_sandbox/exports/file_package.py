"""The file package, ``.zip``: files and folders of a course, group or user."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace

from canvas_sandbox.content.model import Content, Item, Kind
from canvas_sandbox.exports.package_spec import PackageSpec
from canvas_sandbox.faults import Fault
from canvas_sandbox.packages.zip_layout import Member, directory_member


def common_folder(content: Content) -> Item:
    """Return the deepest folder that holds everything selected; empty folders count as selected."""
    homes = [_ancestors(content, item) for item in content.of(Kind.FILE)]
    homes += [_ancestors(content, folder) for folder in _empty_folders(content)]
    shared = [content.root]
    for level in zip(*homes, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return content.items[shared[-1]]


def file_members(spec: PackageSpec) -> Iterator[Member]:
    """Return files at paths relative to the common folder, and an entry for each empty folder.

    With ``INCOMPLETE`` the last file is missing: Canvas skips what it cannot read, without an error.
    """
    content = spec.content
    base = common_folder(content)
    start = "" if base.id == content.root else content.path(base)
    files = list(content.of(Kind.FILE))
    if Fault.INCOMPLETE in spec.faults:
        files = files[:-1]
    for folder in _empty_folders(content):
        if folder.id != base.id:
            yield directory_member(f"{posixpath.relpath('/' + content.path(folder), '/' + start)}/")
    for file in files:
        name = posixpath.relpath("/" + content.path(file), "/" + start)
        imported = spec.verbatim.of(file) if spec.verbatim is not None and spec.verbatim.has(file) else {}
        if imported:
            yield replace(next(iter(imported.values())), name=name)
        else:
            yield spec.file_member(name, file)


def archive_name(content: Content) -> str:
    """Return the file name of the package, which is that of the common folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", common_folder(content).title) + "_export.zip"


def _empty_folders(content: Content) -> list[Item]:
    parents = {item.parent for item in content.items.values()}
    return [
        folder for folder in content.of(Kind.FOLDER) if folder.id not in parents and folder.id != content.root
    ]


def _ancestors(content: Content, item: Item) -> list[int]:
    """Return the folders from below the root down to the one that holds the item."""
    chain: list[int] = []
    parent = item.parent
    while parent is not None and parent != content.root:
        chain.append(parent)
        parent = content.items[parent].parent
    return chain[::-1]
