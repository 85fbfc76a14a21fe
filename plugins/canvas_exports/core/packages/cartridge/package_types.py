"""Check and count the content of each type of package, by its directory and its manifest.

A Common Cartridge (``.imscc``) holds a course, a QTI package (``.zip``) its classic quizzes. A file export (``.zip``) holds
the files of a course, a group or a user, and no manifest: a file that Canvas could not read is missing without a trace.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from canvas_exports.core.packages.cartridge.counts import count_cartridge, count_qti
from canvas_exports.core.packages.cartridge.manifest import CartridgeManifest
from canvas_exports.core.packages.cartridge.resources import check_resources
from canvas_exports.core.packages.findings import Findings
from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.core.packages.zip.mac_sidecars import is_sidecar


def check_cartridge(
    manifest: CartridgeManifest, files: AbstractSet[str], findings: Findings
) -> dict[str, int]:
    """Check a Common Cartridge and return its counts; add missing content to ``findings``.

    Args:
        manifest: of the cartridge.
        files: names of its members, without folders.
        findings: collects the findings.
    """
    counts = check_resources(manifest, files, findings) | count_cartridge(manifest)
    if counts["unresolved_items"]:
        text = (
            f"{counts['unresolved_items']:,} items of modules lead to nothing in the package: links to external tools, "
            "or what the exporting user could not see"
        )
        findings.add(Finding("unresolved_items", Severity.INFO, text))
    return counts


def check_qti(manifest: CartridgeManifest, files: AbstractSet[str], findings: Findings) -> dict[str, int]:
    """Check a QTI package and return its counts, as ``check_cartridge`` does."""
    counts = check_resources(manifest, files, findings)
    findings.update(
        Finding(
            "quiz_without_questions",
            Severity.ERROR,
            "the package names a quiz, but no file with its questions",
            resource.identifier,
        )
        for resource in manifest.resources
        if resource.type.startswith("imsqti_") and not resource.files
    )
    return counts | count_qti(manifest)


def count_files(members: Iterable[Member]) -> dict[str, int]:
    """Count the files of a file export."""
    return {"files": sum(not member.is_folder and not is_sidecar(member.name) for member in members)}
