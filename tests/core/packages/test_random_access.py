from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas_exports.core.packages.random_access import BytesNotKeptError, StoredPackage, TailBuffer
from canvas_exports.core.storage.open_store import open_store

SPAN = st.tuples(st.integers(0, 300), st.integers(0, 300)).map(lambda ends: range(min(ends), max(ends)))


@settings(max_examples=300)
@given(
    data=st.binary(max_size=300),
    step=st.integers(1, 120),
    tail=st.integers(1, 60),
    known=st.booleans(),
    spans=st.tuples(SPAN, SPAN),
)
def test_tail_and_windows_are_kept_however_the_stream_is_cut(
    data: bytes, step: int, tail: int, known: bool, spans: tuple[range, range]
) -> None:
    blocks = [data[start : start + step] for start in range(0, len(data), step)]
    window, asked = spans
    kept = TailBuffer(len(data) if known else None, [window], tail)
    assert b"".join(bytes(block) for block in kept.record(iter(blocks))) == data
    assert kept.size == len(data)

    within = range(min(asked.start, len(data)), min(asked.stop, len(data)))
    in_tail = within.start >= len(data) - tail
    in_window = window.start <= within.start and within.stop <= window.stop
    try:
        assert kept.read(within) == data[within.start : within.stop]
    except BytesNotKeptError:
        assert within
        assert not in_tail
        assert not in_window


def test_a_stored_package_is_within_reach_everywhere(tmp_path: Path) -> None:
    with open_store(f"file://{tmp_path}") as store:
        store.put("courses/1/a.zip", [b"0123456789"])
        stored = StoredPackage(store, "courses/1/a.zip", 10)
        assert stored.read(range(2, 5)) == b"234"


def test_the_error_says_what_is_needed() -> None:
    kept = TailBuffer(10, tail=2)
    list(kept.record(iter([b"0123456789"])))
    with pytest.raises(BytesNotKeptError, match="bytes 1 to 3"):
        kept.read(range(1, 3))
