"""Stored packages that a proof accepts."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from tests.support.archives.holdings import lay, manifest
from tests.support.packages.build import PAGE, cartridge
from tests.support.packages.stored import buffered

from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.content_digest import VERSION
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.packages.prove_directory import prove_directory
from canvas_exports.core.storage.store import Store

RUN = RunFacts("canvas_exports 0.1.0", "canvas_verify", "manual__1", "verify", -1, 1)


def package(about: str = "a page") -> bytes:
    """A small cartridge."""
    return cartridge(
        {PAGE: about.encode() * 40, "web_resources/photo.jpg": hashlib.shake_128(b"photo").digest(5000)}
    )


def stored(
    store: Store,
    course: int = 101,
    *,
    day: int = 0,
    data: bytes | None = None,
    facts: dict[str, str] | None = None,
) -> Manifest:
    """Store a cartridge with a manifest that is true of it. ``facts``: of the course."""
    data = package() if data is None else data
    proof = prove_directory(buffered(data), Expectation("common_cartridge", len(data)))
    written = manifest(f"course:{course}", day=day, export_id=400 + course + day, content=data, facts=facts)
    packed = replace(
        written.package,
        digests={"sha256": hashlib.sha256(data).hexdigest()},
        content_digest=proof.content_digest,
        content_digest_version=VERSION,
        member_count=proof.member_count,
    )
    return lay(store, replace(written, package=packed, proof=proof), package=data)


def spoil(store: Store, key: str, data: bytes) -> None:
    """Put other bytes in the place of a stored package, as nobody should."""
    store.delete(key)
    store.put(key, [data])


def rotten(data: bytes) -> bytes:
    """The same package with one bit turned over inside a file."""
    at = data.find(b"photo.jpg") + 200
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
