"""Read packages other than cartridges: QTI packages, and plain archives of files."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace

from canvas_sandbox.content.model import Kind, create_key
from canvas_sandbox.imports.open_package import BadPackageError, Package
from canvas_sandbox.imports.package_contents import ItemKey, PackageContents, PackageItem
from canvas_sandbox.imports.read_cartridge import (
    FILES,
    MANIFEST,
    below,
    child_text,
    parse_xml,
    read_resource,
    with_parents,
)
from canvas_sandbox.packages.manifest import Resource
from canvas_sandbox.packages.zip_layout import Member, directory_member

_CANVAS_DATA = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
_ASSESSMENT = "imsqti_xmlv1p2/imscc_xmlv1p1/assessment"


def read_qti(package: Package) -> PackageContents:
    """Read the contents of a QTI package, arranged as in a cartridge.

    Raises:
        BadPackageError: there is no manifest, or a required document is damaged.
    """
    if MANIFEST not in package.members:
        raise BadPackageError("The package has no imsmanifest.xml")
    manifest = parse_xml(package.text(MANIFEST), MANIFEST)
    found: dict[ItemKey, PackageItem] = {}
    members: dict[str, Member] = {}
    owners: dict[str, str] = {}
    resources: dict[str, Resource] = {}
    for row in (read_resource(element) for element in below(manifest, "resource")):
        if not row.type.startswith("imsqti") or row.files[0] not in package.members:
            continue
        key, meta = row.identifier, f"{row.identifier}/assessment_meta.xml"
        plain, full = f"{key}/assessment_qti.xml", f"non_cc_assessments/{key}.xml.qti"
        questions = package.members[row.files[0]]
        own = {name: replace(questions, name=name) for name in (plain, full)}
        own |= {meta: package.members[meta]} if meta in package.members else {}
        title = child_text(parse_xml(package.text(meta), meta), "title") if meta in own else ""
        if not title:
            text = parse_xml(package.text(row.files[0]), row.files[0])
            title = next((each.get("title", "") for each in below(text, "assessment")), key)
        found[Kind.QUIZ, key] = PackageItem(Kind.QUIZ, key, title)
        members |= {f"{key}/": directory_member(f"{key}/")} | own
        owners |= dict.fromkeys([f"{key}/", *own], key)
        other = row.depends_on[0] if row.depends_on else f"{key}_meta"
        resources[key] = Resource(key, _ASSESSMENT, (plain,), href=False, depends_on=(other,))
        resources[other] = Resource(other, _CANVAS_DATA, tuple(name for name in (meta, full) if name in own))
    return PackageContents(found, members, owners, resources, partial=True)


def read_files(package: Package, folder: str, known: Mapping[str, str]) -> PackageContents:
    """Read a plain archive as files of a folder.

    Args:
        package: the archive.
        folder: path of the folder below the root folder.
        known: migration ids of existing files by path; these files are replaced.
    """
    found: dict[ItemKey, PackageItem] = {}
    members: dict[str, Member] = {}
    owners: dict[str, str] = {}
    resources: dict[str, Resource] = {}
    for name, member in package.members.items():
        path = posixpath.normpath(posixpath.join(folder, name.lstrip("/")))
        if path.startswith("..") or path == ".":
            continue
        parent = path if member.name.endswith("/") else posixpath.dirname(path)
        for each in with_parents(parent):
            found[Kind.FOLDER, each] = PackageItem(
                Kind.FOLDER, each, posixpath.basename(each), parent=posixpath.dirname(each)
            )
        if member.name.endswith("/"):
            members[f"{FILES}{path}/"] = replace(member, name=f"{FILES}{path}/")
            continue
        key, inside = known.get(path) or create_key(path, "unzipped_"), FILES + path
        found[Kind.FILE, key] = PackageItem(
            Kind.FILE, key, posixpath.basename(path), parent=parent, size=member.size
        )
        members[inside] = replace(member, name=inside)
        owners[inside] = key
        resources[key] = Resource(key, "webcontent", (inside,))
    return PackageContents(found, members, owners, resources, partial=True)
