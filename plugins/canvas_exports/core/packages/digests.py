"""Digests of packages: which are made, in one pass over the bytes, and how they are compared.

A manifest states digests by algorithm. ``blake3`` is fast on every processor. ``sha256`` is known to every tool, and approved for
sites that are bound to FIPS, but slow on a processor without instructions for it. No two packages with equal digests are known
for either of them, so each alone tells whether a package is the one that was stored.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Protocol

from canvas_exports.core.storage.store import Block
from canvas_exports.errors import UnknownDigestError

BLAKE3, SHA256 = "blake3", "sha256"

#: The algorithms of this release, the quickest first, and how people write them.
LABELS = {BLAKE3: "BLAKE3", SHA256: "SHA-256"}

#: Bytes a second from which on SHA-256 is made beside BLAKE3.
FAST = 1_000_000_000

_SAMPLE = 256 * 1024
_ROUNDS = 5


def algorithms_to_make(required: str | None = None, *, is_hashed: bool = False) -> tuple[str, ...]:
    """Return the algorithms for a package that is stored by this process.

    Args:
        required: the only algorithm that the archive's connection allows; ``None`` for the choice of this module: BLAKE3
            always, and SHA-256 if this processor makes it at ``FAST`` or more, or BLAKE3 is not installed.
        is_hashed: whether sending the package to its store takes a SHA-256 of every byte already (``Store.signs_payloads``):
            then BLAKE3 alone, so that no byte is hashed twice by the slow one.
    """
    if required is not None:
        return (required,)
    if not _is_installed(BLAKE3):
        return (SHA256,)
    return (BLAKE3,) if is_hashed or not _is_sha256_fast() else (BLAKE3, SHA256)


def can_check(stated: Mapping[str, str], required: str | None = None) -> bool:
    """Return whether a package can be compared with the digests that are stated of it, by the ``required`` one if there is one."""
    return any(required in (None, name) and name in stated and _is_installed(name) for name in LABELS)


def algorithms_to_check(
    stated: Mapping[str, str], required: str | None = None, *, key: str | None = None
) -> tuple[str, ...]:
    """Return the algorithm by which a package is compared with the digests that a manifest states.

    That is the one ``required`` by the archive's connection if it is stated, and else the quickest: all known ones are equally
    strong.

    Args:
        stated: digests by algorithm.
        required: as in ``algorithms_to_make``.
        key: of the manifest or the package, for the error.

    Raises:
        UnknownDigestError: none of them can be computed here (permanent).
    """
    known = [name for name in LABELS if name in stated and _is_installed(name)]
    if not known:
        names = ", ".join(sorted(stated)[:_MOST_NAMED])
        raise UnknownDigestError(f"it states only digests that cannot be computed here: {names}", key=key)
    return (required,) if required in known else (known[0],)


def algorithms_to_verify(
    stated: Mapping[str, str], required: str | None = None, *, key: str | None = None
) -> tuple[str, ...]:
    """Return the algorithms for a package that is read where time does not press: also what its manifest does not state.

    All that are installed, or the ``required`` one alone; and the one of ``algorithms_to_check``.

    Raises:
        UnknownDigestError: as ``algorithms_to_check``.
    """
    checked = algorithms_to_check(stated, required, key=key)
    wanted = (required,) if required is not None else LABELS
    return tuple(name for name in LABELS if name in checked or (name in wanted and _is_installed(name)))


def mismatch(found: Mapping[str, str], stated: Mapping[str, str], *, key: str | None = None) -> str | None:
    """Compare the digests of a package with those that are stated of it, by every algorithm that both have.

    Returns:
        The algorithm by which they differ, as people write it; ``None`` if they differ by none.

    Raises:
        UnknownDigestError: they have no algorithm in common (permanent).
    """
    common = found.keys() & stated.keys()
    if not common:
        raise UnknownDigestError("none of its digests was computed", key=key)
    differing = sorted(name for name in common if found[name] != stated[name])
    return LABELS.get(differing[0], differing[0]) if differing else None


class Hasher:
    """Digest bytes by several algorithms in one pass. Used by one thread at a time; releases the interpreter lock.

    Args:
        algorithms: of ``LABELS``; each is installed.
    """

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._hashes = {name: _new(name) for name in algorithms}

    def update(self, block: Block) -> None:
        """Add bytes."""
        for each in self._hashes.values():
            each.update(block)

    def hexdigests(self) -> dict[str, str]:
        """Return the digests of all bytes so far, hexadecimal, by algorithm."""
        return {name: each.hexdigest() for name, each in self._hashes.items()}


def digests_of(data: Block, algorithms: Iterable[str] | None = None) -> dict[str, str]:
    """Return the digests of bytes in memory; by default those of ``algorithms_to_make``."""
    hasher = Hasher(algorithms_to_make() if algorithms is None else algorithms)
    hasher.update(data)
    return hasher.hexdigests()


def measure(digest: Callable[[bytes], object], clock: Callable[[], float] = time.thread_time) -> float:
    """Return how many bytes a digest takes in a second of this thread's processor time: the best of a few short rounds.

    Takes some milliseconds at most. Processor time and the best round, so that other work of the machine does not count.
    """
    sample, best = bytes(_SAMPLE), float("inf")
    for _ in range(_ROUNDS):
        began = clock()
        digest(sample)
        best = min(best, clock() - began)
    return _SAMPLE / best if best > 0 else float("inf")


_MOST_NAMED = 5


class _Hash(Protocol):
    def update(self, data: Block, /) -> object: ...

    def hexdigest(self) -> str: ...


def _new(name: str) -> _Hash:
    if name == BLAKE3:
        from blake3 import blake3  # noqa: PLC0415 - native code, loaded by the first package

        return blake3()
    if name == SHA256:
        return hashlib.sha256()
    raise ValueError(f"no digest of this release: {name!r}")


@lru_cache
def _is_installed(name: str) -> bool:
    try:
        _new(name)
    except ImportError:
        return False
    return True


@lru_cache
def _is_sha256_fast() -> bool:
    """Measure once in a process, when the first package comes: flags of a processor do not say what the library makes of them."""
    return measure(hashlib.sha256) >= FAST
