"""Names of files: legal everywhere, never two alike, never one that a browser runs."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.archive.browsing.file_names import FileNames, safe_name, slug
from canvas_exports.core.archive.browsing.file_types import inert_name
from canvas_exports.core.storage.object_keys import is_key

NAMES = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        ["a.txt", "A.TXT", "a-2.txt", "CON", "nul.png", "com1.html", ".htaccess", "..", ".", "", "a.", "a ", "a/../b", "\u00e4.png",
         "a\u0308.png", "\ufb01.png", "x" * 400 + ".pdf", "a\0b", "a\nb", "\u202egnp.exe", "a:b", "lpt\u00b9.txt", "-rf", "a.html"]
    ),
)  # fmt: skip
FOLDERS = st.one_of(st.text(max_size=60), st.lists(NAMES, max_size=12).map("/".join))
RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789\u00b9\u00b2\u00b3"),
}
RUNS = re.compile(r"\.(x?html?|s?html|xht|svgz?|xml|xsl|mht(ml)?|js|css|hta)$", re.IGNORECASE)


@given(st.lists(st.tuples(FOLDERS, NAMES), max_size=20), st.booleans())
def test_every_path_is_legal_everywhere_and_unlike_all_others(
    files: list[tuple[str, str]], ascii_only: bool
) -> None:
    names = FileNames("files", ascii_only=ascii_only)
    paths = [names.path_of(folder, name) for folder, name in files]
    assert len({unicodedata.normalize("NFKC", path).casefold() for path in paths}) == len(paths)
    for path in paths:
        parts = path.split("/")
        assert parts[0] == "files"
        assert len(path) < 330
        assert not RUNS.search(path)
        if ascii_only:
            assert is_key(path)
        for part in parts:
            assert part == part.strip().rstrip(".")
            assert part not in ("", ".", "..")
            assert not part.startswith((".", "-"))
            assert part.isprintable()
            assert not set(part) & set('<>:"\\|?*')
            assert len(part.encode()) <= 140
            assert part.partition(".")[0].strip().lower() not in RESERVED


@given(st.lists(st.tuples(FOLDERS, NAMES), max_size=12))
def test_no_file_has_the_name_of_a_folder(files: list[tuple[str, str]]) -> None:
    names = FileNames("files")
    paths = [names.path_of(folder, name).casefold() for folder, name in files]
    folders = {path[:at] for path in paths for at in range(len(path)) if path[at] == "/"}
    assert not folders & set(paths)


def test_an_ordinary_name_stays() -> None:
    names = FileNames("files")
    assert (
        names.path_of("Week 1", "R\u00e9sum\u00e9 (final).pdf") == "files/Week 1/R\u00e9sum\u00e9 (final).pdf"
    )
    assert names.path_of("", "a.pdf") == "files/a.pdf"
    assert names.path_of("", "A.pdf") == "files/A-2.pdf"


def test_many_files_of_one_name_take_no_time_to_tell_apart() -> None:
    names = FileNames("files")
    paths = {names.path_of("", "a.pdf") for _ in range(20_000)}
    assert len(paths) == 20_000


def test_a_long_path_is_shortened() -> None:
    names = FileNames("files")
    path = names.path_of("/".join(["folder"] * 200), "a.pdf")
    assert re.fullmatch(r"files/[0-9a-f]{12}/a\.pdf", path)
    assert len(names.path_of("x" * 119 + "/" + "y" * 119, "z" * 300 + ".pdf")) < 260


@pytest.mark.parametrize(
    ("name", "inert"),
    [
        ("a.html", "a.html.txt"),
        ("a.SVG", "a.SVG.txt"),
        ("a", "a.bin"),
        ("a.unknown", "a.unknown.bin"),
        ("a.html.", "a.html..bin"),
        ("a.pdf", "a.pdf"),
        ("a.png", "a.png"),
    ],
)
def test_a_browser_runs_no_file(name: str, inert: str) -> None:
    assert inert_name(name) == inert


def test_names_for_stores_and_addresses() -> None:
    assert safe_name("\u00dcbung 1: Zellen.pdf", ascii_only=True) == "Ubung-1-Zellen.pdf"
    assert safe_name("\u7ec6\u80de", ascii_only=True) == "file"
    assert slug("Week 1: Cells & more!") == "week-1-cells-more"
