from __future__ import annotations

import io
import stat
import zipfile

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
from tests.support.packages.stored import buffered
from tests.support.packages.zips import Entry, packed_zip

from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.proof import Expectation, Proof, Severity, Verdict
from canvas_exports.core.packages.prove_directory import prove_directory
from canvas_exports.core.packages.random_access import BytesNotKeptError
from canvas_exports.errors import CorruptPackageError, WrongPackageError


def proof_of(data: bytes, export_type: str = "common_cartridge", **expected: object) -> Proof:
    expectation = Expectation(export_type, **{"course_id": COURSE, "canvas_host": HOST, **expected})  # type: ignore[arg-type]
    return prove_directory(buffered(data), expectation)


def codes(proof: Proof) -> list[str]:
    return [finding.code for finding in proof.findings]


def test_a_whole_cartridge_is_whole() -> None:
    proof = proof_of(cartridge())
    assert proof.verdict is Verdict.WHOLE
    assert proof.level is ProofLevel.DIRECTORY
    assert proof.findings == ()
    assert proof.member_count == 5
    assert proof.counts["references"] == 4
    assert proof.counts["folders"] == 1


def test_real_cartridges_are_judged_as_a_person_would() -> None:
    whole = proof_of(real("single-page"))
    assert whole.verdict is Verdict.WHOLE
    syllabus = proof_of(real("canvas_cc_gem_course"))
    assert syllabus.verdict is Verdict.INCOMPLETE
    assert [f.member for f in syllabus.findings if f.code == "missing_file"] == [
        "course_settings/syllabus.html"
    ]
    thinned = proof_of(real("latex"))
    assert thinned.verdict is Verdict.INCOMPLETE
    assert thinned.counts["missing"] == 3


def test_a_missing_file_makes_it_incomplete() -> None:
    proof = proof_of(cartridge(missing=["web_resources/lost.pdf"]))
    assert proof.verdict is Verdict.INCOMPLETE
    assert [(f.code, f.severity, f.member) for f in proof.findings] == [
        ("missing_file", Severity.ERROR, "web_resources/lost.pdf")
    ]


def test_errors_that_canvas_recorded_make_it_incomplete_in_any_language() -> None:
    proof = proof_of(cartridge(errors=["Erreurs d'exportation 501 :", "le quiz 7 a disparu"]))
    assert proof.verdict is Verdict.INCOMPLETE
    assert codes(proof) == ["export_error"]
    assert "le quiz 7 a disparu" in proof.findings[0].message


def test_no_signature_of_a_url_in_a_recorded_error_is_repeated() -> None:
    proof = proof_of(cartridge(errors=["head", "GET https://files.example/x?token=SECRET&b=1 failed"]))
    assert "SECRET" not in repr(proof)
    assert "https://files.example/x failed" in proof.findings[0].message


def test_a_renamed_file_is_noted_and_not_missing() -> None:
    files = {PAGE: b"p", "web_resources/notes-1.pdf": b"n"}
    members = cartridge_files(files)
    members["imsmanifest.xml"] = manifest_xml([PAGE, "web_resources/notes.pdf"])
    proof = proof_of(zipped(members))
    assert proof.verdict is Verdict.WHOLE
    assert [(f.code, f.severity) for f in proof.findings] == [("renamed_file", Severity.INFO)]


@pytest.mark.parametrize("contents", [{}, {"wiki_content/": b""}])
def test_a_cartridge_of_settings_only_is_empty(contents: dict[str, bytes]) -> None:
    assert proof_of(cartridge(contents)).verdict is Verdict.EMPTY


EMPTY_LISTS = {
    "course_settings/module_meta.xml": b"<modules/>",
    "course_settings/rubrics.xml": b"<?xml version='1.0'?><rubrics xmlns='u'>\n</rubrics>",
    "course_settings/events.xml": b"<events></events>",
    "course_settings/media_tracks.xml": b"<media_tracks/>",
    "course_settings/assignment_groups.xml": b"<assignmentGroups><assignmentGroup/></assignmentGroups>",
    "course_settings/late_policy.xml": b"<late_policy><late_policy/></late_policy>",
}


def test_lists_without_anything_in_them_are_no_content() -> None:
    assert proof_of(cartridge(EMPTY_LISTS)).verdict is Verdict.EMPTY


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("rubrics.xml", b"<rubrics><rubric/></rubrics>", "rubrics"),
        ("events.xml", b"<events><event/><event/></events>", "events"),
        ("learning_outcomes.xml", b"<learningOutcomes><learningOutcome/></learningOutcomes>", "outcomes"),
        ("nav_menu_links.xml", b"<links><link/></links>", "nav_menu_links"),
        (
            "lti_context_controls.xml",
            b"<lti_context_controls><c/></lti_context_controls>",
            "lti_context_controls",
        ),
        ("grading_standards.xml", b"<gradingStandards><gradingStandard/></gradingStandards>", None),
        ("future.xml", b"<future><thing/></future>", None),
        ("future.json", b"{}", None),
        ("future.xml", b"<cut><", None),
    ],
)
def test_what_a_person_put_into_the_settings_is_content_and_the_counts_say_what(
    name: str, content: bytes, count: str | None
) -> None:
    proof = proof_of(cartridge({**EMPTY_LISTS, f"course_settings/{name}": content}))
    assert proof.verdict is Verdict.WHOLE
    assert count is None or proof.counts[count] > 0


def test_modules_without_items_are_content() -> None:
    outline = (
        b'<organization identifier="org_1"><item><item><title>Week 1</title></item></item></organization>'
    )
    files = cartridge_files({})
    files["imsmanifest.xml"] = files["imsmanifest.xml"].replace(
        b'<organization identifier="org_1"/>', outline
    )
    assert proof_of(zipped(files)).verdict is Verdict.WHOLE


SIDECARS = {
    "__MACOSX/": b"",
    "__MACOSX/wiki_content/._welcome.html": b"M",
    "wiki_content/._a.xml": b"<",
    ".DS_Store": b"x",
}


@pytest.mark.parametrize("export_type", ["common_cartridge", "qti", "zip"])
def test_what_a_mac_adds_changes_neither_verdict_nor_counts_nor_digest(export_type: str) -> None:
    files = cartridge_files()
    one, other = (proof_of(zipped(each), export_type) for each in (files, {**SIDECARS, **files}))
    assert (one.verdict, one.findings, one.counts) == (other.verdict, other.findings, other.counts)
    assert (one.content_digest, one.member_count) == (other.content_digest, other.member_count)


def test_sidecars_alone_are_nothing() -> None:
    assert proof_of(zipped(SIDECARS), "zip").verdict is Verdict.EMPTY
    assert proof_of(cartridge(SIDECARS)).verdict is Verdict.EMPTY


@pytest.mark.parametrize("name", ["my._file", "x.DS_Store", "__MACOSX.txt", "a._/b", "_MACOSX/a"])
def test_what_only_looks_like_a_sidecar_is_content(name: str) -> None:
    assert proof_of(zipped({name: b"x"}), "zip").verdict is Verdict.WHOLE


def test_a_syllabus_alone_is_content() -> None:
    assert proof_of(cartridge({"course_settings/syllabus.html": b"<p>"})).verdict is Verdict.WHOLE


def test_an_empty_cartridge_that_lost_something_is_incomplete() -> None:
    assert proof_of(cartridge({}, missing=[PAGE])).verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize(
    ("data", "verdict", "members"),
    [
        (EMPTY_ZIP, Verdict.EMPTY, 0),
        (zipped({"folder/": b"", "folder/sub/": b""}), Verdict.EMPTY, 0),
        (zipped({"folder/": b"", "folder/a.pdf": b"x"}), Verdict.WHOLE, 1),
    ],
)
def test_a_file_export_is_empty_if_it_holds_no_file(data: bytes, verdict: Verdict, members: int) -> None:
    proof = proof_of(data, "zip")
    assert (proof.verdict, proof.member_count) == (verdict, members)


def test_a_quiz_export_is_judged_by_its_own_manifest() -> None:
    quiz = {"i1/i1.xml": b"<q/>", "i1/assessment_meta.xml": b"<m/>"}
    whole = zipped({"non_cc_assessments/": b"", **quiz, "imsmanifest.xml": manifest_xml(quiz)})
    assert proof_of(whole, "qti").verdict is Verdict.WHOLE
    lost = zipped({"i1/i1.xml": b"<q/>", "imsmanifest.xml": manifest_xml(quiz)})
    assert proof_of(lost, "qti").verdict is Verdict.INCOMPLETE
    none = zipped({"non_cc_assessments/": b"", "imsmanifest.xml": manifest_xml([])})
    assert proof_of(none, "qti").verdict is Verdict.EMPTY


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
        proof_of(data)


@pytest.mark.parametrize("difference", [-1, 1])
def test_another_length_than_canvas_announced_is_corrupt(difference: int) -> None:
    data = cartridge()
    with pytest.raises(CorruptPackageError, match="announced"):
        proof_of(data, size=len(data) + difference)


def test_a_package_of_another_course_is_wrong() -> None:
    with pytest.raises(WrongPackageError, match="course 102, not 101"):
        proof_of(cartridge(context=context_xml(102)))


def test_a_package_of_another_canvas_is_wrong_and_says_what_to_do_if_it_is_not() -> None:
    with pytest.raises(WrongPackageError, match="make the first the connection's host"):
        proof_of(cartridge(context=context_xml(host="other.example.edu")))


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("canvas.example.edu", "Canvas.Example.EDU"),
        ("canvas.example.edu:443", "canvas.example.edu"),
        ("https://canvas.example.edu/", "canvas.example.edu"),
        ("uni.instructure.com", "uni.beta.instructure.com"),
        ("uni.test.instructure.com", "uni.instructure.com"),
    ],
)
def test_other_spellings_of_the_same_host_are_accepted(written: str, asked: str) -> None:
    assert proof_of(cartridge(context=context_xml(host=written)), canvas_host=asked).findings == ()


@pytest.mark.parametrize("root_account", [7, 20_000_000_000_007])
def test_a_canvas_under_another_name_is_known_by_its_root_account(root_account: int) -> None:
    data = cartridge(context=context_xml(host="uni.instructure.com", root_account=root_account))
    proof = proof_of(data, canvas_host="canvas.uni.edu", root_account_id=7)
    assert proof.verdict is Verdict.WHOLE
    assert codes(proof) == ["other_host_name"]


def test_another_name_and_another_root_account_is_another_canvas() -> None:
    with pytest.raises(WrongPackageError):
        proof_of(
            cartridge(context=context_xml(host="uni.instructure.com")),
            canvas_host="canvas.uni.edu",
            root_account_id=7,
        )


@pytest.mark.parametrize(("written", "asked"), [(20_000_000_000_101, 101), (101, 20_000_000_000_101)])
def test_a_course_number_is_the_same_with_and_without_its_shard(written: int, asked: int) -> None:
    assert proof_of(cartridge(context=context_xml(written)), course_id=asked).verdict is Verdict.WHOLE


def test_two_courses_of_two_shards_are_not_the_same() -> None:
    with pytest.raises(WrongPackageError):
        proof_of(cartridge(context=context_xml(20_000_000_000_101)), course_id=30_000_000_000_101)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (cartridge(context=None), "course_unproven"),
        (cartridge(context=context_xml("")), "course_unproven"),
        (cartridge(context=b"<context_info><course_id>101</course_id></context_info>"), "canvas_unproven"),
    ],
)
def test_what_the_package_does_not_say_is_noted(data: bytes, code: str) -> None:
    proof = proof_of(data)
    assert proof.verdict is Verdict.WHOLE
    assert [(f.code, f.severity) for f in proof.findings] == [(code, Severity.INFO)]


def test_a_group_has_no_course_to_prove() -> None:
    assert proof_of(cartridge(context=None), course_id=None).findings == ()


def test_names_that_would_hurt_when_unpacked_are_warned_of() -> None:
    data = zipped(
        [("../up", b"1"), ("/root", b"2"), ("a\\b", b"3"), ("a", b"4"), ("a", b"5"), ("b..c", b"6")]
    )
    proof = proof_of(data, "zip")
    assert codes(proof) == ["unsafe_name"] * 3 + ["duplicate_name"]
    assert len({finding.message for finding in proof.findings}) == 2
    assert {finding.severity for finding in proof.findings} == {Severity.WARNING}
    assert proof.verdict is Verdict.WHOLE


@pytest.mark.parametrize(
    "name",
    [
        "exam\u202efdp.exe",
        "a\u2066b\u2069.txt",
        "\u200fa.txt",
        "a\u061cb",
        "a\x1b[2Jb",
        "a\x85b",
        "a\u2028b",
        "a\x00b",
        "/etc/passwd",
        "C:/windows/a",
        "c:a",
        "a/../../b",
        "..",
        "a\\b",
        "x" * 5000,
        "a/" + "y" * 1025,
    ],
)
def test_a_name_that_deceives_or_leads_out_is_warned_of(name: str) -> None:
    proof = proof_of(packed_zip([Entry("a", b"1"), Entry(name, b"2")]), "zip")
    assert codes(proof) == ["unsafe_name"]
    assert proof.findings[0].severity is Severity.WARNING


@pytest.mark.parametrize(
    "name", ["\u05e9\u05dc\u05d5\u05dd.pdf", "\U0001f468\u200d\U0001f469.png", "a..b", "a/b c.txt"]
)
def test_a_name_in_any_language_is_no_finding(name: str) -> None:
    assert codes(proof_of(packed_zip([Entry(name, b"2")]), "zip")) == []


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        (stat.S_IFLNK | 0o777, ["special_file"]),
        (stat.S_IFCHR | 0o666, ["special_file"]),
        (stat.S_IFIFO | 0o666, ["special_file"]),
        (stat.S_IFREG | 0o644, []),
        (stat.S_IFDIR | 0o755, []),
        (0o644, []),
        (0, []),
    ],
)
def test_a_member_that_is_a_link_or_a_device_is_warned_of(mode: int, found: list[str]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        info = zipfile.ZipInfo("a/b")
        info.create_system, info.external_attr = 3, mode << 16
        package.writestr(info, "/etc/passwd")
    assert codes(proof_of(buffer.getvalue(), "zip")) == found


def test_findings_are_bounded_in_length() -> None:
    proof = proof_of(cartridge(missing=["web_resources/" + "x" * 50_000], errors=["head", "y" * 50_000]))
    assert all(len(finding.message) <= 500 for finding in proof.findings)
    assert all(len(finding.member or "") <= 1000 for finding in proof.findings)


def test_findings_are_bounded_gravest_first() -> None:
    lost = [f"web_resources/{number}" for number in range(500)]
    proof = proof_of(cartridge(context=None, missing=lost))
    assert len(proof.findings) == 201
    assert codes(proof)[-1] == "more_findings"
    assert "301" in proof.findings[-1].message
    assert proof.counts["missing"] == 500


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
    proof = proof_of(cartridge(files, missing=lost, errors=errors))
    assert (proof.verdict is Verdict.INCOMPLETE) == bool(lost or errors)
