"""What counts as the same content."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.packages.build import (
    HOST,
    MARKER,
    PAGE,
    cartridge_files,
    context_xml,
    manifest_xml,
    real,
    zipped,
)
from tests.support.packages.stored import buffered

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.packages.content_digest import content_digest
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.packages.prove_directory import prove_directory
from canvas_exports.core.packages.zip.directory import Member
from canvas_exports.errors import CorruptPackageError
from canvas_sandbox import Course, Sandbox, Switches

DAY = 86_400


def digest(data: bytes, export_type: str = "common_cartridge") -> str:
    return prove_directory(buffered(data), Expectation(export_type)).content_digest


def members_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


class Nights:
    """A Canvas whose course is exported on one night after another."""

    def __init__(self, canvas: Sandbox, client: CanvasClient) -> None:
        self.canvas, self._client = canvas, client

    def package(self, export_type: str) -> bytes:
        self.canvas.advance(DAY)
        course = Context.parse("101")
        export = self._client.create_export(course, ExportRequest.build(export_type))
        self.canvas.advance(120)
        export = self._client.show_export(course, export.id)
        return b"".join(bytes(block) for block in self._client.download(course, export))


@pytest.fixture(scope="module")
def nights() -> Iterator[Nights]:
    switches = Switches(manual_clock=True, duration=60)
    with (
        Sandbox([Course(id=101, name="Biology")], switches=switches) as canvas,
        CanvasClient(canvas.url, canvas.token) as client,
    ):
        yield Nights(canvas, client)


@pytest.mark.parametrize("export_type", ["common_cartridge", "qti", "zip"])
def test_a_course_that_nobody_changed_has_the_same_digest_on_the_next_night(
    nights: Nights, export_type: str
) -> None:
    one, other = nights.package(export_type), nights.package(export_type)
    assert digest(one, export_type) == digest(other, export_type)
    first, second = members_of(one), members_of(other)
    changed = {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)}
    assert changed == ({"imsmanifest.xml"} if export_type != "zip" else set())


@pytest.mark.parametrize("name", ["single-page", "latex", "canvas_cc_gem_course"])
def test_of_a_real_cartridge_the_day_and_the_packing_do_not_count(name: str) -> None:
    files = members_of(real(name))
    manifest = files.pop("imsmanifest.xml")
    redated = re.sub(rb"(?<=dateTime>)[0-9-]+", b"2031-01-01", manifest)
    again = zipped([("imsmanifest.xml", redated), *reversed(files.items())], method=zipfile.ZIP_STORED)
    assert digest(again) == digest(real(name))


def test_order_time_packing_and_the_day_of_the_export_do_not_count() -> None:
    files = cartridge_files()
    again = dict(reversed(cartridge_files(day="2026-11-24").items()))
    assert digest(zipped(files)) == digest(zipped(again, method=0))


def test_the_id_in_the_comments_after_the_manifest_does_not_count() -> None:
    def with_comment(export: int) -> bytes:
        return zipped(cartridge_files(errors=[f"Export errors for export {export}:", "a file is gone"]))

    assert digest(with_comment(501)) == digest(with_comment(502))


def test_the_number_of_the_course_and_all_identifiers_do_not_count() -> None:
    """A restored course has other ones, and is the same course."""
    files = cartridge_files()
    restored = {
        **files,
        "course_settings/context.xml": context_xml(9999, HOST),
        "imsmanifest.xml": files["imsmanifest.xml"].replace(b"gd5", b"g77").replace(b'"r"', b'"s"'),
    }
    assert digest(zipped(restored)) == digest(zipped(files))


def test_the_order_of_the_resources_does_not_count_and_that_of_the_modules_does() -> None:
    one, other = (zipped({MARKER: b"", "imsmanifest.xml": manifest_xml(names)}) for names in ("ab", "ba"))
    assert digest(one) == digest(other)
    modules = manifest_xml("").replace(
        b'<organization identifier="org_1"/>',
        b'<organization identifier="org_1"><item><title>One</title></item><item><title>Two</title></item></organization>',
    )
    swapped = modules.replace(b"One", b"-").replace(b"Two", b"One").replace(b">-<", b">Two<")
    assert digest(zipped({"imsmanifest.xml": modules})) != digest(zipped({"imsmanifest.xml": swapped}))


@pytest.mark.parametrize(
    "changed",
    [
        {PAGE: b"<p>welcome</p>"},
        {"wiki_content/moved.html": b"<p>Welcome</p>"},
        {PAGE: b"<p>Welcome</p>", "web_resources/new.txt": b""},
        {PAGE: b"<p>Welcome</p>", "web_resources/empty/": b""},
    ],
)
def test_what_the_members_hold_counts(changed: dict[str, bytes]) -> None:
    manifest = {MARKER: b"", "imsmanifest.xml": manifest_xml([PAGE])}
    assert digest(zipped({**manifest, **changed})) != digest(zipped({**manifest, PAGE: b"<p>Welcome</p>"}))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"IMS Common Cartridge", b"IMS Content"),
        (b"org_1", b'org_1" structure="rooted-hierarchy'),
        (b"<file href", b'<file intendeduse="lessonplan" href'),
        (b"</lomimscc:lom>", b"<lomimscc:title>Biology II</lomimscc:title></lomimscc:lom>"),
        (b"</lomimscc:lom>", b"<lomimscc:dateTime>2026</lomimscc:dateTime></lomimscc:lom>"),
    ],
)
def test_what_only_the_manifest_says_counts(old: bytes, new: bytes) -> None:
    manifest = manifest_xml([PAGE])
    assert old in manifest
    one, other = ({PAGE: b"p", "imsmanifest.xml": text} for text in (manifest, manifest.replace(old, new)))
    assert digest(zipped(one)) != digest(zipped(other))


def test_in_a_package_of_files_a_file_of_that_name_is_a_file() -> None:
    one, other = (
        zipped({"imsmanifest.xml": manifest_xml([], day=day)}) for day in ("2026-11-23", "2026-11-24")
    )
    assert digest(one, "zip") != digest(other, "zip")


def test_a_manifest_that_cannot_be_read_has_no_digest() -> None:
    with pytest.raises(CorruptPackageError, match="well-formed"):
        content_digest([], [b"<manifest>"])


MEMBERS = st.dictionaries(
    st.text("ab/", min_size=1, max_size=4), st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=5
)


@settings(max_examples=100)
@given(one=MEMBERS, other=MEMBERS, data=st.data())
def test_digests_are_equal_exactly_where_names_sizes_and_sums_are(
    one: dict[str, tuple[int, int]], other: dict[str, tuple[int, int]], data: st.DataObject
) -> None:
    def of(members: dict[str, tuple[int, int]]) -> str:
        order = data.draw(st.permutations(sorted(members)))
        return content_digest(
            Member(name, members[name][0], at, members[name][1], 0, 0, range(at, at + 1))
            for at, name in enumerate(order)
        )

    assert (of(one) == of(other)) == (one == other)
