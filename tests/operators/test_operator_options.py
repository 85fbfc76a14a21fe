"""The operator's signature and its docs say of each option what its declaration says."""

from __future__ import annotations

import inspect
import re

import pytest

from canvas_exports.core.export.options import OPTIONS
from canvas_exports.operators.content_export import CanvasContentExportOperator

ARGUMENTS = dict(
    re.findall(
        r"^    (\w+): (.*(?:\n      .*)*)", inspect.getdoc(CanvasContentExportOperator) or "", re.MULTILINE
    )
)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_of_the_operator_is_as_it_is_declared(name: str) -> None:
    option = OPTIONS[name]
    rule = option.values.rule
    limits = f" {rule['minimum']:g} to {rule['maximum']:g}." if "minimum" in rule else ""
    assert " ".join(ARGUMENTS[name].split()) == f"{option.doc}{limits}"
    default = inspect.signature(CanvasContentExportOperator).parameters[name].default
    assert option.values.read(name, default) == option.values.read(name, option.default)
