"""Names and kinds of members that are dangerous to unpack are warned of."""

from __future__ import annotations

import io
import stat
import zipfile

import pytest
from tests.support.packages.build import (
    zipped,
)
from tests.support.packages.stored import codes_of, prove_buffered
from tests.support.packages.zips import Entry, packed_zip

from canvas_exports.core.packages.proof import Severity, Verdict


def test_names_that_would_hurt_when_unpacked_are_warned_of() -> None:
    data = zipped(
        [("../up", b"1"), ("/root", b"2"), ("a\\b", b"3"), ("a", b"4"), ("a", b"5"), ("b..c", b"6")]
    )
    proof = prove_buffered(data, "zip")
    assert codes_of(proof) == ["unsafe_name"] * 3 + ["duplicate_name"]
    assert len({finding.message for finding in proof.findings}) == 2
    assert {finding.severity for finding in proof.findings} == {Severity.WARNING}
    assert proof.verdict is Verdict.WHOLE


@pytest.mark.parametrize(
    "name",
    [
        "exam\u202efdp.exe",
        "a\u2066b\u2069.txt",
        "\u200fa.txt",
        "a\u061cb",
        "a\x1b[2Jb",
        "a\x85b",
        "a\u2028b",
        "a\x00b",
        "/etc/passwd",
        "C:/windows/a",
        "c:a",
        "a/../../b",
        "..",
        "a\\b",
        "x" * 5000,
        "a/" + "y" * 1025,
    ],
)
def test_a_name_that_deceives_or_leads_out_is_warned_of(name: str) -> None:
    proof = prove_buffered(packed_zip([Entry("a", b"1"), Entry(name, b"2")]), "zip")
    assert codes_of(proof) == ["unsafe_name"]
    assert proof.findings[0].severity is Severity.WARNING


@pytest.mark.parametrize(
    "name", ["\u05e9\u05dc\u05d5\u05dd.pdf", "\U0001f468\u200d\U0001f469.png", "a..b", "a/b c.txt"]
)
def test_a_name_in_any_language_is_no_finding(name: str) -> None:
    assert codes_of(prove_buffered(packed_zip([Entry(name, b"2")]), "zip")) == []


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        (stat.S_IFLNK | 0o777, ["special_file"]),
        (stat.S_IFCHR | 0o666, ["special_file"]),
        (stat.S_IFIFO | 0o666, ["special_file"]),
        (stat.S_IFREG | 0o644, []),
        (stat.S_IFDIR | 0o755, []),
        (0o644, []),
        (0, []),
    ],
)
def test_a_member_that_is_a_link_or_a_device_is_warned_of(mode: int, found: list[str]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        info = zipfile.ZipInfo("a/b")
        info.create_system, info.external_attr = 3, mode << 16
        package.writestr(info, "/etc/passwd")
    assert codes_of(prove_buffered(buffer.getvalue(), "zip")) == found
