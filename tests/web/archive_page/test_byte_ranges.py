"""Ranges of bytes, as films and continued downloads ask for them."""

from __future__ import annotations

import pytest
from fastapi import HTTPException
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.web.archive_page.byte_ranges import requested_range, with_file_name


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-9", range(10)),
        ("bytes=90-", range(90, 100)),
        ("bytes=90-500", range(90, 100)),
        ("bytes=-5", range(95, 100)),
        ("bytes=-500", range(100)),
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("bytes=9-3", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_which_bytes_are_sent(header: str | None, wanted: range | None) -> None:
    assert requested_range(header, 100) == wanted


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_bytes_that_there_are_not_are_refused_with_the_size(header: str) -> None:
    with pytest.raises(HTTPException) as refused:
        requested_range(header, 100)
    assert refused.value.status_code == 416
    assert refused.value.headers == {"Content-Range": "bytes */100"}


@given(
    st.text(max_size=40) | st.from_regex(r"bytes=[0-9]{0,20}-[0-9]{0,20}", fullmatch=True),
    st.integers(0, 10**6),
)
def test_no_header_asks_for_bytes_outside(header: str, size: int) -> None:
    try:
        window = requested_range(header, size)
    except HTTPException:
        return
    assert window is None or (0 <= window.start < window.stop <= size)


def test_a_file_name_cannot_add_a_header() -> None:
    assert with_file_name("attachment", 'a"\r\nSet-Cookie: é.pdf') == (
        "attachment; filename*=UTF-8''a%22%0D%0ASet-Cookie%3A%20%C3%A9.pdf"
    )
