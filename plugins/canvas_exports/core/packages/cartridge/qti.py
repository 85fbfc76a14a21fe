"""The checks of a QTI package (``.zip``): classic quizzes and nothing else."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from canvas_exports.core.packages.cartridge.counts import count_qti
from canvas_exports.core.packages.cartridge.manifest import CartridgeManifest
from canvas_exports.core.packages.cartridge.resources import check_resources
from canvas_exports.core.packages.findings import Findings
from canvas_exports.core.packages.proof import Finding, Severity


def check_qti(manifest: CartridgeManifest, files: AbstractSet[str], findings: Findings) -> dict[str, int]:
    """Counts by kind; what is missing goes to ``findings``. ``files`` are the names of the members that are no folders."""
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
