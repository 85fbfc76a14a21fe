from __future__ import annotations

import pytest
from tests.support.packages.courses import CANVAS, Course, Res

from canvas_exports.core.packages.cartridge.counts import count_cartridge, unresolved_items
from canvas_exports.core.packages.cartridge.manifest import read_manifest


def counted(*resources: Res, items: tuple[tuple[str, str], ...] = ()) -> dict[str, int]:
    manifest = read_manifest([Course({}, resources, items).manifest()])
    return {name: count for name, count in count_cartridge(manifest).items() if count}


def test_an_assignment_in_both_forms_is_one() -> None:
    own = Res("a", CANVAS, ("a/essay.html", "a/assignment_settings.xml"), "a/essay.html")
    standard = Res("a_cc13", "assignment_xmlv1p0", ("a/assignment.xml",), "a/assignment.xml")
    assert counted(own, standard) == {"assignments": 1}
    assert counted(standard) == {"assignments": 1}


def test_what_a_tool_remembers_of_a_link_is_no_tool() -> None:
    tool = Res("x", "imsbasiclti_xmlv1p0", ("x.xml",))
    link = Res("y", "imsbasiclti_xmlv1p3", ("lti_resource_links/y.xml",))
    assert counted(tool, link) == {"tools": 1}


def test_a_tool_of_another_system_has_any_version() -> None:
    assert counted(Res("x", "imsbasiclti_xmlv1p3", ("lti/x.xml",), "lti/x.xml")) == {"tools": 1}


@pytest.mark.parametrize("version", ["v1p1", "v1p3"])
def test_topics_links_and_quizzes_of_any_version(version: str) -> None:
    family = version.replace("v", "imscc_xmlv")
    resources = (
        Res("d", f"imsdt_xml{version}", ("d.xml",)),
        Res("w", f"imswl_xml{version}", ("w.xml",)),
        Res("z", f"imsqti_xmlv1p2/{family}/assessment", ("z/assessment_qti.xml",)),
        Res("b", f"imsqti_xmlv1p2/{family}/question-bank", ("b.xml",)),
    )
    assert counted(*resources) == {"discussions": 1, "web_links": 1, "quizzes": 1, "question_banks": 1}


def test_a_page_of_the_block_editor_is_a_page_and_a_web_page_among_the_files_is_a_file() -> None:
    page = Res("p", "webcontent", ("wiki_content/p.json",), "wiki_content/p.json")
    file = Res("f", "webcontent", ("web_resources/index.html",), "web_resources/index.html")
    assert counted(page, file) == {"pages": 1, "files": 1}


def test_items_of_modules_are_counted_however_deep_they_lie() -> None:
    text = (
        b"<manifest><organizations><organization><item><item><title>A</title><item><item/></item></item>"
        b"<item><title>B</title></item></item></organization></organizations></manifest>"
    )
    manifest = read_manifest([text])
    counts = count_cartridge(manifest)
    assert (counts["modules"], counts["module_items"]) == (2, 2)
    assert [item.title for item in manifest.outline] == ["", "A", "", "", "B"]


def test_an_item_without_a_target_is_a_heading_and_leads_nowhere() -> None:
    manifest = read_manifest([Course({}, (), (("Heading", ""), ("Lost", "gone"))).manifest()])
    assert [item.title for item in unresolved_items(manifest)] == ["Lost"]
