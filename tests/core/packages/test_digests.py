"""Digests: the same whatever the blocks, made as this process should, and compared without a doubt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st
from tests.support.packages.algorithms import without_blake3

from canvas_exports.core.packages import digests
from canvas_exports.core.packages.digests import (
    BLAKE3,
    FAST,
    LABELS,
    SHA256,
    Hasher,
    algorithms_to_check,
    algorithms_to_make,
    algorithms_to_verify,
    can_check,
    digests_of,
    measure,
    mismatch,
)
from canvas_exports.errors import UnknownDigestError

HEX = st.sampled_from(["0" * 64, "1" * 64])
STATED = st.dictionaries(st.sampled_from([BLAKE3, SHA256, "k12", "sha512-256"]), HEX)


@pytest.fixture(params=[True, False], ids=["fast", "slow"])
def is_fast(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the processor makes SHA-256 quickly."""
    monkeypatch.setattr(digests, "_is_sha256_fast", lambda: request.param)
    return bool(request.param)


@pytest.fixture
def no_blake3() -> Iterator[None]:
    """A site without the package ``blake3``."""
    with without_blake3():
        yield


class TestHasher:
    @given(
        st.binary(max_size=5_000),
        st.lists(st.integers(0, 5_000), max_size=5),
        st.sets(st.sampled_from([*LABELS])),
    )
    def test_any_blocks_have_the_digests_of_the_whole(
        self, data: bytes, cuts: list[int], names: set[str]
    ) -> None:
        hasher = Hasher(names)
        for start, end in pairwise(sorted([0, *cuts, len(data)])):
            hasher.update(memoryview(data)[start:end])
        assert hasher.hexdigests() == digests_of(data, names)

    def test_they_are_those_of_other_tools(self) -> None:
        data = bytearray(b"a package")
        assert digests_of(data, LABELS) == {
            BLAKE3: blake3(data).hexdigest(),
            SHA256: hashlib.sha256(data).hexdigest(),
        }
        empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"  # of BLAKE3's paper
        assert digests_of(b"", [BLAKE3]) == {BLAKE3: empty}

    def test_a_block_may_change_once_it_was_taken(self) -> None:
        block, hasher = bytearray(b"first"), Hasher(LABELS)
        hasher.update(memoryview(block))
        block[:] = b"later"
        hasher.update(block)
        assert hasher.hexdigests() == digests_of(b"firstlater", LABELS)

    def test_an_algorithm_of_a_later_release_is_not_made(self) -> None:
        with pytest.raises(ValueError, match="k12"):
            Hasher(["k12"])


class TestWhichAreMade:
    def test_blake3_always_and_sha256_where_it_is_fast(self, is_fast: bool) -> None:
        assert algorithms_to_make() == ((BLAKE3, SHA256) if is_fast else (BLAKE3,))

    def test_blake3_alone_where_sending_it_takes_a_sha256_already(self, is_fast: bool) -> None:
        assert algorithms_to_make(is_hashed=True) == (BLAKE3,), is_fast
        assert algorithms_to_make(SHA256, is_hashed=True) == (SHA256,)

    def test_what_the_connection_requires_alone(self, is_fast: bool) -> None:
        assert algorithms_to_make(SHA256) == (SHA256,), is_fast

    @pytest.mark.usefixtures("no_blake3")
    def test_sha256_where_there_is_no_blake3(self, is_fast: bool) -> None:
        assert algorithms_to_make() == (SHA256,), is_fast

    def test_the_speed_is_that_of_the_best_round(self) -> None:
        taken: list[int] = []
        ticks = iter([0.0, 0.5, 1.0, 1.001, 2.0, 2.25, 3.0, 3.5, 4.0, 4.5])
        speed = measure(lambda data: taken.append(len(data)), lambda: next(ticks))
        assert speed == pytest.approx(taken[0] / 0.001)
        assert sum(taken) <= 2 * 1024 * 1024  # some milliseconds on any processor

    def test_a_clock_that_stands_still_is_no_division_by_zero(self) -> None:
        assert measure(hashlib.sha256, lambda: 1.0) > FAST

    def test_it_is_measured_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        digests._is_sha256_fast.cache_clear()
        times: list[Any] = []

        def measured(digest: Any) -> float:
            times.append(digest)
            return FAST

        monkeypatch.setattr(digests, "measure", measured)
        try:
            assert [algorithms_to_make() for _ in range(3)] == [(BLAKE3, SHA256)] * 3
            assert times == [hashlib.sha256]
        finally:
            digests._is_sha256_fast.cache_clear()


class TestWhichAreCompared:
    @given(STATED, st.sampled_from([None, SHA256]))
    def test_one_that_is_stated_and_the_required_one_if_it_can_be(
        self, stated: dict[str, str], required: str | None
    ) -> None:
        if not stated.keys() & LABELS.keys():
            with pytest.raises(UnknownDigestError) as caught:
                algorithms_to_check(stated, required, key="courses/1/a.json")
            assert not caught.value.retryable
            assert "courses/1/a.json" in str(caught.value)
            assert not can_check(stated, required)
            return
        (name,) = algorithms_to_check(stated, required)
        assert name in stated
        assert (name == required) == (required in stated)
        verified = algorithms_to_verify(stated, required)
        assert name in verified
        assert {*verified} == ({*LABELS} if required is None else {name, SHA256})
        assert can_check(stated, required) == (required in {None, name})

    @pytest.mark.usefixtures("no_blake3")
    def test_without_blake3_only_sha256(self) -> None:
        assert algorithms_to_check({BLAKE3: "0", SHA256: "0"}) == (SHA256,)
        assert algorithms_to_verify({BLAKE3: "0", SHA256: "0"}) == (SHA256,)
        assert not can_check({BLAKE3: "0"})
        with pytest.raises(UnknownDigestError, match="blake3; update this software"):
            algorithms_to_check({BLAKE3: "0"})

    @given(STATED, STATED)
    def test_a_mismatch_of_any_common_one_is_one_and_none_in_common_is_no_answer(
        self, found: dict[str, str], stated: dict[str, str]
    ) -> None:
        common = found.keys() & stated.keys()
        if not common:
            with pytest.raises(UnknownDigestError):
                mismatch(found, stated)
            return
        assert (mismatch(found, stated) is not None) == any(found[name] != stated[name] for name in common)

    def test_a_mismatch_is_named_as_people_write_it(self) -> None:
        assert mismatch({SHA256: "0", BLAKE3: "0"}, {SHA256: "1", BLAKE3: "0"}) == "SHA-256"
