"""A restored course exports to a package with the content digest of the one it was restored from."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.packages.stored import buffered

from canvas_exports.core.packages.content_digest import content_digest
from canvas_exports.core.packages.zip.directory import read_directory
from canvas_sandbox import Course, Fault, Sandbox, Switches
from canvas_sandbox.content.generate import Source, generate
from canvas_sandbox.content.model import Content, Kind
from canvas_sandbox.content.selection import Selection, pick
from canvas_sandbox.exports.build import build
from canvas_sandbox.exports.package_spec import PackageSpec
from canvas_sandbox.imports.holding.holding import EMPTY_HOLDING
from canvas_sandbox.imports.open_package import BadPackageError, Package
from canvas_sandbox.imports.package_contents import PackageContents
from canvas_sandbox.imports.quiz_and_file_packages import read_files
from canvas_sandbox.imports.read_cartridge import read_cartridge
from canvas_sandbox.packages.virtual_file import Literal, VirtualFile

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

REAL = sorted((Path(__file__).parents[3] / "data" / "packages").glob("*.imscc"))
assert REAL, "the packages of real courses have moved"
LISTINGS = (
    "modules",
    "pages",
    "assignments",
    "assignment_groups",
    "quizzes",
    "discussion_topics",
    "files",
    "folders",
)


def digest(package: bytes) -> str:
    """The digest by which a course is recognised, whatever course of whatever Canvas it is in."""
    return content_digest(read_directory(buffered(package)), [manifest(package).encode()])


def manifest(package: bytes) -> str:
    return zipfile.ZipFile(io.BytesIO(package)).read("imsmanifest.xml").decode()


def members(package: bytes) -> dict[str, bytes]:
    """What is in a package of another kind, whose manifest bears the name of its course."""
    archive = zipfile.ZipFile(io.BytesIO(package))
    return {name: archive.read(name) for name in archive.namelist() if name != "imsmanifest.xml"}


def ids(caller: Caller, course: int) -> list[set[int]]:
    """The database ids of everything that a course lists."""
    listed = (
        caller.get(f"/api/v1/courses/{course}/{name}", params={"per_page": 100}).json() for name in LISTINGS
    )
    return [{row.get("id") or row["page_id"] for row in rows} for rows in listed]


def counts(package: bytes) -> dict[str, int]:
    """How many resources of each type the manifest names."""
    root = ET.fromstring(manifest(package))  # noqa: S314  our own
    types = [str(row.get("type")) for row in root.iter() if row.tag.endswith("}resource")]
    return {name: types.count(name) for name in types}


@pytest.fixture
def canvas(start: Start) -> Sandbox:
    return start(Course(id=101, name="<Biology> & 'Co'"), Course(id=102, name="Drill", size=0))


@pytest.mark.parametrize("version", ["1.1", "1.3"])
@pytest.mark.parametrize("size", [0, 60_000, 5_000_000])
def test_a_generated_course(start: Start, call: Call, size: int, version: str) -> None:
    admin = call(start(Course(id=101, size=size), Course(id=102, size=0)))
    package = admin.exported(version=version)
    assert admin.restore(package)["workflow_state"] == "completed"
    back = admin.exported(context="courses/102", version=version)
    assert digest(back) == digest(package)
    assert counts(back) == counts(package)
    for listing in LISTINGS:
        assert admin.names(listing) == admin.names(listing, 101)


@pytest.mark.parametrize("path", REAL, ids=[path.stem for path in REAL])
def test_a_cartridge_that_a_real_canvas_wrote(admin: Caller, path: Path) -> None:
    package = path.read_bytes()
    assert admin.restore(package)["workflow_state"] == "completed"
    version = "1.3" if path.stem == "single-page" else "1.1"
    assert digest(admin.exported(context="courses/102", version=version)) == digest(package)


def test_a_real_cartridge_is_understood(admin: Caller) -> None:
    admin.restore(next(path for path in REAL if path.stem == "latex").read_bytes())
    assert admin.names("pages") == ["Page 1", "Page 2"]
    assert admin.names("modules") == ["Example Module"]
    (module,) = admin.get("/api/v1/courses/102/modules").json()
    assert [row["page_url"] for row in admin.get(module["items_url"]).json()] == ["page-1", "page-2"]


def test_a_cartridge_of_another_system_is_stored_unchanged(admin: Caller) -> None:
    archive = io.BytesIO()
    namespace = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("a/index.html", "<p>One</p>")
        package.writestr("b/index.html", "<p>Two</p>")
        package.writestr("link.xml", "<webLink/>")
        package.writestr(
            "imsmanifest.xml",
            f"""<manifest identifier="m" xmlns="{namespace}"><metadata><schemaversion>1.1.0</schemaversion></metadata>
            <organizations><organization><item><item identifier="u"><title>Unit</title>
            <item identifier="i" identifierref="r1"><title>One</title></item></item></item></organization>
            </organizations><resources>
            <resource identifier="r1" type="webcontent" href="a/index.html"><file href="a/index.html"/></resource>
            <resource identifier="r2" type="webcontent" href="b/index.html"><file href="b/index.html"/></resource>
            <resource identifier="r3" type="imswl_xmlv1p1"><file href="link.xml"/></resource>
            </resources></manifest>""",
        )
    migration = admin.restore(archive.getvalue(), migration_type="common_cartridge_importer")
    assert migration["workflow_state"] == "completed"
    assert admin.names("modules") == ["Unit"]
    assert admin.names("files") == ["index.html", "index.html"]
    assert admin.names("folders")[1:] == ["a", "b"]
    back = admin.exported(context="courses/102")
    assert digest(back) == digest(archive.getvalue())
    assert members(admin.exported("zip", "courses/102")).keys() == {"a/index.html", "b/index.html"}
    admin.restore(back)
    assert admin.names("files") == ["index.html", "index.html"]


def test_the_restored_course_says_where_it_is_now(admin: Caller) -> None:
    admin.restore(admin.exported())
    context = admin.package(context="courses/102").read("course_settings/context.xml").decode()
    assert "<course_id>102</course_id>" in context
    assert "<course_name>Drill</course_name>" in context


@pytest.mark.parametrize("export_type", ["qti", "zip"])
def test_the_other_packages_of_a_restored_course(admin: Caller, export_type: str) -> None:
    admin.restore(admin.exported())
    assert members(admin.exported(export_type, "courses/102")) == members(admin.exported(export_type))


def test_a_quiz_package(admin: Caller) -> None:
    package = admin.exported("qti")
    assert admin.restore(package, migration_type="qti_converter")["workflow_state"] == "completed"
    assert admin.names("quizzes") == admin.names("quizzes", 101)
    assert members(admin.exported("qti", "courses/102")) == members(package)
    assert counts(admin.exported(context="courses/102"))["imsqti_xmlv1p2/imscc_xmlv1p1/assessment"] == 1


def test_a_file_package(admin: Caller) -> None:
    package = admin.exported("zip")
    given: dict[str, Any] = {"settings[folder_id]": 102_000}
    admin.restore(package, migration_type="zip_file_importer", **given)
    assert members(admin.exported("zip", "courses/102")) == members(package)


def test_importing_twice_updates_and_does_not_double(canvas: Sandbox, admin: Caller) -> None:
    package = admin.exported()
    admin.restore(package)
    before = ids(admin, 102)
    once = admin.exported(context="courses/102")
    admin.restore(package)
    assert ids(admin, 102) == before
    assert digest(admin.exported(context="courses/102")) == digest(once)
    canvas.edit_course(101)
    changed = admin.exported()
    admin.restore(changed)
    assert digest(admin.exported(context="courses/102")) != digest(once)
    assert admin.names("pages") == admin.names("pages", 101)


def test_a_course_that_takes_back_its_own_package_is_as_it_was(admin: Caller) -> None:
    package = admin.exported()
    before = ids(admin, 101)
    assert admin.restore(package, "courses/101")["workflow_state"] == "completed"
    assert digest(admin.exported()) == digest(package)
    assert ids(admin, 101) == before


def test_a_course_with_content_of_its_own_holds_both(start: Start, call: Call) -> None:
    admin = call(start(Course(id=101), Course(id=103)))
    own = admin.names("pages", 103)
    package = admin.exported()
    admin.restore(package, "courses/103")
    assert sorted(admin.names("pages", 103)) == sorted(own + admin.names("pages", 101))
    both = admin.exported(context="courses/103")
    archive = zipfile.ZipFile(io.BytesIO(both))
    assert archive.testzip() is None
    names = archive.namelist()
    assert len(set(names)) == len(names)
    assert {each.filename for each in zipfile.ZipFile(io.BytesIO(package)).infolist()} <= set(names)
    modules = archive.read("course_settings/module_meta.xml").decode()
    assert modules.count("<title>Start here</title>") == 2
    for name in names:
        if name.endswith((".xml", ".qti")):
            ET.fromstring(archive.read(name))  # noqa: S314  our own documents
    hrefs = re.findall(r'href="([^"]+)"', manifest(both))
    assert {href.replace("&amp;", "&") for href in hrefs} <= set(names)


def test_a_restored_course_can_be_restored_again(start: Start, call: Call) -> None:
    admin = call(start(Course(id=101), Course(id=102, size=0), Course(id=103, size=0)))
    package = admin.exported()
    admin.restore(package)
    admin.restore(admin.exported(context="courses/102"), "courses/103")
    assert digest(admin.exported(context="courses/103")) == digest(package)


def test_an_incomplete_package_brings_what_it_has_and_warns_of_the_rest(start: Start, call: Call) -> None:
    admin = call(start(Course(id=101, faults=[Fault.INCOMPLETE]), Course(id=102, size=0)))
    package = admin.exported()
    migration = admin.restore(package)
    assert migration["workflow_state"] == "completed"
    assert [issue["issue_type"] for issue in admin.issues(migration)] == ["warning"]
    assert members(admin.exported(context="courses/102")).keys() == members(package).keys()
    assert counts(admin.exported(context="courses/102"))["webcontent"] == counts(package)["webcontent"] - 1


def test_faults_of_a_package_strike_restored_courses_as_well(start: Start, call: Call) -> None:
    faults = [Fault.INCOMPLETE.times(1), Fault.EMPTY.times(1)]
    canvas = start(Course(id=101), Course(id=102, size=0, faults=faults))
    admin = call(canvas)
    package = admin.exported()
    admin.restore(package)
    files = [name for name in admin.package(context="courses/102").namelist() if "web_resources" in name]
    assert not files  # both faults strike the first export, and an empty course has no files
    assert digest(admin.exported(context="courses/102")) == digest(package)


def test_a_canvas_that_gives_new_identifiers_writes_the_same_things_otherwise(
    start: Start, call: Call
) -> None:
    switches = Switches(manual_clock=True, keeps_identifiers=False)
    admin = call(start(Course(id=101, name="A"), Course(id=102, name="A", size=0), switches=switches))
    package = admin.exported()
    admin.restore(package)
    back = admin.exported(context="courses/102")
    assert digest(back) != digest(package)
    assert counts(back) == counts(package)
    keys = [set(re.findall(r"g[0-9a-f]{32}/", " ".join(members(each)))) for each in (package, back)]
    assert len(keys[0]) == len(keys[1]) > 0
    assert not keys[0] & keys[1]
    hrefs = re.findall(r'href="([^"]+)"', manifest(back))
    assert {href.replace("&amp;", "&") for href in hrefs} <= members(back).keys()
    assert sorted(members(admin.exported("zip", "courses/102"))) == sorted(members(admin.exported("zip")))


def test_a_restored_course_that_is_edited_is_another_one(canvas: Sandbox, admin: Caller) -> None:
    package = admin.exported()
    admin.restore(package)
    canvas.edit_course(102)
    edited = admin.exported(context="courses/102")
    assert digest(edited) != digest(package)
    assert counts(edited)["webcontent"] == counts(package)["webcontent"] + 1
    admin.restore(package)
    assert counts(admin.exported(context="courses/102")) == counts(edited)


def test_a_part_of_a_restored_course_is_exported(canvas: Sandbox, admin: Caller) -> None:
    admin.restore(admin.exported())
    page = next(canvas.content(102).of(Kind.PAGE))
    select: dict[str, Any] = {"wiki_pages": [page.id]}
    names = admin.package(context="courses/102", select=select).namelist()
    assert f"wiki_content/{page.slug}.html" in names
    assert sum(name.startswith("wiki_content/") and name.endswith(".html") for name in names) == 1
    assert not any(name.startswith("web_resources/") for name in names)


titles = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/\\"), min_size=1, max_size=8
).filter(lambda text: text.strip(". ") == text)


quick = settings(derandomize=True, max_examples=25, deadline=None)


def again(
    package: bytes, read: Callable[[Package], PackageContents], export_type: str, version: str = "1.1.0"
) -> bytes:
    """The package of a course that held nothing before it imported one."""
    own = generate(Source("course", 102, 0, 0, 1, empty=True))
    ids = itertools.count(8_000_000_000)
    holding = EMPTY_HOLDING.with_package(
        read(Package(VirtualFile([Literal(package)]))), own, lambda: next(ids)
    )
    content = holding.content_with(own)
    verbatim = holding.verbatim(content, whole=True)
    return build(export_type, order(content, 102, version=version, verbatim=verbatim)).read()


def order(content: Content, course: int, **fields: Any) -> PackageSpec:
    return PackageSpec(
        f"course:{course}",
        course,
        "A course",
        content,
        seed=1,
        revision=0,
        export_id=1,
        moment=1.7e9,
        **fields,
    )


@quick
@given(files=st.dictionaries(titles, st.binary(max_size=40), min_size=1, max_size=4), packed=st.booleans())
def test_files_of_any_name_come_out_as_they_went_in(files: dict[str, bytes], packed: bool) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as package:
        for name, data in files.items():
            package.writestr(f"folder/{name}", data)
    back = zipfile.ZipFile(
        io.BytesIO(again(archive.getvalue(), lambda given: read_files(given, "", {}), "zip"))
    )
    assert {name: back.read(name) for name in back.namelist()} == files


@quick
@given(seed=st.integers(0, 999), size=st.integers(0, 400_000), cc13=st.booleans(), data=st.data())
def test_any_part_of_any_course(seed: int, size: int, cc13: bool, data: st.DataObject) -> None:
    whole = generate(Source("course", 101, size, 0, seed, empty=False))
    kinds = data.draw(st.sets(st.sampled_from(list(Kind)), min_size=1))
    content = pick(whole, Selection(frozenset(f"all_{kind.value}" for kind in kinds)))
    version = "1.3.0" if cc13 else "1.1.0"
    package = build("common_cartridge", order(content, 101, version=version)).read()
    assert digest(again(package, read_cartridge, "common_cartridge", version)) == digest(package)


@quick
@given(data=st.data())
def test_a_damaged_package_is_refused_or_understood_and_never_a_crash(data: st.DataObject) -> None:
    content = generate(Source("course", 101, 20_000, 0, 1, empty=False))
    package = bytearray(build("common_cartridge", order(content, 101)).read())
    for _ in range(data.draw(st.integers(1, 20))):
        package[data.draw(st.integers(0, len(package) - 1))] = data.draw(st.integers(0, 255))
    del package[data.draw(st.integers(len(package) // 2, len(package))) :]
    with contextlib.suppress(BadPackageError):
        read_cartridge(Package(VirtualFile([Literal(bytes(package))])))
