"""The checks of a Common Cartridge (``.imscc``), as far as its directory and its manifest tell."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from canvas_exports.core.packages.cartridge.counts import count_cartridge
from canvas_exports.core.packages.cartridge.manifest import CartridgeManifest
from canvas_exports.core.packages.cartridge.resources import check_resources
from canvas_exports.core.packages.findings import Findings
from canvas_exports.core.packages.proof import Finding, Severity


def check_cartridge(
    manifest: CartridgeManifest, files: AbstractSet[str], findings: Findings
) -> dict[str, int]:
    """Counts by kind; what is missing goes to ``findings``. ``files`` are the names of the members that are no folders."""
    counts = check_resources(manifest, files, findings) | count_cartridge(manifest)
    if counts["unresolved_items"]:
        text = (
            f"{counts['unresolved_items']:,} items of modules lead to nothing in the package: links to external tools, "
            "or what the exporting user could not see"
        )
        findings.add(Finding("unresolved_items", Severity.INFO, text))
    return counts
