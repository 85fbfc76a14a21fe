"""What a package brings: things by their migration ids, and the documents that carry them, kept as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from canvas_sandbox.content.model import Kind
from canvas_sandbox.packages.manifest import Resource
from canvas_sandbox.packages.zip_layout import Member

ItemKey = tuple[Kind, str]
"""Kind and migration id; a folder goes by its path."""


@dataclass(frozen=True)
class PackageItem:
    """One thing of a package, which names others by key.

    ``parent`` is a file's folder (by path), a module item's module or an assignment's group; ``target`` is what a module
    item points at; ``links`` are paths of files its text refers to; ``body`` is HTML, as the package has it.
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
    """A package as it was understood.

    Attributes:
        found: Its things, folders before what lies in them.
        members: Its documents and files by name, without the manifest.
        owners: Which thing a member belongs to, by its key; the rest belongs to the course.
        resources: What the manifest names, by identifier, as far as it is there.
        missing: Files that the manifest names and the package lacks.
        manifest: Its manifest, where an export may take that over: nothing of what it names is missing.
        partial: Whether it comes without the documents that describe a course as a whole.
    """

    found: Mapping[ItemKey, PackageItem] = field(default_factory=dict)
    members: Mapping[str, Member] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    manifest: str = ""
    partial: bool = False
