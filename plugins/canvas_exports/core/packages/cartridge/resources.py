"""Check that the files and resources named in a manifest are in the package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from urllib.parse import unquote

from canvas_exports.core.packages.cartridge.manifest import CartridgeManifest, Resource
from canvas_exports.core.packages.cartridge.references import match_references, resolve_path
from canvas_exports.core.packages.cartridge.resource_kinds import is_elsewhere
from canvas_exports.core.packages.findings import Findings
from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.core.text.html_entities import unescape
from canvas_exports.foreign_text import harmless

_MAX_MESSAGE = 400
_QUERY = re.compile(r"(https?://[^\s?]{1,400})\?\S*")


def with_bases(manifest: CartridgeManifest, files: AbstractSet[str]) -> CartridgeManifest:
    """Return the manifest with the paths of its resources from the top of the package: none has a ``base`` any more.

    Some systems name a base, but write whole paths all the same. A path is left as it is if the package holds that file, and
    not the one below the base.

    Args:
        manifest: as it was read.
        files: names of the members of the package.
    """
    if not any(resource.base for resource in manifest.resources):
        return manifest
    return replace(
        manifest, resources=tuple(_from_the_top(resource, files) for resource in manifest.resources)
    )


def _from_the_top(resource: Resource, files: AbstractSet[str]) -> Resource:
    base = resource.base
    if not base or is_elsewhere(base):
        return replace(resource, base="") if base else resource

    def whole(href: str) -> str:
        if not href or is_elsewhere(href):
            return href
        below = resolve_path(f"{base}/{href}")
        plain = resolve_path(href)
        is_plain = (plain in files or unquote(plain) in files) and not (
            below in files or unquote(below) in files
        )
        return href if is_plain else below

    return replace(resource, href=whole(resource.href), files=tuple(map(whole, resource.files)), base="")


def check_resources(
    manifest: CartridgeManifest, files: AbstractSet[str], findings: Findings
) -> dict[str, int]:
    """Check every named file and every dependency, and read the export errors that Canvas noted.

    Args:
        manifest: of a cartridge or a QTI package.
        files: names of its members, without folders.
        findings: what is added to.

    Returns:
        Counts by name.
    """
    references = set(manifest.references)
    matched = match_references(references, files)
    findings.update(
        Finding(
            "missing_file",
            Severity.ERROR,
            "the cartridge refers to it, but the package does not hold it",
            href,
        )
        for href in matched.missing
    )
    unmet = 0
    for finding in _dependencies(manifest):
        findings.add(finding)
        unmet += 1
    findings.update(
        Finding("export_error", Severity.ERROR, f"Canvas noted while it exported: {_readable(text)}")
        for text in manifest.export_errors
    )
    findings.update(
        Finding("renamed_file", Severity.INFO, f"the cartridge refers to it as {harmless(href)}", name)
        for href, name in matched.renamed
    )
    return {
        "references": len(references),
        "missing": len(matched.missing) + unmet,
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


def _readable(text: str) -> str:
    """Return a message of Canvas in readable form, without the query of any URL in it."""
    return _QUERY.sub(r"\1", harmless(unescape(text), most=_MAX_MESSAGE))
