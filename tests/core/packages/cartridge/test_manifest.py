from __future__ import annotations

import pytest
from tests.support.packages.build import context_xml, manifest_xml

from canvas_exports.core.packages.cartridge import manifest as cartridge
from canvas_exports.core.packages.cartridge import xml_reader
from canvas_exports.core.packages.cartridge.manifest import CartridgeContext, read_context, read_manifest
from canvas_exports.errors import CorruptPackageError


def test_references_and_schema_are_read_in_pieces_of_any_size() -> None:
    document = manifest_xml(["wiki_content/a.html", "web_resources/b &amp; c.pdf"])
    for size in (1, 7, len(document)):
        pieces = [document[start : start + size] for start in range(0, len(document), size)]
        manifest = read_manifest(pieces)
        assert manifest.identifier == "gd5"
        assert (manifest.schema, manifest.schema_version) == ("IMS Common Cartridge", "1.1.0")
        assert manifest.references == ("wiki_content/a.html", "web_resources/b &amp; c.pdf")
        assert manifest.export_errors == ()


def test_errors_are_the_comments_after_the_root_element_and_no_others() -> None:
    document = manifest_xml(["a"], errors=["Fehler beim Export 501:", "Quiz 7 konnte nicht", "Datei 9 fehlt"])
    document = document.replace(b"<metadata>", b"<!-- inside --><metadata>").replace(
        b"?>\n", b"?>\n<!-- before -->", 1
    )
    assert read_manifest([document]).export_errors == ("Quiz 7 konnte nicht", "Datei 9 fehlt")


def test_a_lone_announcement_of_errors_counts_as_one() -> None:
    assert read_manifest([manifest_xml([], errors=["Export errors:"])]).export_errors == ("Export errors:",)


def test_only_the_first_element_of_a_name_is_read() -> None:
    document = manifest_xml([]).replace(b"</metadata>", b"<schema>another</schema></metadata>")
    assert read_manifest([document]).schema == "IMS Common Cartridge"


HOSTILE = {
    "document type": b'<!DOCTYPE manifest SYSTEM "http://127.0.0.1:1/x.dtd"><manifest/>',
    "entities": b'<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><manifest>&b;</manifest>',
    "depth": b"<manifest>" + b"<item>" * 200 + b"</item>" * 200 + b"</manifest>",
    "cut": b"<manifest><resources>",
    "text": b"not XML at all",
    "nothing": b"",
    "another document": b"<html/>",
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_manifest_that_is_none_or_hostile_is_corrupt(document: bytes) -> None:
    with pytest.raises(CorruptPackageError, match=cartridge.MANIFEST):
        read_manifest([document])


def test_more_elements_than_any_course_has_are_corrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_reader, "MAX_ELEMENTS", 1000)
    assert read_manifest([b"<manifest>" + b"<a/>" * 999 + b"</manifest>"]).references == ()
    with pytest.raises(CorruptPackageError, match="longer"):
        read_manifest([b"<manifest>" + b"<a/>" * 1000 + b"</manifest>"])


def test_endless_comments_are_cut() -> None:
    errors = read_manifest([manifest_xml([], errors=["head", *["x" * 5000] * 3000])]).export_errors
    assert len(errors) < 1001
    assert len(errors[0]) <= 2000


def test_the_context_names_course_and_canvas() -> None:
    assert read_context([context_xml(101, "canvas.example.edu")]) == CartridgeContext(
        101, 1, "canvas.example.edu"
    )


@pytest.mark.parametrize("course", ["", "abc", "-5", "1e3", "٣"])
def test_a_context_without_a_number_names_no_course(course: str) -> None:
    assert read_context([context_xml(course)]).course_id is None


def test_a_context_of_something_else_names_nothing() -> None:
    assert read_context([b"<other/>"]) == CartridgeContext(None, None, None)
    with pytest.raises(CorruptPackageError, match="context"):
        read_context([b"<context_info>"])
