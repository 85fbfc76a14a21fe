from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.packages.build import (
    COURSE,
    EMPTY_ZIP,
    HOST,
    PAGE,
    cartridge,
    cartridge_files,
    context_xml,
    manifest_xml,
    real,
    zipped,
)
from tests.support.packages.stored import buffered, codes_of, prove_buffered

from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.proof import Expectation, Severity, Verdict
from canvas_exports.core.packages.prove_directory import prove_directory
from canvas_exports.core.packages.random_access import BytesNotKeptError
from canvas_exports.errors import CorruptPackageError


def test_a_whole_cartridge_is_whole() -> None:
    proof = prove_buffered(cartridge())
    assert proof.verdict is Verdict.WHOLE
    assert proof.level is ProofLevel.DIRECTORY
    assert proof.findings == ()
    assert proof.member_count == 5
    assert proof.counts["references"] == 4
    assert proof.counts["folders"] == 1


def test_real_cartridges_are_judged_as_a_person_would() -> None:
    whole = prove_buffered(real("single-page"))
    assert whole.verdict is Verdict.WHOLE
    syllabus = prove_buffered(real("canvas_cc_gem_course"))
    assert syllabus.verdict is Verdict.INCOMPLETE
    assert [f.member for f in syllabus.findings if f.code == "missing_file"] == [
        "course_settings/syllabus.html"
    ]
    thinned = prove_buffered(real("latex"))
    assert thinned.verdict is Verdict.INCOMPLETE
    assert thinned.counts["missing"] == 3


def test_errors_that_canvas_recorded_make_it_incomplete_in_any_language() -> None:
    proof = prove_buffered(cartridge(errors=["Erreurs d'exportation 501 :", "le quiz 7 a disparu"]))
    assert proof.verdict is Verdict.INCOMPLETE
    assert codes_of(proof) == ["export_error"]
    assert "le quiz 7 a disparu" in proof.findings[0].message


def test_no_signature_of_a_url_in_a_recorded_error_is_repeated() -> None:
    proof = prove_buffered(cartridge(errors=["head", "GET https://files.example/x?token=SECRET&b=1 failed"]))
    assert "SECRET" not in repr(proof)
    assert "https://files.example/x failed" in proof.findings[0].message


def test_a_renamed_file_is_noted_and_not_missing() -> None:
    files = {PAGE: b"p", "web_resources/notes-1.pdf": b"n"}
    members = cartridge_files(files)
    members["imsmanifest.xml"] = manifest_xml([PAGE, "web_resources/notes.pdf"])
    proof = prove_buffered(zipped(members))
    assert proof.verdict is Verdict.WHOLE
    assert [(f.code, f.severity) for f in proof.findings] == [("renamed_file", Severity.INFO)]


@pytest.mark.parametrize(
    ("data", "verdict", "members"),
    [
        (EMPTY_ZIP, Verdict.EMPTY, 0),
        (zipped({"folder/": b"", "folder/sub/": b""}), Verdict.EMPTY, 0),
        (zipped({"folder/": b"", "folder/a.pdf": b"x"}), Verdict.WHOLE, 1),
    ],
)
def test_a_file_export_is_empty_if_it_holds_no_file(data: bytes, verdict: Verdict, members: int) -> None:
    proof = prove_buffered(data, "zip")
    assert (proof.verdict, proof.member_count) == (verdict, members)


def test_a_quiz_export_is_judged_by_its_own_manifest() -> None:
    quiz = {"i1/i1.xml": b"<q/>", "i1/assessment_meta.xml": b"<m/>"}
    whole = zipped({"non_cc_assessments/": b"", **quiz, "imsmanifest.xml": manifest_xml(quiz)})
    assert prove_buffered(whole, "qti").verdict is Verdict.WHOLE
    lost = zipped({"i1/i1.xml": b"<q/>", "imsmanifest.xml": manifest_xml(quiz)})
    assert prove_buffered(lost, "qti").verdict is Verdict.INCOMPLETE
    none = zipped({"non_cc_assessments/": b"", "imsmanifest.xml": manifest_xml([])})
    assert prove_buffered(none, "qti").verdict is Verdict.EMPTY


CORRUPT = {
    "truncated": cartridge()[:-1],
    "a web page": b"<!doctype html><title>Log in to Canvas</title>",
    "nothing": b"",
    "no manifest": zipped({PAGE: b"p"}),
    "an empty archive": EMPTY_ZIP,
    "two manifests": zipped([("imsmanifest.xml", manifest_xml([]))] * 2),
    "two contexts": zipped([*cartridge_files().items(), ("course_settings/context.xml", context_xml(999))]),
    "a hostile manifest": zipped(
        {"imsmanifest.xml": b'<!DOCTYPE m [<!ENTITY a "b">]><manifest>&a;</manifest>'}
    ),
    "a bomb": zipped({"imsmanifest.xml": b" " * 40_000_000}),
    "a context without end": zipped(cartridge_files(context=b" " * 100_000)),
}


@pytest.mark.parametrize("data", CORRUPT.values(), ids=CORRUPT.keys())
def test_what_is_no_cartridge_is_corrupt(data: bytes) -> None:
    with pytest.raises(CorruptPackageError):
        prove_buffered(data)


@pytest.mark.parametrize("difference", [-1, 1])
def test_another_length_than_canvas_announced_is_corrupt(difference: int) -> None:
    data = cartridge()
    with pytest.raises(CorruptPackageError, match="announced"):
        prove_buffered(data, size=len(data) + difference)


def test_everything_the_proof_lacks_is_asked_for_at_once() -> None:
    noise = bytes(range(256)) * 4000
    files = cartridge_files()
    early = {name: files.pop(name) for name in ("imsmanifest.xml", "course_settings/context.xml")}
    data = zipped([*early.items(), *files.items(), ("web_resources/video.mp4", noise)], method=0)
    expect = Expectation("common_cartridge", len(data), COURSE, HOST)
    with pytest.raises(BytesNotKeptError) as raised:
        prove_directory(buffered(data, tail=70_000), expect)
    assert len(raised.value.missing) == 2
    assert prove_directory(buffered(data, raised.value.missing, tail=70_000), expect).verdict is Verdict.WHOLE


@settings(max_examples=60)
@given(
    files=st.dictionaries(st.text("abc/é", min_size=1, max_size=8), st.binary(max_size=20), max_size=6),
    lost=st.sets(st.sampled_from(["x/1.pdf", "x/2.pdf", "y.html"])),
    errors=st.lists(st.text("abc ", min_size=1, max_size=9), max_size=3),
)
def test_a_verdict_of_whole_means_nothing_is_missing(
    files: dict[str, bytes], lost: set[str], errors: list[str]
) -> None:
    proof = prove_buffered(cartridge(files, missing=lost, errors=errors))
    assert (proof.verdict is Verdict.INCOMPLETE) == bool(lost or errors)
