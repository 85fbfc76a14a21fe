"""Recognise what each resource of a cartridge or QTI package is. The proof counts by it; an open package lists by it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from canvas_exports.core.packages.cartridge.manifest import CartridgeManifest, Resource
from canvas_exports.core.packages.cartridge.references import resolve_path

PAGES_FOLDER = "wiki_content/"
FILES_FOLDER = "web_resources/"
BANKS_FOLDER = "non_cc_assessments/"
SYLLABUS = "course_settings/syllabus.html"

# Documents of Canvas that describe one link to a tool of LTI 1.3, not the tool. In the cartridges of other systems, that are of
# version 1.3, the same type is that of any tool.
_TOOL_LINKS = "lti_resource_links/"
_WEB_PAGES = (".html", ".htm", ".xhtml")
_ELSEWHERE = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//")
_ASSIGNMENTS = ("assignment_settings.xml", "assignment.xml")


def kind_of(resource: Resource) -> str | None:  # noqa: PLR0911 - one for each kind
    """Return the name of the count that a resource belongs to, such as ``pages``; ``None`` if it is a part of another thing.

    An assignment may be two resources; ``assignments`` finds them.
    """
    path = own_file(resource)
    kind = resource.type
    if resource.preferred:
        return None  # a web page for systems that know no assignments
    if kind.startswith("imsqti_"):
        return "question_banks" if kind.endswith("/question-bank") else "quizzes"
    if path.startswith(BANKS_FOLDER):
        return "question_banks"
    if kind.startswith("imsdt_"):
        return "discussions"
    if kind.startswith("imswl_"):
        return "web_links"
    if kind.startswith("imsbasiclti_"):
        return None if path.startswith(_TOOL_LINKS) else "tools"
    if resource.intended_use == "syllabus":
        return "syllabus"
    return _web_content(resource, path) if kind == "webcontent" and path else None


def _web_content(resource: Resource, path: str) -> str:
    if is_elsewhere(resource.href):
        return "web_links"
    if path.startswith(PAGES_FOLDER):
        return "pages"
    # Web pages among the files of a Canvas course are files; other systems have no other place for their pages.
    plain = path.partition("?")[0].partition("#")[0].lower()
    is_page = plain.endswith(_WEB_PAGES) and not path.startswith(FILES_FOLDER)
    return "pages" if is_page else "files"


def is_elsewhere(href: str) -> bool:
    """Return whether a reference is the address of something on the web, not of a file in the package."""
    return _ELSEWHERE.match(href) is not None


def own_file(resource: Resource) -> str:
    """Return the path of the file that a resource is, ``""`` if it has none."""
    return resolve_path(resource.href or (resource.files[0] if resource.files else ""))


def assignments(resources: Iterable[Resource]) -> dict[str, list[Resource]]:
    """Return the resources of each assignment: in Canvas's own form, in that of Common Cartridge 1.3, or in both.

    Keys are the folders of the assignments, or the path of a document that is none of Canvas's.
    """
    found: dict[str, list[Resource]] = {}
    for resource in resources:
        paths = [resolve_path(name) for name in resource.files]
        folders = [posixpath.dirname(path) for path in paths if posixpath.basename(path) in _ASSIGNMENTS]
        if not folders and resource.type.startswith("assignment_"):
            folders = [own_file(resource) or resource.identifier]
        for folder in dict.fromkeys(folders):
            found.setdefault(folder, []).append(resource)
    return found


def further_files(manifest: CartridgeManifest) -> Iterator[str]:
    """Yield the files that belong to a web page of another system, such as its pictures, and are no resource themselves."""
    own = {own_file(resource) for resource in manifest.resources}
    for resource in manifest.resources:
        if kind_of(resource) in ("pages", "files") and not own_file(resource).startswith(PAGES_FOLDER):
            for path in map(resolve_path, resource.files):
                if path and path not in own:
                    own.add(path)
                    yield path
