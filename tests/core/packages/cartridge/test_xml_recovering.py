"""XML that is not well-formed: what Canvas's importer recovers is a warning, what it loses an error."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.packages.build import cartridge_files, context_xml, manifest_xml, zipped
from tests.support.packages.courses import course
from tests.support.packages.stored import CARTRIDGE, codes, proven
from tests.support.packages.zips import entries_of, packed_zip

from canvas_exports.core.packages.cartridge.manifest import read_context, read_manifest
from canvas_exports.core.packages.cartridge.xml_reader import XmlReader, read_xml
from canvas_exports.core.packages.content_digest import manifest_digest
from canvas_exports.core.packages.proof import Severity, Verdict
from canvas_exports.core.packages.prove_stored import StoredProof
from canvas_exports.errors import CorruptPackageError

_Q = '<assignment identifier="a"><title>{}</title><points>1</points></assignment>'
_DECLARED = '<?xml version="1.0" encoding="{}"?>' + _Q

RECOVERED = {
    "declares utf-8 and is latin-1": _DECLARED.format("UTF-8", "caf\xe9").encode("latin-1"),
    "declares utf-16 and is utf-8": _DECLARED.format("UTF-16", "café").encode(),
    "declares ascii and is utf-8": _DECLARED.format("US-ASCII", "café").encode(),
    "declares utf-8 and is utf-16": _DECLARED.format("UTF-8", "café").encode("utf-16"),
    "declares what nobody knows": _DECLARED.format("x-foo", "a").encode(),
    "declares a codec that is no encoding": _DECLARED.format("rot13", "a").encode(),
    "declares a codec that warns": _DECLARED.format("unicode_escape", "a").encode(),
    "control characters": _Q.format("a\x0bb\x01c").encode(),
    "a zero": _Q.format("a\0c").encode(),
    "a newline before the declaration": b"\n" + _DECLARED.format("UTF-8", "a").encode(),
    "blanks before the declaration": b"  " + _DECLARED.format("UTF-8", "a").encode(),
    "a mark and a newline before the declaration": codecs.BOM_UTF8
    + b"\n"
    + _DECLARED.format("UTF-8", "a").encode(),
    "an undeclared prefix": _Q.format('<x:b y:c="1">a</x:b>').encode(),
    "entities of HTML": _Q.format("a&nbsp;b&eacute;").encode(),
    "half of a pair as a reference": _Q.format("a&#xD83D;b&#56832;c").encode(),
    "half of a pair in bytes": _Q.format("a").encode().replace(b"a<", b"a\xed\xa0\x80<"),
    "references to no character": _Q.format("a&#0;b&#xB;&#x110000;&#xFFFF;").encode(),
    "an attribute twice": _Q.format('<b c="1" c="2"/>').encode(),
    "an attribute without a value": _Q.format("<b c/>").encode(),
    "less-than in an attribute": _Q.format('<b c="x<y"/>').encode(),
    "bare ampersands": _Q.format('a & b &c d<b c="x&y"/>').encode(),
    "a bare less-than": _Q.format("a < b").encode(),
    "the end of a section in a text": _Q.format("a ]]> b").encode(),
    "two dashes in a comment": _Q.format("<!-- a -- b -->a").encode(),
    "a tag that is never closed": _Q.format("a<br>b").encode(),
    "an instruction like a declaration": _Q.format("<?xml version='1.0'?>a").encode(),
    "zeros after its end": _Q.format("a").encode() + b"\0\0",
}
LOST = {
    "nothing": b"",
    "no XML": b"not XML at all",
    "text before the root element": b"junk" + _Q.format("a").encode(),
    "cut in a text": _Q.format("a").encode()[:35],
    "cut in a tag": _Q.format("a").encode()[:45],
    "cut after a tag": _Q.format("a").encode()[:46],
    "cut in its last tag": _Q.format("a").encode()[:-1],
    "cut in a comment": _Q.format("a").encode()[:46] + b"<!-- ...",
    "cut in a section": _Q.format("a").encode()[:46] + b"<![CDATA[ ...",
    "recovered, and cut": _Q.format("a & b &nbsp; c").encode()[:-15],
    "two roots": _Q.format("a").encode() * 2,
    "a tag closed twice": _Q.format("a</b>").encode(),
    "an attribute without quotes that closes too much": _Q.format("<b c=1>a</b>").encode(),
}


def with_settings(document: bytes) -> StoredProof:
    files = course().having({"a1/assignment_settings.xml": document}).members()
    return proven(packed_zip(entries_of(files)))


@pytest.mark.parametrize("document", RECOVERED.values(), ids=RECOVERED.keys())
def test_what_the_importer_recovers_is_a_warning_that_names_the_document(document: bytes) -> None:
    found = with_settings(document)
    (odd,) = (each for each in found.proof.findings if each.code == "odd_xml")
    assert (odd.severity, odd.member) == (Severity.WARNING, "a1/assignment_settings.xml")
    assert "no Canvas can import it" not in odd.message
    assert found.proof.verdict is Verdict.WHOLE


@pytest.mark.parametrize("document", RECOVERED.values(), ids=RECOVERED.keys())
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_what_follows_a_mistake_is_read(document: bytes, size: int) -> None:
    pieces = [document[start : start + size] for start in range(0, len(document), size)]
    reader = read_xml(lambda: XmlReader("d.xml", ("points",)), pieces)
    assert (reader.root, reader.texts["points"]) == ("assignment", "1")
    assert reader.defect


@pytest.mark.parametrize("document", LOST.values(), ids=LOST.keys())
def test_a_document_of_which_the_rest_is_lost_is_an_error(document: bytes) -> None:
    found = with_settings(document)
    (broken,) = (each for each in found.proof.findings if each.code == "broken_xml")
    assert (broken.severity, broken.member) == (Severity.ERROR, "a1/assignment_settings.xml")
    assert found.proof.verdict is Verdict.INCOMPLETE


WELL_FORMED = {
    "utf-16": _DECLARED.format("UTF-16", "café").encode("utf-16"),
    "latin-1": _DECLARED.format("ISO-8859-1", "café").encode("latin-1"),
    "windows": _DECLARED.format("windows-1252", "café").encode("cp1252"),
    "an encoding of many bytes": _DECLARED.format("Shift_JIS", "テスト").encode("shift_jis"),
    "a mark": codecs.BOM_UTF8 + _DECLARED.format("UTF-8", "café").encode(),
    "namespaces with blanks": b'<a xmlns="b c" xmlns:d="e f" d:g="1"><d:h/></a>',
    "a long text": _Q.format("&lt;p&gt;" * 200_000).encode(),
}


@pytest.mark.parametrize("document", WELL_FORMED.values(), ids=WELL_FORMED.keys())
def test_what_is_well_formed_is_no_finding(document: bytes) -> None:
    assert codes(with_settings(document)) == ["unresolved_items"]


@given(text=st.text(max_size=60), at=st.integers(0, 200))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_it_raise_anything_else(text: str, at: int) -> None:
    whole = _DECLARED.format("UTF-8", "a &amp; b").encode()
    data = whole[: at % len(whole)] + text.encode("utf-8", "surrogatepass") + whole[at % len(whole) :]
    try:
        reader = read_xml(lambda: XmlReader("d.xml", ("title",)), [data])
    except CorruptPackageError:
        return
    assert reader.root
    reader.texts.get("title", "").encode()


@given(cut=st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_a_recovered_document_that_is_cut_is_always_noticed(cut: int) -> None:
    whole = b"\n" + _DECLARED.format("UTF-8", "a &nbsp; <b>c</b> &amp; d").encode()
    with pytest.raises(CorruptPackageError):
        read_xml(lambda: XmlReader("d.xml"), [whole[: cut % (len(whole) - 1)]])


def odd_manifest(how: str) -> bytes:
    text = manifest_xml(["wiki_content/welcome.html"])
    if how == "newline":
        return b"\n" + text
    if how == "entity":
        return text.replace(b"<schema>", b"<note>a&nbsp;b</note><schema>")
    return text.replace(b"<schema>", b"<x:note/><schema>")


@pytest.mark.parametrize("how", ["newline", "entity", "prefix"])
def test_a_recovered_manifest_is_read_and_has_a_stable_digest(how: str) -> None:
    document = odd_manifest(how)
    manifest = read_manifest([document])
    assert manifest.references == ("wiki_content/welcome.html",)
    assert manifest.defect
    pieces = [document[start : start + 5] for start in range(0, len(document), 5)]
    assert manifest_digest([document]) == manifest_digest(pieces)


def test_a_newline_before_the_declaration_changes_nothing_of_what_a_manifest_says() -> None:
    assert manifest_digest([odd_manifest("newline")]) == manifest_digest(
        [manifest_xml(["wiki_content/welcome.html"])]
    )


def test_export_errors_after_a_recovered_manifest_are_read() -> None:
    document = b"\n" + manifest_xml([], errors=["Export errors for 501:", "Quiz 7 is lost"])
    assert read_manifest([document]).export_errors == ("Quiz 7 is lost",)


def test_a_recovered_manifest_or_context_is_a_warning_at_level_directory() -> None:
    files = cartridge_files(context=b"\n" + context_xml())
    files["imsmanifest.xml"] = b"\n" + files["imsmanifest.xml"]
    found = proven(zipped(files), CARTRIDGE)
    assert [(each.code, each.member) for each in found.proof.findings] == [
        ("odd_xml", "imsmanifest.xml"),
        ("odd_xml", "course_settings/context.xml"),
    ]
    assert found.proof.verdict is Verdict.WHOLE
    assert read_context([b"\n" + context_xml(101)]).course_id == 101


def test_a_document_type_is_refused_however_the_document_begins() -> None:
    hostile = b'\n<?xml version="1.0"?><!DOCTYPE q [<!ENTITY a "b">]><q>&a;</q>'
    assert "hostile_xml" in codes(with_settings(hostile))


def test_a_document_that_is_too_long_to_be_recovered_is_an_error() -> None:
    found = with_settings(b"<quiz>& " + b"<p>text</p>" * 800_000 + b"</quiz>")
    assert found.proof.verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize(
    "root", ["item", "resource", "file", "title", "dependency", "organization", "schema"]
)
@pytest.mark.parametrize("before", ["", "\n"], ids=["well-formed", "recovered"])
def test_a_manifest_whose_root_element_is_another_is_corrupt(root: str, before: str) -> None:
    for inside in (
        "",
        "<item><title>a</title></item>",
        "<title>a</title>",
        "<resource><file href='a'/></resource>",
    ):
        with pytest.raises(CorruptPackageError, match="not a manifest"):
            read_manifest([f"{before}<?xml version='1.0'?><{root}>{inside}</{root}>".encode()])
