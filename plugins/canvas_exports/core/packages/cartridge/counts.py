"""Count pages, quizzes, files and so on in a cartridge or QTI package, from the resources in its manifest.

``docs/proof.md`` lists the names of the counts. A restored course is compared by them.
"""

from __future__ import annotations

from collections import Counter

from canvas_exports.core.packages.cartridge.manifest import CartridgeManifest, OutlineItem, outlined_modules
from canvas_exports.core.packages.cartridge.resource_kinds import assignments, further_files, kind_of

_CARTRIDGE = (
    "pages",
    "quizzes",
    "question_banks",
    "discussions",
    "files",
    "web_links",
    "tools",
    "syllabus",
)
_QTI = ("quizzes", "question_banks", "files")


def count_cartridge(manifest: CartridgeManifest) -> dict[str, int]:
    """Return the counts of a Common Cartridge."""
    counts = _counted(manifest, _CARTRIDGE)
    counts["assignments"] = len(assignments(manifest.resources))
    modules = list(outlined_modules(manifest.outline))
    counts["modules"] = len(modules)
    counts["module_items"] = sum(len(items) for _, items in modules)
    counts["unresolved_items"] = len(unresolved_items(manifest))
    return counts


def count_qti(manifest: CartridgeManifest) -> dict[str, int]:
    """Return the counts of a QTI package."""
    return _counted(manifest, _QTI)


def unresolved_items(manifest: CartridgeManifest) -> list[OutlineItem]:
    """Return the outline's items without a resource: links to external tools, and items hidden from the exporting user."""
    known = {resource.identifier for resource in manifest.resources}
    return [item for item in manifest.outline if item.resource and item.resource not in known]


def _counted(manifest: CartridgeManifest, names: tuple[str, ...]) -> dict[str, int]:
    found = Counter(kind_of(resource) for resource in manifest.resources)
    found["files"] += sum(1 for _ in further_files(manifest))
    return {name: found[name] for name in names}
