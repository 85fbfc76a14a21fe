from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from tests.support.archives.stored import package, rotten, spoil, stored

from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.verification.candidates import candidates
from canvas_exports.core.archive.verification.verify_package import (
    PackageVerification,
    VerificationResult,
    verify_package,
)
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveUnavailableError

BOTH = [ProofLevel.DIRECTORY, ProofLevel.FULL]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"file://{tmp_path}/canvas") as opened:
        yield opened


@pytest.fixture
def copy(store: Store) -> Manifest:
    return stored(store)


def look(store: Store, level: ProofLevel = ProofLevel.FULL) -> PackageVerification:
    (candidate,) = candidates(copies_of(store, "course", 101), level)
    return verify_package(store, candidate, level)


@pytest.mark.parametrize("level", BOTH)
def test_what_was_stored_is_intact(store: Store, copy: Manifest, level: ProofLevel) -> None:
    found = look(store, level)
    assert (found.result, found.level) == (VerificationResult.INTACT, level)
    assert found.bytes_read >= (copy.package.size if level is ProofLevel.FULL else 1)


def test_rotten_bits_inside_a_file_are_found_by_a_full_look_alone(store: Store, copy: Manifest) -> None:
    spoil(store, copy.package.key, rotten(package()))
    assert look(store).result is VerificationResult.DAMAGED
    assert look(store, ProofLevel.DIRECTORY).result is VerificationResult.INTACT


OTHER = package("b page")
assert len(OTHER) == len(package())


@pytest.mark.parametrize("level", BOTH)
@pytest.mark.parametrize(
    "data",
    [package()[:-1], package()[:-100] + bytes(100), OTHER],
    ids=["a cut package", "zeros in place of the end", "another package of the same size"],
)
def test_other_bytes_than_were_stored_are_damage(
    store: Store, copy: Manifest, level: ProofLevel, data: bytes
) -> None:
    spoil(store, copy.package.key, data)
    found = look(store, level)
    assert found.result is VerificationResult.DAMAGED
    assert found.reason


@pytest.mark.parametrize("level", BOTH)
def test_a_missing_package_has_vanished(store: Store, copy: Manifest, level: ProofLevel) -> None:
    store.delete(copy.package.key)
    found = look(store, level)
    assert (found.result, found.bytes_read) == (VerificationResult.VANISHED, 0)


@pytest.mark.parametrize("level", BOTH)
@pytest.mark.usefixtures("copy")
def test_a_store_that_fails_says_nothing_of_the_package(
    store: Store, level: ProofLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> NoReturn:
        raise ArchiveUnavailableError("the store is down")

    (candidate,) = candidates(copies_of(store, "course", 101), level)
    for reading in ("read", "blocks"):
        monkeypatch.setattr(store, reading, down)
    with pytest.raises(ArchiveUnavailableError):
        verify_package(store, candidate, level)


def test_every_result_but_intact_has_a_next_step() -> None:
    assert [result for result in VerificationResult if result.next_step is None] == [
        VerificationResult.INTACT
    ]
