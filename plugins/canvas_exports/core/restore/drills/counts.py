"""Compare the proofs of the stored package and of the restored course."""

from __future__ import annotations

from collections.abc import Mapping

from canvas_exports.core.packages.proof import Proof

#: Counts that describe the package file or its problems, not the content of the course.
_OF_THE_PACKAGE = frozenset(
    {
        "members",
        "bytes",
        "folders",
        "empty_files",
        "encrypted",
        "references",
        "missing",
        "export_errors",
        "unresolved_items",
        "findings",
    }
)


def count_differences(stored: Mapping[str, int], restored: Mapping[str, int]) -> tuple[str, ...]:
    """Return the counts that differ, each as ``pages: 12 stored, 11 restored``.

    Ignores kinds that only one of the proofs counted, because a deeper proof counts more kinds.

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


def same_content(stored: Proof, restored: Proof) -> bool:
    """Return whether both packages hold the same members with the same bytes.

    Canvas may write the same content in different bytes, so ``False`` does not prove a difference.
    """
    return stored.content_digest == restored.content_digest
