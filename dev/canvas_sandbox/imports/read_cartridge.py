"""Read a Common Cartridge, from Canvas or from another LMS."""

from __future__ import annotations

import html
import itertools
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from canvas_sandbox.content.model import Kind
from canvas_sandbox.imports.open_package import BadPackageError, Package
from canvas_sandbox.imports.package_contents import ItemKey, PackageContents, PackageItem
from canvas_sandbox.packages.manifest import Resource, keyed
from canvas_sandbox.packages.new_quiz_documents import MEDIA

MANIFEST = "imsmanifest.xml"
FILES = "web_resources/"
_PAGES, _SETTINGS = "wiki_content/", "course_settings/"
_ORIGIN_DOCUMENTS = frozenset({MANIFEST, "course_settings/context.xml"})
"""Documents about the origin of a package, which every export writes itself."""
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_BODY = re.compile(r"<body>(.*?)</body>", re.DOTALL)
_LINK = re.compile(r'(?:href|src)="(?:\$IMS-CC-FILEBASE\$|%24IMS-CC-FILEBASE%24)/([^"?]*)')
_LISTS = (
    (Kind.ASSIGNMENT_GROUP, "assignment_groups.xml", "assignmentGroup"),
    (Kind.RUBRIC, "rubrics.xml", "rubric"),
    (Kind.EVENT, "events.xml", "event"),
)


def read_cartridge(package: Package) -> PackageContents:
    """Read the contents of a cartridge.

    Raises:
        BadPackageError: there is no manifest, or a required document is damaged.
    """
    if MANIFEST not in package.members:
        raise BadPackageError("The package has no imsmanifest.xml")
    return _Cartridge(package).contents()


class _Cartridge:
    """Reads one cartridge."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._manifest = parse_xml(package.text(MANIFEST), MANIFEST)
        named = [_resolved(read_resource(row), package) for row in below(self._manifest, "resource")]
        self._missing = [name for resource in named for name in resource.files if name not in package.members]
        self._resources = keyed(_present(named, package))
        self._assignments = {row.identifier for row in self._resources.values() if _is_assignment(row)}
        self._found: dict[ItemKey, PackageItem] = {}
        self._locked = self._locked_files()

    def contents(self) -> PackageContents:
        """Read everything."""
        self._folders()
        for resource in self._resources.values():
            self._item(resource)
        for kind, name, element in _LISTS:
            for row in below(self._settings(name), element):
                self._add(PackageItem(kind, row.get("identifier", ""), child_text(row, "title")))
        self._modules()
        missing = tuple(name for name in self._missing if not name.startswith(_SETTINGS))
        return PackageContents(
            found=self._found,
            members=self._package.within(lambda name: name not in _ORIGIN_DOCUMENTS),
            owners=self._owners(),
            resources=self._resources,
            missing=missing,
            manifest="" if missing else self._package.text(MANIFEST),
        )

    def _add(self, found: PackageItem) -> None:
        self._found[found.kind, found.key] = found

    def _folders(self) -> None:
        for name in self._package.members:
            if name.startswith(FILES):
                self._folder(posixpath.dirname(_inside(name)))

    def _folder(self, path: str) -> None:
        for folder in with_parents(path):
            parent = posixpath.dirname(folder)
            self._add(PackageItem(Kind.FOLDER, folder, posixpath.basename(folder), parent=parent))

    def _item(self, resource: Resource) -> None:
        """Add the item of a resource; a resource without one is only stored."""
        key, names = resource.identifier, resource.files
        first = names[0]
        if resource.type.startswith("imsdt_"):
            self._topic(resource)
        elif resource.type.endswith("/assessment"):
            if key not in self._assignments:  # a New Quiz is an assignment that has its questions beside it
                self._quiz(resource)
        elif key in self._assignments:
            settings = parse_xml(
                self._package.text(next(name for name in names if name.endswith("/assignment_settings.xml"))),
                first,
            )
            page = next((name for name in names if name.endswith(".html")), "")
            text = self._package.text(page)
            title = child_text(settings, "title") or _title(text)
            group = child_text(settings, "assignment_group_identifierref")
            self._add(PackageItem(Kind.ASSIGNMENT, key, title, _body(text), _links(text), parent=group))
        elif resource.type == "webcontent" and first.startswith(_PAGES) and first.endswith(".html"):
            text = self._package.text(first)
            self._add(PackageItem(Kind.PAGE, key, _title(text), _body(text), _links(text)))
        elif resource.type == "webcontent" and not first.startswith((_PAGES, _SETTINGS, MEDIA)):
            path = _inside(first)
            self._folder(posixpath.dirname(path))
            self._add(
                PackageItem(
                    Kind.FILE,
                    key,
                    posixpath.basename(path),
                    parent=posixpath.dirname(path),
                    size=self._package.members[first].size,
                    locked=key in self._locked,
                )
            )

    def _topic(self, resource: Resource) -> None:
        topic = parse_xml(self._package.text(resource.files[0]), resource.files[0])
        meta = self._meta(resource)
        kind = Kind.ANNOUNCEMENT if child_text(meta, "type") == "announcement" else Kind.DISCUSSION
        text = child_text(topic, "text")
        self._add(PackageItem(kind, resource.identifier, child_text(topic, "title"), text, _links(text)))

    def _quiz(self, resource: Resource) -> None:
        meta = self._meta(resource)
        title = child_text(meta, "title")
        if not title:
            questions = parse_xml(self._package.text(resource.files[0]), resource.files[0])
            title = next((row.get("title", "") for row in below(questions, "assessment")), "")
        text = child_text(meta, "description")
        self._add(PackageItem(Kind.QUIZ, resource.identifier, title, text, _links(text)))

    def _meta(self, resource: Resource) -> ET.Element:
        """Return Canvas's own document about a topic or a quiz, from the resource that it depends on."""
        for name in (name for key in resource.depends_on for name in self._files(key)):
            if name.endswith(".xml"):
                return parse_xml(self._package.text(name), name)
        return ET.Element("none")

    def _files(self, key: str) -> Iterable[str]:
        resource = self._resources.get(key)
        return resource.files if resource else ()

    def _modules(self) -> None:
        """Add modules from Canvas's own list, or from the outline if there is none."""
        modules = list(below(self._settings("module_meta.xml"), "module"))
        for module in modules:
            self._add(PackageItem(Kind.MODULE, module.get("identifier", ""), child_text(module, "title")))
            for row in below(module, "item"):
                self._module_item(module, row, child_text(row, "title"), child_text(row, "identifierref"))
        if modules:
            return
        roots = [row for organization in below(self._manifest, "organization") for row in organization]
        for module in (row for root in roots for row in root if _local(row) == "item"):
            self._add(PackageItem(Kind.MODULE, module.get("identifier", ""), child_text(module, "title")))
            for row in below(module, "item"):
                self._module_item(module, row, child_text(row, "title"), row.get("identifierref", ""))

    def _module_item(self, module: ET.Element, row: ET.Element, title: str, target: str) -> None:
        parent = module.get("identifier", "")
        self._add(
            PackageItem(Kind.MODULE_ITEM, row.get("identifier", ""), title, parent=parent, target=target)
        )

    def _settings(self, name: str) -> ET.Element:
        text = self._package.text(_SETTINGS + name)
        return parse_xml(text, name) if text else ET.Element("none")

    def _locked_files(self) -> set[str]:
        return {
            row.get("identifier", "")
            for row in below(self._settings("files_meta.xml"), "file")
            if child_text(row, "locked") == "true"
        }

    def _owners(self) -> dict[str, str]:
        """Return the item key of each member, through the resources that items depend on."""
        keys = {key for _, key in self._found}
        owners: dict[str, str] = {}
        for resource in self._resources.values():
            if resource.identifier in keys:
                needed = (self._files(identifier) for identifier in resource.depends_on)
                names = itertools.chain(resource.files, *needed)
                owners |= dict.fromkeys(names, resource.identifier)
        return owners


def read_resource(element: ET.Element) -> Resource:
    """Read a ``resource`` element of a manifest."""
    files = [row.get("href", "") for row in element if _local(row) == "file"]
    href = element.get("href", "")
    if href and href not in files:
        files.insert(0, href)
    elif href:
        files.sort(key=lambda name: name != href)
    return Resource(
        identifier=element.get("identifier", ""),
        type=element.get("type", ""),
        files=tuple(files),
        href=bool(href),
        intended_use=element.get("intendeduse", ""),
        depends_on=tuple(row.get("identifierref", "") for row in element if _local(row) == "dependency"),
    )


def parse_xml(text: str, name: str) -> ET.Element:
    """Parse a document.

    Raises:
        BadPackageError: it is not well-formed.
    """
    try:
        return ET.fromstring(text)  # noqa: S314  a sandbox; expat itself bounds the growth of entities
    except ET.ParseError as error:
        raise BadPackageError(f"The document {name} is not well-formed") from error


def below(element: ET.Element, name: str) -> Iterator[ET.Element]:
    """Yield elements of a name inside another, at any depth, in any namespace."""
    return (row for row in element.iter() if row is not element and _local(row) == name)


def child_text(element: ET.Element, name: str) -> str:
    """Return the text of the first child of a name."""
    return next((row.text or "" for row in element if _local(row) == name), "")


def with_parents(path: str) -> list[str]:
    """Return the paths of a folder and of its parents below the root, the outermost first."""
    paths = []
    while path:
        paths.append(path)
        path = posixpath.dirname(path)
    return paths[::-1]


def _local(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _is_assignment(resource: Resource) -> bool:
    return any(name.endswith("/assignment_settings.xml") for name in resource.files)


def _present(named: Iterable[Resource], package: Package) -> Iterator[Resource]:
    """Return resources with the files that are present; a resource without any is left out."""
    for resource in named:
        files = tuple(name for name in resource.files if name in package.members)
        if files:
            href = resource.href and files[0] == resource.files[0]
            yield replace(resource, files=files, href=href)


def _resolved(resource: Resource, package: Package) -> Resource:
    """Return a resource with the member names of its files, which hrefs may percent-encode."""
    names = tuple(name if name in package.members else unquote(name) for name in resource.files)
    return replace(resource, files=names)


def _inside(name: str) -> str:
    """Return the path of a member below the course's root folder."""
    return name.removeprefix(FILES).lstrip("/")


def _title(text: str) -> str:
    match = _TITLE.search(text)
    return html.unescape(match[1].strip()) if match else ""


def _body(text: str) -> str:
    match = _BODY.search(text)
    return match[1].strip() if match else ""


def _links(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(unquote(html.unescape(path)) for path in _LINK.findall(text)))
