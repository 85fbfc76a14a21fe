"""Another course or another Canvas than the expected one is noticed."""

from __future__ import annotations

import pytest
from tests.support.packages.build import (
    cartridge,
    context_xml,
)
from tests.support.packages.stored import codes_of, prove_buffered

from canvas_exports.core.packages.proof import Severity, Verdict
from canvas_exports.errors import WrongPackageError


def test_a_package_of_another_course_is_wrong() -> None:
    with pytest.raises(WrongPackageError, match="course 102, not 101"):
        prove_buffered(cartridge(context=context_xml(102)))


def test_a_package_of_another_canvas_is_wrong_and_says_what_to_do_if_it_is_not() -> None:
    with pytest.raises(WrongPackageError, match="make the first the connection's host"):
        prove_buffered(cartridge(context=context_xml(host="other.example.edu")))


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("canvas.example.edu", "Canvas.Example.EDU"),
        ("canvas.example.edu:443", "canvas.example.edu"),
        ("https://canvas.example.edu/", "canvas.example.edu"),
        ("uni.instructure.com", "uni.beta.instructure.com"),
        ("uni.test.instructure.com", "uni.instructure.com"),
    ],
)
def test_other_spellings_of_the_same_host_are_accepted(written: str, asked: str) -> None:
    assert prove_buffered(cartridge(context=context_xml(host=written)), canvas_host=asked).findings == ()


@pytest.mark.parametrize("root_account", [7, 20_000_000_000_007])
def test_a_canvas_under_another_name_is_known_by_its_root_account(root_account: int) -> None:
    data = cartridge(context=context_xml(host="uni.instructure.com", root_account=root_account))
    proof = prove_buffered(data, canvas_host="canvas.uni.edu", root_account_id=lambda: 7)
    assert proof.verdict is Verdict.WHOLE
    assert codes_of(proof) == ["other_host_name"]


def test_another_name_and_another_root_account_is_another_canvas() -> None:
    with pytest.raises(WrongPackageError):
        prove_buffered(
            cartridge(context=context_xml(host="uni.instructure.com")),
            canvas_host="canvas.uni.edu",
            root_account_id=lambda: 7,
        )


@pytest.mark.parametrize(("written", "asked"), [(20_000_000_000_101, 101), (101, 20_000_000_000_101)])
def test_a_course_number_is_the_same_with_and_without_its_shard(written: int, asked: int) -> None:
    assert prove_buffered(cartridge(context=context_xml(written)), course_id=asked).verdict is Verdict.WHOLE


def test_two_courses_of_two_shards_are_not_the_same() -> None:
    with pytest.raises(WrongPackageError):
        prove_buffered(cartridge(context=context_xml(20_000_000_000_101)), course_id=30_000_000_000_101)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (cartridge(context=None), "course_unproven"),
        (cartridge(context=context_xml("")), "course_unproven"),
        (cartridge(context=b"<context_info><course_id>101</course_id></context_info>"), "canvas_unproven"),
    ],
)
def test_what_the_package_does_not_say_is_noted(data: bytes, code: str) -> None:
    proof = prove_buffered(data)
    assert proof.verdict is Verdict.WHOLE
    assert [(f.code, f.severity) for f in proof.findings] == [(code, Severity.INFO)]


def test_a_group_has_no_course_to_prove() -> None:
    assert prove_buffered(cartridge(context=None), course_id=None).findings == ()
