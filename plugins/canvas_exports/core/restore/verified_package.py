"""Prove a stored package before the upload, and compare it with its digests during the upload."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.verification.stated_digests import recorded_by, stated_digests
from canvas_exports.core.canvas.api.migrations import PackageFile
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.digests import Hasher, algorithms_to_check, mismatch
from canvas_exports.core.packages.proof import Expectation, Proof
from canvas_exports.core.packages.prove_stored import prove_stored
from canvas_exports.core.restore.form_labels import under
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.errors import ObjectNotFoundError, PackageError


def package_file(copy: Copy) -> PackageFile:
    """Return the file name and size that Canvas needs for the upload."""
    return PackageFile(copy.package.key.rpartition("/")[2], copy.package.size)


def prove_copy(store: Store, copy: Copy, level: str) -> Proof:
    """Prove a stored package at level ``directory`` (a few ranged reads) or ``full`` (reads and unpacks all of it).

    Does not check which Canvas it came from: that was checked when it was stored.

    Raises:
        PackageError: missing, or not the package its manifest describes (permanent).
        UnknownDigestError: no digest of the package can be made here (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    stated, algorithms = _comparable(store, copy)
    expect = Expectation(
        export_type=copy.export.type,
        size=copy.package.size,
        course_id=copy.context.id if copy.context.kind == "course" else None,
    )
    try:
        found = prove_stored(store, copy.package.key, expect, level=ProofLevel(level), algorithms=algorithms)
    except PackageError as error:
        raise _damaged(copy, error.message) from error
    except ObjectNotFoundError:
        raise _damaged(copy, "it is missing") from None
    if found.digests is not None and mismatch(found.digests, stated):
        raise _damaged(copy, "its bytes have another digest")
    return found.proof


def verified_blocks(
    store: Store, copy: Copy, before_last: Callable[[], object] = lambda: None
) -> Iterator[Block]:
    """Yield the blocks of a package. Yields the last block only if all bytes have the digest in the manifest.

    Args:
        store: the archive.
        copy: the copy with the package.
        before_last: called before the last block; if it raises, the last block is not yielded.

    Raises:
        PackageError: another digest or another size; the last block was not yielded (permanent).
        UnknownDigestError: no digest of the package can be made here; nothing was yielded (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    stated, algorithms = _comparable(store, copy)
    hasher, size, left = Hasher(algorithms), 0, copy.package.size
    try:
        for block in store.blocks(copy.package.key):
            size += len(block)
            hasher.update(block)
            left -= len(block)
            if left > 0:
                yield block
            elif left < 0 or mismatch(hasher.hexdigests(), stated):
                break
            else:
                before_last()
                yield block
                return
    except ObjectNotFoundError:
        raise _damaged(copy, "it is missing") from None
    raise _damaged(copy, f"its {size:,} bytes have another digest")


def _comparable(store: Store, copy: Copy) -> tuple[Mapping[str, str], Sequence[str]]:
    """Return the digests that are stated of a package, and by which of them it is compared."""
    package = copy.package
    stated = stated_digests(store, package.key, package.size, package.digests, recorded_by(copy.records))
    return stated, algorithms_to_check(stated, store.required_digest, key=copy.key)


def _damaged(copy: Copy, why: str) -> PackageError:
    return PackageError(
        f"{copy.package.key} is not the package its manifest describes: {why}; choose another copy {under('copy')}",
        context=copy.name,
    )
