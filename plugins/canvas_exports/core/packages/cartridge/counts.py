"""Count pages, quizzes, files and so on in a cartridge or QTI package, from the resources in its manifest.

``docs/proof.md`` lists the names of the counts. A restored course is compared by them.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from canvas_exports.core.packages.cartridge.manifest import CartridgeManifest, OutlineItem, Resource
from canvas_exports.core.packages.cartridge.references import resolve_path

_BANKS = "non_cc_assessments/"

Rule = Callable[[Resource], bool]


def _is_page(resource: Resource) -> bool:
    return resource.type == "webcontent" and resolve_path(resource.href).startswith("wiki_content/")


def _is_file(resource: Resource) -> bool:
    return resource.type == "webcontent" and resolve_path(resource.href).startswith("web_resources/")


def _is_discussion(resource: Resource) -> bool:
    return resource.type.startswith("imsdt_")


def _is_quiz(resource: Resource) -> bool:
    return resource.type.startswith("imsqti_") and not resource.type.endswith("/question-bank")


def _is_bank(resource: Resource) -> bool:
    return resolve_path(resource.href).startswith(_BANKS) or resource.type.endswith("/question-bank")


def _is_link(resource: Resource) -> bool:
    return resource.type.startswith("imswl_")


def _is_tool(resource: Resource) -> bool:
    # Resources of LTI 1.3 describe one link to a tool, not the tool.
    return resource.type.startswith("imsbasiclti_") and not resource.type.endswith("v1p3")


def _is_syllabus(resource: Resource) -> bool:
    return resource.intended_use == "syllabus"


_CARTRIDGE: Mapping[str, Rule] = {
    "pages": _is_page,
    "quizzes": _is_quiz,
    "question_banks": _is_bank,
    "discussions": _is_discussion,
    "files": _is_file,
    "web_links": _is_link,
    "tools": _is_tool,
    "syllabus": _is_syllabus,
}
_QTI: Mapping[str, Rule] = {
    "quizzes": _is_quiz,
    "question_banks": _is_bank,
    "files": _is_file,
}


def count_cartridge(manifest: CartridgeManifest) -> dict[str, int]:
    """Return the counts of a Common Cartridge."""
    counts = _counted(manifest.resources, _CARTRIDGE)
    # One assignment may be two resources: in Canvas's own form, and in that of Common Cartridge 1.3.
    counts["assignments"] = len(
        {
            folder
            for resource in manifest.resources
            for folder, name in map(posixpath.split, map(resolve_path, resource.files))
            if name in ("assignment_settings.xml", "assignment.xml")
        }
    )
    levels = Counter(min(item.level, 2) for item in manifest.outline)
    counts["modules"], counts["module_items"] = levels[1], levels[2]
    counts["unresolved_items"] = len(unresolved_items(manifest))
    return counts


def count_qti(manifest: CartridgeManifest) -> dict[str, int]:
    """Return the counts of a QTI package."""
    return _counted(manifest.resources, _QTI)


def unresolved_items(manifest: CartridgeManifest) -> list[OutlineItem]:
    """Return the outline's items without a resource: links to external tools, and items hidden from the exporting user."""
    known = {resource.identifier for resource in manifest.resources}
    return [item for item in manifest.outline if item.resource and item.resource not in known]


def _counted(resources: Iterable[Resource], rules: Mapping[str, Rule]) -> dict[str, int]:
    counts = dict.fromkeys(rules, 0)
    for resource in resources:
        for name, is_one in rules.items():
            counts[name] += is_one(resource)
    return counts
