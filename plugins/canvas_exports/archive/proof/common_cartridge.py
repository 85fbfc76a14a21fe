"""The checks of a Common Cartridge (``.imscc``), as far as its directory and its manifest tell."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from canvas_exports.archive.proof.cartridge import CartridgeManifest
from canvas_exports.archive.proof.kinds import count_cartridge
from canvas_exports.archive.proof.model import Finding, Severity
from canvas_exports.archive.proof.resources import check_resources

SYLLABUS = "course_settings/syllabus.html"


def check_cartridge(
    manifest: CartridgeManifest, files: AbstractSet[str]
) -> tuple[list[Finding], dict[str, int]]:
    """Findings, and counts by kind. ``files`` are the names of the members that are no folders."""
    findings, counts = check_resources(manifest, files)
    counts |= count_cartridge(manifest)
    if counts["unresolved_items"]:
        text = (
            f"{counts['unresolved_items']:,} items of modules lead to nothing in the package: links to external tools, "
            "or what the exporting user could not see"
        )
        findings.append(Finding("unresolved_items", Severity.INFO, text))
    return findings, counts
