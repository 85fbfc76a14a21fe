"""The contents of a package: items by migration id, and the unchanged documents that describe them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from canvas_sandbox.content.model import Kind
from canvas_sandbox.packages.manifest import Resource
from canvas_sandbox.packages.zip_layout import Member

ItemKey = tuple[Kind, str]
"""Kind and migration id; the path for a folder."""


@dataclass(frozen=True)
class PackageItem:
    """One item of a package, which refers to others by key.

    ``parent`` is a file's folder (by path), a module item's module or an assignment's group; ``target`` is what a module
    item points at; ``links`` are paths of files its text refers to; ``body`` is HTML, as in the package.
    """

    kind: Kind
    key: str
    title: str
    body: str = ""
    links: tuple[str, ...] = ()
    parent: str = ""
    target: str = ""
    size: int = 0
    locked: bool = False


@dataclass(frozen=True)
class PackageContents:
    """The contents of a package.

    Attributes:
        found: Its items, folders before what is in them.
        members: Its documents and files by name, without the manifest.
        owners: Item key of each member; members without one belong to the course.
        resources: Resources of the manifest by identifier, with the files that are present.
        missing: Files that the manifest names and the package lacks.
        manifest: The manifest, if an export may use it again: nothing that it names is missing.
        partial: Whether the documents that describe the course as a whole are missing.
    """

    found: Mapping[ItemKey, PackageItem] = field(default_factory=dict)
    members: Mapping[str, Member] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    manifest: str = ""
    partial: bool = False
