"""How many things of each kind a cartridge or QTI package holds, told from the manifest's resources and their names.

The names of the counts are in ``docs/proof.md``. They are those that a restored course can be compared by.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from canvas_exports.core.packages.cartridge.manifest import CartridgeManifest, OutlineItem, Resource
from canvas_exports.core.packages.cartridge.references import resolved

_BANKS = "non_cc_assessments/"

Rule = Callable[[Resource], bool]


def _is_page(resource: Resource) -> bool:
    return resource.type == "webcontent" and resolved(resource.href).startswith("wiki_content/")


def _is_file(resource: Resource) -> bool:
    return resource.type == "webcontent" and resolved(resource.href).startswith("web_resources/")


def _is_discussion(resource: Resource) -> bool:
    return resource.type.startswith("imsdt_")


def _is_quiz(resource: Resource) -> bool:
    return resource.type.startswith("imsqti_") and not resource.type.endswith("/question-bank")


def _is_bank(resource: Resource) -> bool:
    return resolved(resource.href).startswith(_BANKS) or resource.type.endswith("/question-bank")


def _is_link(resource: Resource) -> bool:
    return resource.type.startswith("imswl_")


def _is_tool(resource: Resource) -> bool:
    # Those of LTI 1.3 hold what a tool remembers of one link to it, not the tool.
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
    """Counts of a Common Cartridge."""
    counts = _counted(manifest.resources, _CARTRIDGE)
    # One assignment may be two resources: Canvas's own form, and that of Common Cartridge 1.3.
    counts["assignments"] = len(
        {
            folder
            for resource in manifest.resources
            for folder, name in map(posixpath.split, map(resolved, resource.files))
            if name in ("assignment_settings.xml", "assignment.xml")
        }
    )
    levels = Counter(min(item.level, 2) for item in manifest.outline)
    counts["modules"], counts["module_items"] = levels[1], levels[2]
    counts["unresolved_items"] = len(unresolved(manifest))
    return counts


def count_qti(manifest: CartridgeManifest) -> dict[str, int]:
    """Counts of a QTI package."""
    return _counted(manifest.resources, _QTI)


def unresolved(manifest: CartridgeManifest) -> list[OutlineItem]:
    """Items of the outline that lead to nothing: links to external tools, and what the exporting user could not see."""
    known = {resource.identifier for resource in manifest.resources}
    return [item for item in manifest.outline if item.resource and item.resource not in known]


def _counted(resources: Iterable[Resource], rules: Mapping[str, Rule]) -> dict[str, int]:
    counts = dict.fromkeys(rules, 0)
    for resource in resources:
        for name, is_one in rules.items():
            counts[name] += is_one(resource)
    return counts
