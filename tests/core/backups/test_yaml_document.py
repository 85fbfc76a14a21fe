from __future__ import annotations

from typing import Any

import pytest

from canvas_exports.core.backups.yaml_document import read_document


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("101", 101),
        ("0", 0),
        ("-1", -1),
        ("0101", "0101"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("1.3", "1.3"),
        ("1.30", "1.30"),
        ("1e3", "1e3"),
        ("2026-09-01", "2026-09-01"),
        ("9" * 20, "9" * 20),
        ("true", True),
        ("False", False),
        ("no", "no"),
        ("on", "on"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'101'", "101"),
        ('"true"', "true"),
        ("5%", "5%"),
        ("[1, a]", [1, "a"]),
        ("{a: 1}", {"a": 1}),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_a_value_means_what_stands_there(written: str, meant: Any) -> None:
    document = read_document(f"value: {written}", "a.yaml")
    assert document.problems == []
    assert document.data == {"value": meant}
    assert type(document.data["value"]) is type(meant)


def test_every_field_and_item_has_its_line() -> None:
    text = "# comment\nname: a\ncourses:\n  ids:\n    - 1\n    - 2\ntags: [a,\n  b]\n"
    document = read_document(text, "a.yaml")
    assert document.lines == {
        (): 2,
        ("name",): 2,
        ("courses",): 3,
        ("courses", "ids"): 4,
        ("courses", "ids", 0): 5,
        ("courses", "ids", 1): 6,
        ("tags",): 7,
        ("tags", 0): 7,
        ("tags", 1): 8,
    }


def test_a_field_that_is_not_there_has_the_line_of_what_it_belongs_to() -> None:
    document = read_document("name: a\ncourses:\n  ids: [1]\n", "a.yaml")
    assert document.problem(("courses", "filters", "state"), "x").line == 2
    assert document.problem(("archive",), "x").line == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: a\nname: b\n", "a.yaml, line 2, name: written twice, first on line 1."),
        (
            "courses:\n  ids: [1]\n  ids: [2]\n",
            "a.yaml, line 3, courses.ids: written twice, first on line 2.",
        ),
        (
            "a: &x 1\nb: *x\n",
            "a.yaml, line 1: not valid YAML: anchors and aliases are not understood here; write the value out.",
        ),
        (
            "a: 1\nb: *x\n",
            "a.yaml, line 2: not valid YAML: anchors and aliases are not understood here; write the value out.",
        ),
        (
            "a: !!python/name:os.system x\n",
            "a.yaml, line 1, a: tags are not understood here; write the plain value.",
        ),
        ("a: 1\n  b: 2\n", "a.yaml, line 2: not valid YAML: mapping values are not allowed here."),
        ("a: [1\nb: 2\n", "a.yaml, line 2: not valid YAML: "),
        ("a: 1\n---\nb: 2\n", "a.yaml, line 2: not valid YAML: but found another document."),
        ("schedule: * 2 * * *\n", "a.yaml, line 1: not valid YAML: "),
        ("a: \x07\n", "a.yaml, line 1: not valid YAML: special characters are not allowed."),
        ("? [1, 2]\n: 3\n", "a.yaml, line 1: line 1 has a key that is not text."),
        ("a: " + "[" * 5000, "a.yaml, line 1: not valid YAML: it is nested too deeply."),
    ],
)
def test_what_is_wrong_with_the_yaml_is_reported_with_its_line(text: str, told: str) -> None:
    problems = [str(problem) for problem in read_document(text, "a.yaml").problems]
    assert len(problems) == 1
    assert problems[0].startswith(told)


def test_an_empty_file_holds_nothing() -> None:
    document = read_document("# only a comment\n", "a.yaml")
    assert (document.data, document.problems) == (None, [])
