"""An option is declared once: what it accepts, as a schema says it and as it is read, is the same."""

from __future__ import annotations

import pytest

from canvas_exports.core.export.options import OPTIONS, BatchOptions, build_options
from canvas_exports.errors import InputError

NUMBERS = [name for name, option in OPTIONS.items() if "minimum" in option.values.rule]


@pytest.mark.parametrize("name", OPTIONS)
def test_its_default_is_that_of_a_batch(name: str) -> None:
    assert OPTIONS[name].values.read(name, OPTIONS[name].default) == getattr(BatchOptions, name)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_read_within_the_limits_of_its_schema(name: str) -> None:
    read, rule = OPTIONS[name].values.read, OPTIONS[name].values.rule
    assert [read(name, rule["minimum"]), read(name, rule["maximum"])] == [rule["minimum"], rule["maximum"]]
    for value in (rule["minimum"] - 0.1, rule["minimum"] - 1, rule["maximum"] + 1):
        with pytest.raises(InputError, match=name):
            read(name, value)


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if "enum" in option.values.rule])
def test_a_word_is_one_of_its_schema(name: str) -> None:
    for word in OPTIONS[name].values.rule["enum"]:
        build_options(courses=["1"], **{name: word})
    with pytest.raises(InputError, match=f"^{name}: "):
        build_options(courses=["1"], **{name: "another"})


def test_nothing_else_is_an_option() -> None:
    with pytest.raises(TypeError, match="no options of a batch: colour"):
        build_options(courses=["1"], colour="blue")
