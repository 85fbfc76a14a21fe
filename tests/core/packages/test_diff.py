"""Two versions of a course: what makes the second out of the first."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.packages.build import PAGE, cartridge, cartridge_files, manifest_xml, zipped
from tests.support.packages.stored import buffered

from canvas_exports.core.packages.diff import (
    Change,
    PackageContents,
    PackageDiff,
    diff,
    read_contents,
)
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.packages.prove_directory import prove_directory


def contents_of(data: bytes, export_type: str = "common_cartridge") -> PackageContents:
    return read_contents(buffered(data), export_type=export_type)


def digest(data: bytes, export_type: str = "common_cartridge") -> str:
    return prove_directory(buffered(data), Expectation(export_type)).content_digest


def compared(one: bytes, other: bytes, export_type: str = "common_cartridge") -> PackageDiff:
    return diff(contents_of(one, export_type), contents_of(other, export_type))


def names(changes: tuple[Change, ...]) -> list[str]:
    return [change.name for change in changes]


def test_what_was_added_removed_and_changed() -> None:
    one = cartridge({PAGE: b"old", "a.txt": b"a", "b.txt": b"b"})
    other = cartridge({PAGE: b"newer", "b.txt": b"b", "c.txt": b"cc"})
    found = compared(one, other)
    assert found.added == (Change("c.txt", None, None, 2),)
    assert found.removed == (Change("a.txt", None, 1, None),)
    assert Change(PAGE, None, 3, 5) in found.changed
    assert found.summary == f"1 added, 1 removed, {len(found.changed)} changed"
    assert names(found.changed) == ["imsmanifest.xml", PAGE]  # it lists the files


def test_what_changes_at_every_export_is_no_difference() -> None:
    one, other = (zipped(cartridge_files({PAGE: b"p"}, day=day)) for day in ("2026-11-23", "2026-11-24"))
    assert compared(one, other).is_same
    assert compared(one, other).summary == "nothing changed"


def test_members_bear_the_titles_of_the_outline() -> None:
    outline = (
        b'<organization identifier="org_1"><item identifier="m"><title>Week 1</title>'
        b'<item identifier="i" identifierref="r"><title>Welcome</title></item></item></organization>'
    )
    manifest = manifest_xml([PAGE]).replace(b'<organization identifier="org_1"/>', outline)
    one, other = ({PAGE: text, "imsmanifest.xml": manifest} for text in (b"old", b"new"))
    assert compared(zipped(one), zipped(other)).changed == (Change(PAGE, "Welcome", 3, 3),)


FILES = st.dictionaries(
    st.sampled_from(["a", "b", "wiki_content/c.html", "d/"]), st.binary(max_size=2), max_size=4
)


@settings(max_examples=150)
@given(
    one=FILES,
    other=FILES,
    export_type=st.sampled_from(["common_cartridge", "zip"]),
    day=st.sampled_from("12"),
)
def test_it_is_its_own_inverse_and_says_nothing_exactly_where_the_digests_are_equal(
    one: dict[str, bytes], other: dict[str, bytes], export_type: str, day: str
) -> None:
    def package(files: dict[str, bytes], day: str) -> bytes:
        whole = {name: b"" if name.endswith("/") else data for name, data in files.items()}
        if export_type == "zip":
            return zipped(whole)
        return zipped(cartridge_files(whole, day=f"2026-11-0{day}"))

    first, second = package(one, "1"), package(other, day)
    there, back = compared(first, second, export_type), compared(second, first, export_type)
    assert names(there.added) == names(back.removed)
    assert names(there.removed) == names(back.added)
    assert [(change.name, change.before, change.after) for change in there.changed] == [
        (change.name, change.after, change.before) for change in back.changed
    ]
    assert there.is_same == (digest(first, export_type) == digest(second, export_type))
