from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from jsonschema import Draft202012Validator
from tests.support.archives.stored import package, rotten, spoil, stored
from tests.support.packages.algorithms import OF_LATER, restate, without_blake3
from tests.support.releases.previous_release import DATA

from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.records import RecordName
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.archive.verification.candidates import candidates
from canvas_exports.core.archive.verification.records import put_record
from canvas_exports.core.archive.verification.verify_package import (
    PackageVerification,
    VerificationResult,
    verify_package,
)
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages import digests
from canvas_exports.core.packages.digests import BLAKE3, LABELS, SHA256, digests_of
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveUnavailableError, UnknownDigestError

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


DIGESTS = digests_of(package(), LABELS)
STATED: dict[str, dict[str, str]] = {
    "of the release before": {SHA256: DIGESTS[SHA256]},
    "of a slow processor": {BLAKE3: DIGESTS[BLAKE3]},
    "of a fast processor": DIGESTS,
    "of a later release": {**DIGESTS, **OF_LATER},
    "of a later release, in part": {BLAKE3: DIGESTS[BLAKE3], **OF_LATER},
}


@pytest.mark.parametrize("level", BOTH)
@pytest.mark.parametrize("stated", STATED.values(), ids=STATED)
def test_it_is_compared_by_what_its_manifest_states_and_the_rest_is_added(
    store: Store, copy: Manifest, level: ProofLevel, stated: dict[str, str]
) -> None:
    restate(store, copy, stated)
    found = look(store, level)
    assert found.result is VerificationResult.INTACT
    assert found.digests == ({**DIGESTS, **stated} if level is ProofLevel.FULL else stated)


@pytest.mark.parametrize(
    ("stated", "name"),
    [(stated, name) for stated in STATED.values() for name in LABELS if name in stated],
)
def test_another_digest_of_any_known_kind_is_damage(
    store: Store, copy: Manifest, stated: dict[str, str], name: str
) -> None:
    restate(store, copy, {**stated, name: "0" * 64})
    found = look(store)
    assert found.result is VerificationResult.DAMAGED
    assert found.reason == f"its {LABELS[name]} is not the one that was stored"
    assert found.digests == {**stated, name: "0" * 64}, "what was found is not what was stored"


@pytest.mark.parametrize("level", BOTH)
def test_digests_that_cannot_be_made_here_are_an_error_at_every_level(
    store: Store, copy: Manifest, level: ProofLevel
) -> None:
    restate(store, copy, OF_LATER)
    with pytest.raises(UnknownDigestError, match="k12; update this software"):
        look(store, level)
    restate(store, copy, {BLAKE3: DIGESTS[BLAKE3]})
    with without_blake3(), pytest.raises(UnknownDigestError, match="blake3"):
        look(store, level)


def test_where_sha256_is_required_nothing_else_is_made_if_it_is_stated(store: Store, copy: Manifest) -> None:
    store.required_digest = SHA256
    assert look(store).digests == {SHA256: DIGESTS[SHA256]}
    restate(store, copy, {BLAKE3: DIGESTS[BLAKE3]})
    assert look(store).digests == DIGESTS, "it can only be compared by what is stated"


class TestWithTheRecordOfAnEarlierVerification:
    """A site that can only make SHA-256 verifies a package whose manifest states only BLAKE3."""

    @pytest.fixture
    def verified(self, store: Store, copy: Manifest) -> RecordName:
        restate(store, copy, {BLAKE3: DIGESTS[BLAKE3]})
        return put_record(store, look(store), RunFacts("canvas_exports 0.2.0"))

    def test_the_record_has_what_the_manifest_leaves_out(self, store: Store, verified: RecordName) -> None:
        document = json.loads(store.read(verified.key))
        assert document["package"]["digests"] == DIGESTS
        assert problem("verification-1", document) is None
        previous = json.loads((DATA / "schemas" / "verification-1.schema.json").read_text("utf-8"))
        Draft202012Validator(previous).validate(document)

    @pytest.mark.usefixtures("verified")
    def test_it_is_compared_with_the_digest_of_the_record(self, store: Store, copy: Manifest) -> None:
        with without_blake3():
            assert look(store).result is VerificationResult.INTACT
            spoil(store, copy.package.key, redated(package()))
            assert look(store).reason == "its SHA-256 is not the one that was stored"

    @pytest.mark.usefixtures("verified")
    def test_so_it_is_where_sha256_is_required(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        store.required_digest = SHA256
        made: list[str] = []
        new = digests._new

        def noted(name: str) -> object:
            made.append(name)
            return new(name)

        monkeypatch.setattr(digests, "_new", noted)
        assert look(store).result is VerificationResult.INTACT
        assert {*made} == {SHA256}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("size", 7),
            ("key", "courses/101/20261101T020000Z-common_cartridge-7.imscc"),
            ("digests", {**DIGESTS, BLAKE3: "0" * 64}),
            ("digests", {SHA256: DIGESTS[SHA256]}),
            ("digests", {}),
            ("digests", "none"),
        ],
    )
    def test_a_record_of_another_package_does_not_count(
        self, store: Store, verified: RecordName, name: str, value: object
    ) -> None:
        document = json.loads(store.read(verified.key))
        document["package"][name] = value
        store.replace(verified.key, json.dumps(document).encode())
        with without_blake3(), pytest.raises(UnknownDigestError):
            look(store)

    def test_nor_does_one_that_is_no_document(self, store: Store, verified: RecordName) -> None:
        store.replace(verified.key, b"{")
        with without_blake3(), pytest.raises(UnknownDigestError):
            look(store)


def test_a_record_of_a_package_without_sha256_is_of_schema_2(store: Store, copy: Manifest) -> None:
    restate(store, copy, {BLAKE3: DIGESTS[BLAKE3]})
    name = put_record(store, look(store, ProofLevel.DIRECTORY), RunFacts("canvas_exports 0.2.0"))
    document = json.loads(store.read(name.key))
    assert document["schema"] == "urn:canvas-exports:verification:2"
    assert document["package"]["digests"] == {BLAKE3: DIGESTS[BLAKE3]}
    assert problem("verification-2", document) is None


def redated(data: bytes) -> bytes:
    """The same package but for the time in a member's header, which no check of the zip reads."""
    assert data[:4] == b"PK\x03\x04"
    return data[:10] + bytes([data[10] ^ 1]) + data[11:]


@pytest.mark.parametrize("stated", STATED.values(), ids=STATED)
def test_a_byte_that_no_check_of_the_zip_reads_is_found_by_any_digest(
    store: Store, copy: Manifest, stated: dict[str, str]
) -> None:
    restate(store, copy, stated)
    spoil(store, copy.package.key, redated(package()))
    assert look(store, ProofLevel.DIRECTORY).result is VerificationResult.INTACT
    assert look(store).result is VerificationResult.DAMAGED
