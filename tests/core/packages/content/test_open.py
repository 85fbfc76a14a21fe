"""Opening a package: everything in it is listed by its title, with few requests, and what is damaged costs itself only."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.support.packages.build import real, zipped
from tests.support.packages.courses import CANVAS, Course, Res, course, quizzes
from tests.support.packages.opened import document, opened, the, titles
from tests.support.packages.stored import KEY, InMemory

from canvas_exports.core.packages.content.model import CourseContent, ItemKind
from canvas_exports.core.packages.content.open import open_content
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_exports.errors import CorruptPackageError

FRONT = (
    b'<html><head><title>Home &amp; news</title><meta name="front_page" content="true"/>'
    b'<meta name="workflow_state" content="active"/></head><body class="x"><p>Hello</p></body></html>'
)


class TestListing:
    def test_every_kind_is_listed_by_the_title_of_its_document(self) -> None:
        content = opened(course())
        assert Counter(item.kind.value for item in content.items) == {
            "page": 1,
            "syllabus": 1,
            "assignment": 1,
            "discussion": 1,
            "announcement": 1,
            "quiz": 1,
            "question_bank": 1,
            "file": 1,
            "web_link": 1,
            "external_tool": 1,
            "rubric": 1,
            "outcome": 1,
            "event": 2,
            "settings": 1,
        }
        assert titles(content, ItemKind.ANNOUNCEMENT) == ["News"]
        assert titles(content, ItemKind.DISCUSSION) == ["Hello"]
        assert titles(content, ItemKind.QUIZ) == ["Test"]
        assert titles(content, ItemKind.WEB_LINK) == ["Library"]

    def test_the_modules_have_their_lines_in_order(self) -> None:
        (module,) = opened(course()).modules
        assert module.title == "Week 1"
        lines = [(line.title, line.target and line.target.kind) for line in module.items]
        assert lines == [("Welcome", ItemKind.PAGE), ("Essay", ItemKind.ASSIGNMENT), ("Lab", None)]

    def test_what_canvas_wrote_is_listed(self) -> None:
        content = opened(real("canvas_cc_gem_course"))
        assert content.title == "Canvas CC Gem Course"
        assert titles(content, ItemKind.ASSIGNMENT)[0] == "Course with Known Submission Type"
        latex = opened(real("latex"))
        assert [[line.title for line in module.items] for module in latex.modules] == [["Page 1", "Page 2"]]
        assert [item.is_published for item in latex.items if item.kind is ItemKind.PAGE] == [False, False]

    def test_two_things_with_one_identifier_are_both_there(self) -> None:
        content = opened(
            course().having(
                {
                    "course_settings/events.xml": b'<events><event identifier="e"/><event identifier="e"/></events>'
                }
            )
        )
        names = [item.identifier for item in content.items if item.kind is ItemKind.EVENT]
        assert names == ["e", "e~2"]
        assert all(content.find(ItemKind.EVENT, name) is not None for name in names)

    def test_a_package_of_files_lists_its_files_in_their_folders(self) -> None:
        content = opened(zipped({"a.txt": b"1", "notes/": b"", "notes/b.txt": b"22"}), "zip")
        assert [(item.title, item.folder, item.size) for item in content.items] == [
            ("a.txt", "", 1),
            ("b.txt", "notes", 2),
        ]

    def test_a_qti_package_lists_its_quizzes(self) -> None:
        assert titles(opened(quizzes(), "qti"), ItemKind.QUIZ) == ["Test"]


class TestHome:
    def test_it_is_the_front_page(self) -> None:
        content = opened(course(page=FRONT))
        assert content.home() == the(content, ItemKind.PAGE)
        found = document(content, ItemKind.PAGE)
        assert (found.item.title, found.html, found.item.is_published) == (
            "Home & news",
            "<p>Hello</p>",
            True,
        )

    def test_without_a_front_page_it_is_the_syllabus(self) -> None:
        content = opened(course())
        assert content.home() == the(content, ItemKind.SYLLABUS)

    def test_a_course_may_have_neither(self) -> None:
        assert opened(real("latex")).home() is None


class TestRequests:
    def test_a_small_package_is_opened_and_read_with_one_request(self) -> None:
        store = InMemory(zipped(course().members()))
        content = open_content(StoredPackage(store, KEY, len(store.data)), export_type="common_cartridge")
        list(content.read_all(content.items))
        assert store.requests == 1

    def test_documents_before_large_files_take_one_request_together(self) -> None:
        files = {**course(page=FRONT).members()}
        large = bytes(range(256)) * 40_000
        ordered = {name: data for name, data in files.items() if not name.startswith("web_resources")}
        manifest = ordered.pop("imsmanifest.xml")
        data = zipped({**ordered, "imsmanifest.xml": manifest, "web_resources/picture.png": large}, method=0)
        store = InMemory(data)
        content = open_content(StoredPackage(store, KEY, len(data)), export_type="common_cartridge")
        front = content.home()
        assert front is not None
        assert content.read(front).html == "<p>Hello</p>"
        assert store.requests == 2


class TestDamage:
    @pytest.mark.parametrize("data", [b"", b"<html>", b"PK\x03\x04" + bytes(100)])
    def test_what_is_no_zip_is_refused(self, data: bytes) -> None:
        with pytest.raises(CorruptPackageError):
            opened(data)

    def test_a_cartridge_without_manifest_is_refused(self) -> None:
        with pytest.raises(CorruptPackageError, match="imsmanifest"):
            opened(zipped({"a.txt": b"1"}))

    def test_a_damaged_document_has_a_problem_and_the_others_are_read(self) -> None:
        content = opened(course().having({"d1.xml": b"<topic><title>Hello</title>", "w1.xml": b"\x00\xff"}))
        found = {each.item.kind: each.problem for each in content.read_all(content.items)}
        assert found[ItemKind.DISCUSSION]
        assert found[ItemKind.WEB_LINK]
        assert not found[ItemKind.ASSIGNMENT]

    def test_damaged_settings_cost_themselves_only(self) -> None:
        broken = {
            f"course_settings/{name}.xml": b"<rubrics><rub" for name in ("rubrics", "events", "module_meta")
        }
        content = opened(course().having(broken))
        assert titles(content, ItemKind.PAGE) == ["Welcome"]
        assert [line.title for line in content.modules[0].items] == ["Welcome", "Essay", "Lab"]

    def test_what_the_package_lacks_is_listed_and_says_so(self) -> None:
        found = document(opened(course().without("wiki_content/welcome.html")), ItemKind.PAGE)
        assert found.item.member is None
        assert found.problem == "the package does not hold it"

    def test_an_entity_is_not_expanded(self) -> None:
        bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><topic><title>&a;</title></topic>'
        found = document(opened(course().having({"d1.xml": bomb})), ItemKind.DISCUSSION)
        assert "document type" in found.problem


class TestOtherSystems:
    def test_web_pages_outside_of_canvas_s_folder_are_pages_and_what_belongs_to_them_are_files(self) -> None:
        whole = course()
        other = Res("o", "webcontent", ("unit/one.html", "unit/picture.gif"), "unit/one.html")
        whole = whole.having({"unit/one.html": b"<title>One</title><p>1", "unit/picture.gif": b"GIF"})
        content = opened(type(whole)(whole.files, (*whole.resources, other), (*whole.items, ("One", "o"))))
        assert titles(content, ItemKind.PAGE) == ["Welcome", "One"]
        assert titles(content, ItemKind.FILE) == ["picture.png", "picture.gif"]
        page = content.find(ItemKind.PAGE, "o")
        assert content.resolve("picture.gif", base=page) == content.find(ItemKind.FILE, "unit/picture.gif")

    def test_a_first_level_that_leads_somewhere_is_a_module_of_one_item(self) -> None:
        manifest = (
            b"<manifest><organizations><organization><item>"
            b'<item identifier="i1" identifierref="r1"><title>A page</title></item>'
            b'<item identifier="i2"><title>Part</title><item><title>Heading</title>'
            b'<item identifierref="r1"><title>Deep</title></item></item></item>'
            b"</item></organization></organizations>"
            b'<resources><resource identifier="r1" type="webcontent" href="p.html"><file href="p.html"/></resource></resources></manifest>'
        )
        content = opened(zipped({"p.html": b"<p>Page", "imsmanifest.xml": manifest}))
        shown = [
            (m.title, [(line.title, line.indent, line.target is not None) for line in m.items])
            for m in content.modules
        ]
        assert shown == [
            ("A page", [("A page", 0, True)]),
            ("Part", [("Heading", 0, False), ("Deep", 1, True)]),
        ]

    def test_a_document_in_another_encoding_is_read(self) -> None:
        page = '<html><head><meta charset="iso-8859-1"><title>Übung</title></head><body>größer</body></html>'
        found = document(opened(course(page=page.encode("latin-1"))), ItemKind.PAGE)
        assert (found.item.title, found.html) == ("Übung", "größer")
        utf16 = document(opened(course(page=page.encode("utf-16"))), ItemKind.PAGE)
        assert (utf16.item.title, utf16.html) == ("Übung", "größer")

    def test_an_assignment_of_common_cartridge_1_3_is_read_from_its_own_document(self) -> None:
        whole = course()
        text = b"<assignment><title>Lab</title><text texttype='text/html'>&lt;b&gt;Do&lt;/b&gt;</text></assignment>"
        resources = tuple(each for each in whole.resources if each.identifier != "a1")
        standard = Res("a9", "assignment_xmlv1p0", ("x/assignment.xml",), "x/assignment.xml")
        content = opened(
            type(whole)({**whole.files, "x/assignment.xml": text}, (*resources, standard), whole.items)
        )
        found = document(content, ItemKind.ASSIGNMENT)
        assert (found.item.identifier, found.item.title, found.html) == ("a9", "Lab", "<b>Do</b>")


def test_a_settings_resource_is_no_item_of_its_own() -> None:
    settings = Res(
        "s9", CANVAS, ("course_settings/course_settings.xml",), "course_settings/canvas_export.txt"
    )
    whole = course()
    content = opened(type(whole)(whole.files, (*whole.resources, settings), whole.items))
    assert content.find(ItemKind.FILE, "s9") is None


class TestWork:
    def test_one_large_document_that_is_named_very_often_is_not_read_without_end(self) -> None:
        page = b"<p>" + bytes(8 * 1024 * 1024 - 100).replace(b"\0", b"a")
        resources = tuple(
            Res(f"p{n}", "webcontent", ("wiki_content/p.html",), "wiki_content/p.html") for n in range(70)
        )
        content = opened(Course({"wiki_content/p.html": page}, resources, ()))
        problems = [document.problem for document in content.read_all(content.items)]
        assert problems[0] == ""
        assert "more documents" in problems[-1]

    def test_a_long_list_is_read_once(self) -> None:
        rubrics = b"<rubrics>" + b"<rubric/>" * 5_000 + b"</rubrics>"
        content = opened(course().having({"course_settings/rubrics.xml": rubrics}))
        found = [item for item in content.items if item.kind is ItemKind.RUBRIC]
        assert len(found) == 5_000
        assert not any(document.problem for document in content.read_all(found))


class TestManifests:
    def opened(self, resources: str, files: dict[str, bytes], outline: str = "") -> CourseContent:
        manifest = (
            f"<manifest xmlns='http://www.imsglobal.org/xsd/imscp_v1p1'><organizations><organization>{outline}</organization>"
            f"</organizations>{resources}</manifest>"
        )
        return opened(zipped({**files, "imsmanifest.xml": manifest.encode()}))

    @pytest.mark.parametrize(
        ("attributes", "of_resources"),
        [("xml:base='res1/'", ""), ("xml:base='res1'", ""), ("xml:base='b'", " xml:base='a/'")],
    )
    def test_a_base_is_the_folder_that_paths_begin_in(self, attributes: str, of_resources: str) -> None:
        folder = "a/b" if of_resources else "res1"
        resource = f"<resources{of_resources}><resource identifier='r' type='webcontent' {attributes} href='p.html'><file href='p.html'/><file href='x.gif'/></resource></resources>"
        content = self.opened(resource, {f"{folder}/p.html": b"<p>Here", f"{folder}/x.gif": b"GIF"})
        page = the(content, ItemKind.PAGE)
        assert content.read(page).html == "<p>Here"
        assert content.resolve("x.gif", base=page) == the(content, ItemKind.FILE)

    def test_a_web_page_that_stands_in_for_an_assignment_is_that_assignment(self) -> None:
        """Cartridges of version 1.3 have it for systems that know no assignments."""
        variant = "<resource identifier='{0}' type='{1}'><cpx:variant xmlns:cpx='x' identifier='v' identifierref='{2}'/><file href='{3}'/></resource>"
        resources = (
            "<resource identifier='a' type='assignment_xmlv1p0' href='a/assignment.xml'><file href='a/assignment.xml'/></resource>"
            + variant.format("a_fallback", "webcontent", "a", "a/essay.html")
            + variant.format("p", "webcontent", "q", "p.html")
            + variant.format("q", "webcontent", "p", "q.html")
            + variant.format("r", "webcontent", "gone", "r.html")
        )
        files = {
            "a/assignment.xml": b"<assignment><title>Essay</title><text>Write</text></assignment>",
            **dict.fromkeys(("a/essay.html", "p.html", "q.html", "r.html"), b"<p>Page"),
        }
        outline = "<item identifier='root'><item identifier='m'><title>Unit</title><item identifier='i' identifierref='a_fallback'/></item></item>"
        content = self.opened(f"<resources>{resources}</resources>", files, outline)
        assert [(item.kind, item.identifier) for item in content.items] == [
            (ItemKind.PAGE, "p"),
            (ItemKind.PAGE, "q"),
            (ItemKind.PAGE, "r"),
            (ItemKind.ASSIGNMENT, "a"),
        ]
        ((line,),) = (module.items for module in content.modules)
        assert line.target == content.find(ItemKind.ASSIGNMENT, "a")

    def test_the_title_of_the_outline_is_that_of_the_course_if_there_is_no_other(self) -> None:
        items = "<title>Soils</title><item identifier='m'><title>Unit</title></item>"
        assert self.opened("<resources/>", {}, items).title == "Soils"
        two = f"{items}</organization><organization><title>Another</title>"
        assert self.opened("<resources/>", {}, two).title == "Soils"

    def test_a_link_and_a_tool_may_be_described_in_the_manifest_itself(self) -> None:
        content = self.opened(
            "<resources><resource identifier='w' type='imswl_xmlv1p3'><webLink><title>A chapter</title>"
            "<url href='https://books.example.org/1?contentOnly'/></webLink></resource>"
            "<resource identifier='x' type='imsbasiclti_xmlv1p3'><cartridge_basiclti_link><title>A lab</title>"
            "<launch_url>http://lab.example.org/</launch_url><secure_launch_url>https://lab.example.org/</secure_launch_url>"
            "</cartridge_basiclti_link></resource></resources>",
            {},
            "<item identifier='root'><item identifier='m'><title>Part 1</title><item identifier='i' identifierref='w'/></item></item>",
        )
        assert [(item.kind, item.title) for item in content.items] == [
            (ItemKind.WEB_LINK, "A chapter"),
            (ItemKind.EXTERNAL_TOOL, "A lab"),
        ]
        documents = list(content.read_all(content.items))
        assert [found.links for found in documents] == [
            ("https://books.example.org/1?contentOnly",),
            ("https://lab.example.org/",),
        ]
        assert not any(found.problem for found in documents)
        ((line,),) = (module.items for module in content.modules)
        assert (line.title, line.target) == ("A chapter", content.items[0])

    @pytest.mark.parametrize("address", ["javascript:alert(1)", "notes.html", ""])
    def test_an_address_that_is_none_of_the_web_is_no_file(self, address: str) -> None:
        resource = f"<resource identifier='w' type='imswl_xmlv1p3'><webLink><url href='{address}'/></webLink></resource>"
        content = self.opened(f"<resources>{resource}</resources>", {})
        assert content.read(the(content, ItemKind.WEB_LINK)).links == ()

    @pytest.mark.parametrize(
        "href", ["a%20b.html", "a b.html?x=1", "a%20b.html#part", "./a b.html", "..\\a b.html", "/a b.html"]
    )
    def test_an_href_may_be_escaped_or_have_a_query(self, href: str) -> None:
        content = self.opened(
            f"<resources><resource identifier='r' type='webcontent' href='{href}'/></resources>",
            {"a b.html": b"<p>Here"},
        )
        found = document(content, ItemKind.PAGE)
        assert (found.html, found.problem) == (
            ("<p>Here", "") if not href.startswith("..") else ("", "the package does not hold it")
        )

    def test_modules_at_the_top_of_the_outline_are_modules(self) -> None:
        outline = (
            "<item identifier='a'><title>Unit 1</title><item identifierref='r'><title>Page</title></item></item>"
            "<item identifier='b'><title>Unit 2</title></item>"
        )
        content = self.opened(
            "<resources><resource identifier='r' type='webcontent' href='p.html'/></resources>",
            {"p.html": b""},
            outline,
        )
        assert [
            (module.title, [(line.title, line.indent) for line in module.items]) for module in content.modules
        ] == [
            ("Unit 1", [("Page", 0)]),
            ("Unit 2", []),
        ]

    def test_an_outline_without_modules_is_a_list_of_items(self) -> None:
        outline = "<item identifier='a' identifierref='r'><title>Page</title></item>"
        content = self.opened(
            "<resources><resource identifier='r' type='webcontent' href='p.html'/></resources>",
            {"p.html": b""},
            outline,
        )
        assert [[line.title for line in module.items] for module in content.modules] == [["Page"]]

    def test_identifiers_stay_unique_when_one_looks_like_a_made_one(self) -> None:
        rows = "".join(
            f"<resource identifier='{name}' type='webcontent' href='p.html'/>"
            for name in ("e", "e", "e~2", "e")
        )
        content = self.opened(f"<resources>{rows}</resources>", {"p.html": b""})
        assert [item.identifier for item in content.items] == ["e", "e~2", "e~2~2", "e~3"]


def test_documents_that_lie_far_apart_do_not_take_a_request_each() -> None:
    film = bytes(1_100_000)
    files: dict[str, bytes] = {}
    resources = []
    for number in range(40):
        page = f"unit/{number}.html"
        files |= {page: b"<title>Titled</title>", f"unit/{number}.mp4": film}
        resources.append(Res(f"p{number}", "webcontent", (page,), page))
    meta = b"<topicMeta><type>announcement</type></topicMeta>"
    files |= {
        "n1.xml": b"<topic><title>News</title></topic>",
        "last.mp4": film,
        "n1meta.xml": meta,
        "end.mp4": film,
    }
    resources += [
        Res("n1", "imsdt_xmlv1p1", ("n1.xml",), needs=("n1meta",)),
        Res("n1meta", CANVAS, ("n1meta.xml",), "n1meta.xml"),
    ]
    data = zipped(Course(files, tuple(resources), (("Outlined", "p39"),)).members(), method=0)
    store = InMemory(data)
    content = open_content(StoredPackage(store, KEY, len(data)), export_type="common_cartridge")
    assert store.requests <= 28
    assert len(titles(content, ItemKind.PAGE)) == 40
    assert titles(content, ItemKind.PAGE)[-1] == "Outlined"
    assert len([item for item in content.items if item.kind is ItemKind.ANNOUNCEMENT]) == 1
