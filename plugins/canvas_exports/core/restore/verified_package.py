"""A stored package on its way out: proven before anything is sent, and checked against its digest as it goes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.canvas.api.migrations import PackageFile
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.proof import Expectation, Proof
from canvas_exports.core.packages.prove_stored import prove_stored
from canvas_exports.core.restore.form_labels import LABELS
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.errors import ObjectNotFoundError, PackageError


def package_file(copy: Copy) -> PackageFile:
    """What Canvas is told of the package."""
    return PackageFile(copy.package.key.rpartition("/")[2], copy.package.size)


def prove(store: Store, copy: Copy, level: str) -> Proof:
    """Prove what is stored, at level ``directory`` (a few ranged reads) or ``full`` (all of it is read and unpacked).

    Which Canvas it came from is not asked again: it was when it was stored.

    Raises:
        PackageError: missing, or not the package its manifest describes (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    expect = Expectation(
        export_type=copy.export.type,
        size=copy.package.size,
        course_id=copy.context.id if copy.context.kind == "course" else None,
    )
    try:
        found = prove_stored(store, copy.package.key, expect, level=ProofLevel(level))
    except PackageError as error:
        raise _damaged(copy, error.message) from error
    except ObjectNotFoundError:
        raise _damaged(copy, "it is missing") from None
    if found.sha256 not in (None, copy.package.sha256):
        raise _damaged(copy, "its bytes have another digest")
    return found.proof


def checked(store: Store, copy: Copy, at_last: Callable[[], object] = lambda: None) -> Iterator[Block]:
    """The package's bytes. The last block comes only once all of them have the digest in the manifest.

    Args:
        store: the archive.
        copy: whose package.
        at_last: called before the last block; what it raises holds that back as well.

    Raises:
        PackageError: they have another, or there are fewer or more; the last block was held back (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    digest, size, left = hashlib.sha256(), 0, copy.package.size
    try:
        for block in store.blocks(copy.package.key):
            size += len(block)
            digest.update(block)
            left -= len(block)
            if left > 0:
                yield block
            elif left < 0 or digest.hexdigest() != copy.package.sha256:
                break
            else:
                at_last()
                yield block
                return
    except ObjectNotFoundError:
        raise _damaged(copy, "it is missing") from None
    raise _damaged(copy, f"its {size:,} bytes have another digest")


def _damaged(copy: Copy, why: str) -> PackageError:
    return PackageError(
        f"{copy.package.key} is not the package its manifest describes: {why}; choose another one under {LABELS['copy']!r}",
        context=copy.name,
    )
