"""A full proof on every kind of store: whole, rotten, cut, and gone."""

from __future__ import annotations

import hashlib

import pytest
from tests.support.packages.build import COURSE, HOST, cartridge, draft
from tests.support.store_servers.stores import Place

from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.digests import LABELS, digests_of
from canvas_exports.core.packages.proof import Expectation, Verdict
from canvas_exports.core.packages.prove_stored import ReadLimit, prove_stored
from canvas_exports.errors import CorruptPackageError, ObjectNotFoundError

KEY = draft().key
VIDEO = "web_resources/video.mp4"
PACKAGE = cartridge({VIDEO: hashlib.shake_128(b"v").digest(9 << 20), "wiki_content/a.html": b"<p>a</p>"})
EXPECT = Expectation("common_cartridge", course_id=COURSE, canvas_host=HOST)


def test_what_is_stored_is_proven_where_it_lies_wholly_or_as_far_as_allowed(place: Place) -> None:
    place.store.put(KEY, iter([PACKAGE]))
    part = prove_stored(place.store, KEY, EXPECT, limit=ReadLimit(max_bytes=1))
    assert part.proof.level is ProofLevel.DIRECTORY
    assert 0 < part.covered < part.size
    found = prove_stored(place.store, KEY, EXPECT, algorithms=LABELS)
    assert (found.proof.level, found.proof.verdict) == (ProofLevel.FULL, Verdict.WHOLE)
    assert found.digests == digests_of(PACKAGE, LABELS)


def test_a_rotten_bit_is_found_and_the_member_named(place: Place) -> None:
    at = PACKAGE.index(VIDEO.encode()) + len(VIDEO) + (6 << 20)
    rotten = PACKAGE[:at] + bytes([PACKAGE[at] ^ 4]) + PACKAGE[at + 1 :]
    place.store.put(KEY, iter([rotten]))
    assert prove_stored(place.store, KEY, EXPECT, level=ProofLevel.DIRECTORY).proof.verdict is Verdict.WHOLE
    with pytest.raises(CorruptPackageError, match=VIDEO):
        prove_stored(place.store, KEY, EXPECT)


def test_a_cut_package_is_found(place: Place) -> None:
    place.store.put(KEY, iter([PACKAGE[: 5 << 20]]))
    with pytest.raises(CorruptPackageError):
        prove_stored(place.store, KEY, EXPECT)


def test_a_vanished_package_is_a_key_error(place: Place) -> None:
    with pytest.raises(ObjectNotFoundError):
        prove_stored(place.store, KEY, EXPECT)
