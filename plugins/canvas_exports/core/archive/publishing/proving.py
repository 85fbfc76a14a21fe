"""The proof that a manifest will state: at level ``full``, of what the store gives back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.publishing.package_source import Delivery
from canvas_exports.core.archive.publishing.package_stream import Pipeline
from canvas_exports.core.packages.proof import Proof, ProofLevel
from canvas_exports.core.packages.prove_stored import prove_stored
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import (
    ArchiveError,
    ArchiveUnavailableError,
    CorruptPackageError,
    ObjectNotFoundError,
    PackageError,
)


def proof_of_stored(store: Store, key: str, passed: Pipeline, delivery: Delivery) -> Proof:
    """The proof of a package that has just been stored, and has no manifest yet.

    At level ``directory`` that is the one made as it passed. At level ``full`` the stored object is read once more. What is
    not the package is removed again: nothing was published.

    Raises:
        CorruptPackageError: a member is damaged, or the store gives back other bytes than it was given (retryable).
        WrongPackageError: see ``prove_stored`` (permanent).
        ArchiveUnavailableError: the store failed, or the object has vanished (retryable).
    """
    if delivery.level is ProofLevel.DIRECTORY:
        return passed.proof
    try:
        with delivery.stage("proof"):
            stored = prove_stored(
                store, key, replace(delivery.expect, size=passed.size), level=delivery.level
            )
        if stored.sha256 != passed.sha256:
            raise CorruptPackageError("the store gives back other bytes than it was given")
    except ObjectNotFoundError:
        raise ArchiveUnavailableError("the package vanished before it was proven", key=key) from None
    except PackageError:
        # Unless another attempt at the same export has published it meanwhile: what has a manifest stays. And a bucket
        # may lock whatever is put into it.
        with suppress(ArchiveError):  # nor does a store that fails now hide what is wrong with the package
            if store.stat(manifest_key(key)) is None:
                store.delete(key)
        raise
    return stored.proof
