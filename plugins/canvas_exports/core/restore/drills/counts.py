"""Whether what came back is what was stored, judged by the proofs of the two packages."""

from __future__ import annotations

from collections.abc import Mapping

from canvas_exports.core.packages.proof import Proof

#: Counts that say how a package was written, or how whole it is, not what it holds.
_OF_THE_PACKAGE = frozenset(
    {"members", "bytes", "folders", "references", "missing", "export_errors", "unresolved_items", "findings"}
)


def differences(stored: Mapping[str, int], restored: Mapping[str, int]) -> tuple[str, ...]:
    """What is more or less than before, each as ``pages: 12 stored, 11 restored``; none means alike.

    Kinds that only one of the proofs counted say nothing: it looked deeper.

    Args:
        stored: counts of the stored package, by kind.
        restored: counts of the package that Canvas made of the course restored into.
    """
    kinds = sorted((stored.keys() & restored.keys()) - _OF_THE_PACKAGE)
    return tuple(
        f"{kind}: {stored[kind]} stored, {restored[kind]} restored"
        for kind in kinds
        if stored[kind] != restored[kind]
    )


def is_equal(stored: Proof, restored: Proof) -> bool:
    """Whether both hold the same members with the same bytes; then nothing was lost or changed on the way.

    Canvas may write the same content in another way, so unequal packages are no proof of the contrary.
    """
    return stored.content_digest == restored.content_digest
