"""One random place of a whole package is broken, and the proof has to notice: each kind of damage that it claims to notice."""

from __future__ import annotations

import io
import random
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.packages.broken import BREAKERS, ERRORS, Place
from tests.support.packages.courses import Course, course
from tests.support.packages.stored import codes, proven
from tests.support.packages.zips import entries_of, packed_zip

from canvas_exports.core.packages.prove_stored import StoredProof
from canvas_exports.errors import PackageError

PICTURES = st.binary(min_size=1, max_size=3000)


def courses() -> st.SearchStrategy[Course]:
    return st.builds(course, PICTURES, st.binary(min_size=1, max_size=300).map(bytes.hex).map(str.encode))


def places() -> st.SearchStrategy[Place]:
    return st.builds(Place, courses(), st.integers(0, 1_000_000), st.integers(1, 255))


@pytest.mark.parametrize(("what", "noticed"), BREAKERS)
def test_it_is_noticed(what: str, noticed: str) -> None:
    @given(place=places(), block=st.integers(1000, 100_000))
    @settings(
        max_examples=2 if "hundreds" in what else 15,
        deadline=None,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    def check(place: Place, block: int) -> None:
        broken = BREAKERS[what, noticed](place)
        if noticed in ERRORS:
            with pytest.raises(ERRORS[noticed]) as caught:
                proven(broken.data, broken.expect, block=block)
            assert (broken.named or "") in str(caught.value)
        else:
            found = proven(broken.data, broken.expect, block=block)
            told = [(each.code, each.member if broken.named else None) for each in found.proof.findings]
            assert (noticed, broken.named) in told

    check()


@given(whole=courses())
@settings(max_examples=30, deadline=None)
def test_a_course_that_nobody_broke_is_whole(whole: Course) -> None:
    assert codes(proven(packed_zip(entries_of(whole.members())))) == ["unresolved_items"]


def contents(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {info.filename: package.read(info) for info in package.infolist()}


def proof_or_nothing(data: bytes) -> StoredProof | None:
    try:
        return proven(data)
    except PackageError:
        return None


@given(
    whole=courses(),
    seed=st.randoms(use_true_random=False),
    how=st.sampled_from(["change", "insert", "remove", "repeat"]),
)
@settings(max_examples=200, deadline=None)
def test_whatever_happens_to_its_bytes_no_content_changes_unnoticed(
    whole: Course, seed: random.Random, how: str
) -> None:
    data = bytearray(packed_zip(entries_of(whole.members())))
    at, length = seed.randrange(len(data)), seed.randint(1, 30)
    if how == "change":
        data[at] ^= seed.randint(1, 255)
    elif how == "insert":
        data[at:at] = seed.randbytes(length)
    elif how == "remove":
        del data[at : at + length]
    else:
        data[at:at] = data[at : at + length]
    found = proof_or_nothing(bytes(data))
    if found is not None and codes(found) == ["unresolved_items"]:
        try:
            assert contents(bytes(data)) == whole.members()
        except NotImplementedError as error:
            assert "zip file version" in str(error)  # noqa: PT017 - what another reader asks for is nobody's content


@given(data=st.binary(max_size=2000))
@settings(max_examples=100, deadline=None)
def test_noise_is_refused(data: bytes) -> None:
    assert proof_or_nothing(data) is None
    assert proof_or_nothing(b"PK\x03\x04" + data + b"PK\x05\x06" + bytes(18)) is None
