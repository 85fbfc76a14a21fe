"""Character references of any number are replaced, and none is an error."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.packages.build import cartridge
from tests.support.packages.stored import proven

from canvas_exports.core.restore.result import canvas_text
from canvas_exports.core.text.html_entities import unescape

ENDLESS = f"&#{'1' * 5_000};"


@given(st.text(alphabet="&#x0123456789abcf;am<", max_size=40))
def test_it_reads_as_html_does(text: str) -> None:
    if not any(len(part.partition(";")[0]) > 12 for part in text.split("&#")):
        assert unescape(text) == html.unescape(text)


@pytest.mark.parametrize("text", [ENDLESS, ENDLESS.replace("#", "#x"), f"&#{'9' * 1_000_000}"])
def test_a_number_of_very_many_digits_is_no_error(text: str) -> None:
    assert unescape(text).startswith("\N{REPLACEMENT CHARACTER}")


def test_a_message_of_canvas_with_such_a_number_is_shown() -> None:
    assert canvas_text(f"Quiz {ENDLESS} failed").startswith("Quiz ")


def test_a_package_whose_export_errors_have_such_a_number_is_proven() -> None:
    proof = proven(cartridge(errors=["Export errors for export 501:", f"The page {ENDLESS}"])).proof
    assert [finding.code for finding in proof.findings] == ["export_error"]
