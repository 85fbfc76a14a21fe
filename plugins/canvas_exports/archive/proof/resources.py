"""Whether everything that a package's manifest speaks of is in the package."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from canvas_exports.archive.proof.cartridge import CartridgeManifest
from canvas_exports.archive.proof.model import Finding, Severity
from canvas_exports.archive.proof.references import match

_MAX_MESSAGE = 500


def check_resources(
    manifest: CartridgeManifest, files: AbstractSet[str]
) -> tuple[list[Finding], dict[str, int]]:
    """Resolve every file that it names, every resource that another one needs, and read what Canvas noted.

    Args:
        manifest: of a cartridge or a QTI package.
        files: names of the members that are no folders.
    """
    references = manifest.references
    matched = match(references, files)
    findings = [
        Finding(
            "missing_file",
            Severity.ERROR,
            "the cartridge refers to it, but the package does not hold it",
            href,
        )
        for href in matched.missing
    ]
    dependencies = list(_dependencies(manifest))
    findings += dependencies
    findings += [
        Finding("export_error", Severity.ERROR, f"Canvas noted while it exported: {_harmless(text)}")
        for text in manifest.export_errors
    ]
    findings += [
        Finding("renamed_file", Severity.INFO, f"the cartridge refers to it as {href}", name)
        for href, name in matched.renamed
    ]
    return findings, {
        "references": len(set(references)),
        "missing": len(matched.missing) + len(dependencies),
        "export_errors": len(manifest.export_errors),
    }


def _dependencies(manifest: CartridgeManifest) -> Iterator[Finding]:
    known = {resource.identifier for resource in manifest.resources}
    for resource in manifest.resources:
        for other in resource.dependencies:
            if other not in known:
                yield Finding(
                    "missing_resource",
                    Severity.ERROR,
                    "it needs another part of the course, which the package does not hold",
                    resource.href or (resource.files[0] if resource.files else resource.identifier),
                )


def _harmless(text: str) -> str:
    """Canvas's own words, readable, and without the query of any URL in them."""
    return re.sub(r"(https?://[^\s?]+)\?\S*", r"\1", html.unescape(text))[:_MAX_MESSAGE]
