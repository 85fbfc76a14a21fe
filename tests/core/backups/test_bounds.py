"""No file in ``include/backups`` costs the others their DAGs, or Airflow its time: it is a backup, or told in a few lines."""

from __future__ import annotations

import codecs
import os
import sys
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.support.backups.backup_files import Write

from canvas_exports.core.backups import load_backups
from canvas_exports.core.backups.load import MAX_BYTES, MOST_PROBLEMS
from canvas_exports.core.backups.problems import MOST_TEXT, Mistake
from canvas_exports.core.backups.schema import find_violations

WHOLE = "name: nightly\nschedule: '@daily'\narchive: file:///archive\ncourses: {ids: [101]}\n"
MEGABYTE = "A" * 200_000
LONGEST = MOST_TEXT + 500  # characters of a line of an import error

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def told(include: Path) -> list[str]:
    """What a file makes Airflow say; the file beside it stays a backup."""
    (include / "backups" / "whole.yaml").write_text(WHOLE.replace("nightly", "whole"))
    loaded = load_backups(include)
    assert "whole" in [backup.name for backup in loaded.backups]
    lines = [str(problem) for problem in loaded.problems]
    assert len(lines) <= MOST_PROBLEMS
    for line in lines:
        assert line.isprintable()
        assert line.startswith("include/backups/nightly.yaml")
        assert len(line) <= LONGEST
    return lines


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        WHOLE + "tags: &all [law]\n",
        WHOLE.replace("[101]", "*all"),
        "<<: *x\n",
    ],
)
def test_anchors_and_aliases_are_refused(write: Write, text: str) -> None:
    (line,) = told(write(text))
    assert "anchors and aliases are not understood here; write the value out." in line


@pytest.mark.parametrize(
    "field",
    [
        "name",
        "schedule",
        "timezone",
        "start_date",
        "archive",
        "proof",
        "deadline",
        "fail_on",
        "key_template",
        "sweep_after",
    ],
)
@pytest.mark.parametrize(
    "value", [MEGABYTE, "{{" * 60_000, "0-59/1," * 20_000, "://" * 60_000, "\u202e" * 60_000]
)
def test_a_long_value_is_reported_in_a_short_line(write: Write, field: str, value: str) -> None:
    kept = "\n".join(line for line in WHOLE.splitlines() if not line.startswith(f"{field}:"))
    lines = told(write(f"{kept}\n{field}: '{value}'\n"))
    assert any("is longer than 2,000 characters." in line for line in lines)


def test_a_long_key_is_reported_in_a_short_line(write: Write) -> None:
    assert told(write(f"{WHOLE}{MEGABYTE}: 1\n? {MEGABYTE}B\n: 2\n"))


@pytest.mark.parametrize(
    "text",
    [
        WHOLE.replace("[101]", str(["x"] * 40_000)),
        WHOLE + "".join(f"k{number}: 1\n" for number in range(15_000)),
        WHOLE + "tags:\n" + "- []\n" * 40_000,
    ],
)
def test_many_problems_are_reported_in_a_few_lines(write: Write, text: str) -> None:
    lines = told(write(text))
    assert len(lines) == MOST_PROBLEMS
    assert lines[-1].endswith("there are more problems; fix these first.")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_deep_nesting_is_reported_whatever_pythons_own_limit_is(write: Write, opening: str) -> None:
    include = write(WHOLE + "tags: " + opening * 5_000)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        (line,) = told(include)
    finally:
        sys.setrecursionlimit(limit)
    assert "not valid YAML" in line


def test_a_large_file_is_reported_and_not_read_to_its_end(include: Path) -> None:
    with (include / "backups" / "nightly.yaml").open("wb") as file:
        file.truncate(1 << 40)  # a terabyte of nothing
    (line,) = told(include)
    assert line.endswith("is larger than 256 KiB; move the courses to a course list.")


def test_a_pipe_is_no_file_and_nobody_waits_for_it(include: Path) -> None:
    os.mkfifo(include / "backups" / "nightly.yaml")
    assert told(include) == ["include/backups/nightly.yaml: is not a file."]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            codecs.BOM_UTF16_LE + WHOLE.encode("utf-16-le"),
            "line 1: it is written in UTF-16 or UTF-32; save it as UTF-8.",
        ),
        (
            codecs.BOM_UTF16_BE + WHOLE.encode("utf-16-be"),
            "line 1: it is written in UTF-16 or UTF-32; save it as UTF-8.",
        ),
        (
            codecs.BOM_UTF32_LE + WHOLE.encode("utf-32-le"),
            "line 1: it is written in UTF-16 or UTF-32; save it as UTF-8.",
        ),
        (WHOLE.encode("utf-16-le"), "line 1: it holds a NUL character, so it is no text file."),
        (f"{WHOLE}description: Bücher".encode("latin-1"), "line 5: it is not UTF-8; save it as UTF-8."),
        (WHOLE.replace("\n", "\r\n").encode() + b"\r\n\xff", "line 6: it is not UTF-8; save it as UTF-8."),
        (WHOLE.encode() + b"tags: [a\0b]\n", "line 5: it holds a NUL character, so it is no text file."),
        (
            f"{WHOLE}description: a\u2028b: c".encode(),
            "line 5: not valid YAML: it holds the character U+2028; write a plain line break.",
        ),
        (
            f"{WHOLE}#\x85\ntags: []".encode(),
            "line 5: not valid YAML: it holds the character U+0085; write a plain line break.",
        ),
        (f"{WHOLE}tags: ['\x1b']".encode(), "line 5: not valid YAML: special characters are not allowed."),
        (
            WHOLE.encode() + b'description: "\\uD800"',
            "line 5, description: holds half a character, written as an escape; write the whole one.",
        ),
        (WHOLE.encode() + b'description: "\\UFFFFFFFF"', "line 5: not valid YAML: it cannot be read."),
    ],
    ids=range(12),
)
def test_odd_encodings_and_characters_are_reported_with_their_line(
    include: Path, data: bytes, said: str
) -> None:
    (include / "backups" / "nightly.yaml").write_bytes(data)
    assert told(include) == [f"include/backups/nightly.yaml, {said}"]


def test_a_byte_order_mark_is_no_part_of_a_backup(include: Path) -> None:
    (include / "backups" / "nightly.yaml").write_bytes(codecs.BOM_UTF8 + WHOLE.encode())
    assert told(include) == []


def test_a_long_mixed_list_is_compared_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """jsonschema's own ``uniqueItems`` compares each with each: two thousand million times for this list."""
    compared = []

    def equal(one: object, two: object) -> bool:
        compared.append((one, two))
        return one == two

    monkeypatch.setattr("jsonschema._utils.equal", equal)
    mixed = [number if number % 2 else f"sis_course_id:{number}" for number in range(60_000)]
    document = {
        "name": "a",
        "schedule": None,
        "archive": "file:///a",
        "courses": {"ids": mixed},
        "tags": ["x"],
    }
    assert list(islice(find_violations(document), 3)) == []
    assert compared == []
    assert list(find_violations({**document, "tags": ["x", "x"]})) == [
        (("tags",), Mistake("names something twice."))
    ]


TOKENS = st.sampled_from(
    ["name: a\n", "schedule: null\n", "courses:\n", "  ids: ", "[1]", "{", "}", "[", "]", "- ", "? ", ": ", "&a ", "*a ", "!", "!!int ",
     "%YAML 1.1\n", "%TAG ! x\n", "---\n", "...\n", "|", ">+9\n", "'", '"', "\\x", "\\U0011FFFF", "\\u", "#", "\t", "\n", "\r", "\x85",
     "\u2028", "\ufeff", "<<: ", "=", "~", "9" * 5000, "0x1", ".inf", "{{ x }}", "keep: ", "filters: ", "select: ", "archive: ", "groups: "]
)  # fmt: skip


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(TOKENS | st.text(max_size=4), max_size=30)
    .map("".join)
    .map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.binary(max_size=60)
)
@example(b'"\\UFFFFFFFF"')
@example(b"%YAML " + b"9" * 5000 + b".1\n---\n")
def test_any_document_at_all_is_a_backup_or_reported(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    include = tmp_path_factory.mktemp("any") / "include"
    (include / "backups").mkdir(parents=True)
    (include / "backups" / "nightly.yaml").write_bytes(data)
    assert told(include) or len(load_backups(include).backups) == 2, (
        "either told, or a backup like the other one"
    )


def test_the_bound_of_a_file_leaves_room_for_thousands_of_courses() -> None:
    assert len(str(list(range(10_000, 40_000)))) < MAX_BYTES
