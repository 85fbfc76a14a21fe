"""Packages: whole zips, deterministic, of any size, and never in memory."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas_sandbox import Course, Group, Sandbox, Switches
from canvas_sandbox.packages.filler import POOL_SIZE, Filler
from canvas_sandbox.packages.virtual_file import VirtualFile
from canvas_sandbox.packages.zip_layout import directory_member, filler_member, lay_out, text_member

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

quick = settings(derandomize=True, max_examples=60, deadline=None)
GIB = 1024**3


@pytest.mark.parametrize("export_type", ["common_cartridge", "qti", "zip"])
@pytest.mark.parametrize("size", [0, 30_000, 2_000_000])
def test_every_package_opens_and_passes_testzip(
    start: Start, call: Call, export_type: str, size: int
) -> None:
    package = call(start(Course(id=101, name="<Biology> & 'Co'", size=size))).package(export_type)
    assert package.testzip() is None
    assert len(set(package.namelist())) == len(package.namelist())
    for name in package.namelist():
        if name.endswith((".xml", ".qti")):
            ET.fromstring(package.read(name))  # noqa: S314  our own documents


@pytest.mark.parametrize("version", ["1.1", "1.3"])
def test_a_cartridge_has_the_parts_canvas_writes(canvas: Sandbox, admin: Caller, version: str) -> None:
    package = admin.package(version=version)
    names = package.namelist()
    for part in (
        "canvas_export.txt",
        "course_settings.xml",
        "context.xml",
        "module_meta.xml",
        "files_meta.xml",
    ):
        assert f"course_settings/{part}" in names
    assert "wiki_content/" in names
    assert "web_resources/" in names
    assert any(re.fullmatch(r"g[0-9a-f]{32}/assessment_qti\.xml", name) for name in names)
    assert any(name.endswith("/assignment.xml") for name in names) is (version == "1.3")
    context = package.read("course_settings/context.xml").decode()
    assert "<course_id>101</course_id>" in context
    assert f"<canvas_domain>{canvas.url.removeprefix('http://')}</canvas_domain>" in context
    manifest = package.read("imsmanifest.xml").decode()
    assert '<organization identifier="org_1" structure="rooted-hierarchy">' in manifest
    assert '<item identifier="LearningModules">' in manifest


def test_links_from_pages_to_files_are_percent_encoded(admin: Caller) -> None:
    package = admin.package()
    pages = [name for name in package.namelist() if name.endswith(".html")]
    text = "".join(package.read(name).decode() for name in pages)
    links = re.findall(r'href="\$IMS-CC-FILEBASE\$/([^"]*)"', text)
    assert any("%20" in link for link in links)
    assert any("%26" in link for link in links)
    assert all(re.fullmatch(r"[\w.~/%-]+", link, re.ASCII) for link in links)
    assert {f"web_resources/{unquote(link)}" for link in links} <= set(package.namelist())


def test_a_qti_package_has_its_own_manifest(admin: Caller) -> None:
    package = admin.package("qti")
    assert b"<schema>IMS Content</schema>" in package.read("imsmanifest.xml")
    assert package.namelist()[-2:] == ["non_cc_assessments/", "imsmanifest.xml"]


def test_groups_and_users_have_files(start: Start, call: Call) -> None:
    admin = call(start(groups=[Group(id=7, size=9_000)]))
    for context in ("groups/7", "users/self"):
        package = admin.package("zip", context)
        assert package.testzip() is None
        assert len(package.namelist()) == 6


def contents(package: zipfile.ZipFile) -> dict[str, tuple[int, int]]:
    return {entry.filename: (entry.CRC, entry.file_size) for entry in package.infolist()}


def test_an_unchanged_course_differs_only_in_the_date_of_its_manifest(canvas: Sandbox, admin: Caller) -> None:
    first = admin.package()
    canvas.advance(86_400)
    second = admin.package()
    changed = {name for name, entry in contents(second).items() if contents(first)[name] != entry}
    assert changed == {"imsmanifest.xml"}
    dates = [
        re.findall(r"<lomimscc:dateTime>(.*?)<", each.read("imsmanifest.xml").decode())
        for each in (first, second)
    ]
    assert dates[0] != dates[1]


def test_an_edited_course_differs_in_its_content(canvas: Sandbox, admin: Caller) -> None:
    first = contents(admin.package())
    canvas.edit_course(101)
    second = contents(admin.package())
    assert {name for name in second if name.startswith("web_resources/") and name not in first}


def test_identifiers_are_stable_between_exports(canvas: Sandbox, admin: Caller) -> None:
    names = admin.package().namelist()
    canvas.edit_course(101)
    keys = [
        {name[:33] for name in each if re.match(r"g[0-9a-f]{32}", name)}
        for each in (names, admin.package().namelist())
    ]
    assert keys[0] == keys[1]


def test_content_depends_on_course_and_seed(start: Start, call: Call) -> None:
    def files(course_id: int, seed: int) -> set[tuple[int, int]]:
        admin = call(start(Course(id=course_id), seed=seed))
        return set(contents(admin.package("zip", f"courses/{course_id}")).values())

    assert files(101, 1) == files(101, 1)
    assert files(101, 1) != files(101, 2)
    assert files(101, 1) != files(102, 1)


@pytest.mark.parametrize("size", [60_000, 1_000_000, 80_000_000])
def test_a_package_is_about_as_large_as_asked(start: Start, call: Call, size: int) -> None:
    admin = call(start(Course(id=101, size=size)))
    export = admin.finish(admin.create())
    assert abs(export["attachment"]["size"] - size) < 8_000


class Remote(io.RawIOBase):
    """A file that is read by ranges."""

    def __init__(self, url: str, size: int) -> None:
        self._url, self._size, self._at = url, size, 0
        self.fetched = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def readinto(self, target: Any) -> int:
        stop = min(self._at + len(target), self._size)
        if stop <= self._at:
            return 0
        headers = {"Range": f"bytes={self._at}-{stop - 1}"}
        data = requests.get(self._url, headers=headers, timeout=20).content
        target[: len(data)] = data
        self._at += len(data)
        self.fetched += len(data)
        return len(data)


def test_a_package_of_5_gib_has_its_length_and_directory_without_being_made(start: Start, call: Call) -> None:
    admin = call(start(Course(id=101, size=5 * GIB)))
    export = admin.finish(admin.create())
    size = export["attachment"]["size"]
    url = admin.get(export["attachment"]["url"], allow_redirects=False).headers["Location"]
    head = requests.head(url, timeout=20)
    assert int(head.headers["Content-Length"]) == size
    assert 5 * GIB < size < 5 * GIB + 10_000
    remote = Remote(url, size)
    package = zipfile.ZipFile(remote)
    assert sum(entry.file_size for entry in package.infolist()) > 5 * GIB - 100_000
    assert package.infolist()[-1].header_offset > 4 * GIB
    assert b"</manifest>" in package.read("imsmanifest.xml")
    assert remote.fetched < 1_000_000


MEASURE = """
import sys, requests
from canvas_sandbox import Course, Sandbox
import resource
with Sandbox([Course(id=101, size=int(sys.argv[1]), duration=0)]) as canvas:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {canvas.token}"
    path = f"{canvas.url}/api/v1/courses/101/content_exports"
    export = session.post(path, {"export_type": "common_cartridge"}).json()
    url = session.get(f"{path}/{export['id']}").json()["attachment"]["url"]
    length = 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with session.get(url, stream=True) as response:
        while block := response.raw.read(1 << 20):
            length += len(block)
    print(length, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_streaming_200_mb_takes_no_memory() -> None:
    size = 200_000_000
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(size)], capture_output=True, text=True, check=True, timeout=60
    )
    length, grown = map(int, run.stdout.split())
    assert abs(length - size) < 8_000
    assert grown < 24 * 1024


@quick
@given(st.text(max_size=5), st.one_of(st.integers(0, 100), st.integers(POOL_SIZE - 50, 3 * POOL_SIZE)))
def test_the_crc_of_filler_is_known_without_reading_it(name: str, size: int) -> None:
    filler = Filler(name, size)
    assert filler.crc == zlib.crc32(VirtualFile([filler]).read())


@quick
@given(st.data())
def test_any_part_of_a_virtual_file_is_the_same_as_of_the_whole(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(0, 700), max_size=5))
    members = [directory_member("a/"), text_member("a/b.txt", "text " * 50)]
    members += [filler_member(f"a/{number}", str(number), size) for number, size in enumerate(sizes)]
    package = lay_out(members, 1_700_000_000, zip64=data.draw(st.booleans()))
    whole = package.read()
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    block = data.draw(st.integers(1, 4000))
    assert b"".join(package.blocks(start, stop, block)) == whole[start:stop]
    assert package.part(start, stop).read() == whole[start:stop]
    assert len(whole) == package.size
    assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None


def test_a_member_above_4_gib_has_zip64_sizes_in_header_and_directory() -> None:
    package = lay_out([filler_member("large", "k", 5 * GIB), filler_member("late", "l", 10)], 1_700_000_000)
    header = package.read(0, 30 + 5 + 20)
    assert struct.unpack("<LL", header[18:26]) == (0xFFFFFFFF, 0xFFFFFFFF)
    assert struct.unpack("<HHQQ", header[35:55]) == (1, 16, 5 * GIB, 5 * GIB)
    tail = package.read(package.size - 400)
    assert b"PK\x06\x06" in tail
    assert b"PK\x06\x07" in tail


def test_sandboxes_do_not_share_their_ports() -> None:
    switches = Switches(manual_clock=True)
    with Sandbox(switches=switches) as one, Sandbox(switches=switches) as two:
        urls = {one.url, two.url, one.storage_url, two.storage_url}
    assert len(urls) == 4
