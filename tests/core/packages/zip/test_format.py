"""A file that is no zip is recognised by its first bytes."""

from __future__ import annotations

import pytest

from canvas_exports.core.packages.zip.format import check_start
from canvas_exports.errors import CorruptPackageError


@pytest.mark.parametrize("start", [b"", b"P", b"<", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
def test_a_zip_or_too_few_bytes_pass(start: bytes) -> None:
    check_start(start)


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        (b"<html>", "web page"),
        (b"\n  <!DOCTYPE html>", "web page"),
        (b"\x7fELF", "not a zip"),
        (b"xx", "not a zip"),
    ],
)
def test_anything_else_is_corrupt(start: bytes, problem: str) -> None:
    with pytest.raises(CorruptPackageError, match=problem):
        check_start(start)
