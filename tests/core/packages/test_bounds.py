"""No package costs more memory, or more work, than is stated; and what a course may hold is far below every bound."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.attacks import ATTACKS
from benchmarks.hostile import LEVELS, MIB, MOST_MIB, MOST_SECONDS_PER_MIB
from tests.support.packages.courses import CANVAS, Course, Res
from tests.support.packages.stored import codes, proven
from tests.support.packages.zips import entries_of, packed_zip

from canvas_exports.core.packages import work_limits
from canvas_exports.core.packages.cartridge import xml_strict
from canvas_exports.core.packages.cartridge.documents import ContentSummary, StreamedDocument
from canvas_exports.core.packages.cartridge.links import LinkChecker
from canvas_exports.core.packages.cartridge.manifest import read_manifest
from canvas_exports.core.packages.content_digest import manifest_digest
from canvas_exports.core.packages.findings import MAX_FINDINGS, Findings
from canvas_exports.core.packages.proof import Expectation, Finding, Severity, Verdict
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.errors import CorruptPackageError, HostileXmlError

ROOT = Path(__file__).resolve().parents[3]
PATIENT = 90  # seconds of processor time: nine times what is stated, since the machine may be slow

# The worst of `python -m benchmarks.hostile`, which runs all of them.
WORST = [
    "a long namespace on many elements",
    "a namespace as long as allowed on many elements, in the manifest",
    "an attribute of 31 MB",
    "an attribute of 31 MB, in a manifest to be recovered",
    "a text of 31 MB, in the manifest",
    "many attributes in an element, in a manifest to be recovered",
    "many attributes in many elements, in the manifest",
    "different names of elements, to be recovered",
    "different names of attributes",
    "deep nesting, in the manifest",
    "many references, in a manifest to be recovered",
    "mistakes, in a manifest to be recovered",
    "identifiers",
    "a hundred documents full of elements",
    "links",
    "links that differ",
    "links full of accents",
    "links full of escapes",
    "a namespace of 3 MB on many elements, to be recovered",
    "as many members and resources as allowed",
    "more members than any course has",
    "members with long names",
    "low lines in a name",
    "references full of accents",
    "references of low lines",
    "resources",
    "export errors",
    "a manifest that is not packed, at the front",
    "end records in the comment",
    "zeros",
]


@pytest.mark.parametrize("name", WORST)
def test_a_hostile_package_costs_no_more_than_is_stated(name: str, tmp_path: Path) -> None:
    package = tmp_path / "package.imscc"
    package.write_bytes(ATTACKS[name]())
    seconds = int(PATIENT + 9 * MOST_SECONDS_PER_MIB * package.stat().st_size / MIB)
    for level in LEVELS:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.judge", str(package), level],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=20 * seconds,  # one that waits uses no processor time
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds)),
        )
        assert done.returncode == 0, f"more than {seconds} s, or: {done.stderr[-500:]}"
        took: dict[str, Any] = json.loads(done.stdout)
        assert took["growth_mib"] <= MOST_MIB


def test_a_large_course_is_far_below_every_bound() -> None:
    """Thirty thousand files, two thousand documents, ten megabytes of manifest."""
    files = {
        f"web_resources/Week {number % 50}/lecture notes {number}.pdf": b"%PDF" for number in range(30_000)
    }
    quiz = (
        b"<questestinterop>"
        + b'<item ident="i"><mattext>What is it?</mattext></item>' * 300
        + b"</questestinterop>"
    )
    quizzes = {f"non_cc_assessments/g{number:032x}.xml.qti": quiz for number in range(2_000)}
    resources = (
        *(Res(f"f{number:032x}", "webcontent", (name,), name) for number, name in enumerate(files)),
        *(Res(f"q{number:032x}", CANVAS, (name,), name) for number, name in enumerate(quizzes)),
    )
    whole = Course(
        {**files, **quizzes},
        resources,
        tuple((each.identifier, each.identifier) for each in resources[:9_000]),
    )
    found = proven(packed_zip(entries_of(whole.members())), Expectation("common_cartridge"))
    assert (codes(found), found.proof.verdict) == ([], Verdict.WHOLE)
    assert found.proof.counts["questions"] == 600_000
    assert found.proof.counts["module_items"] == 9_000


class TestWork:
    def test_the_same_document_makes_the_same_work(self) -> None:
        document = Course({}, (Res("a", CANVAS, ("a", "b"), "a"),), (("x", "a"),)).manifest()
        left = set()
        for size in (1, 9, 1000):
            spent = WorkLimit(100)
            read_manifest([document[start : start + size] for start in range(0, len(document), size)], spent)
            left.add(spent.left)
        assert len(left) == 1

    def test_elements_attributes_and_what_is_digested_count(self) -> None:
        def spent(document: bytes) -> int:
            counting = WorkLimit()
            before = counting.left
            manifest_digest([document], counting)
            return before - counting.left

        plain = spent(b"<manifest>" + b"<a/>" * 100 + b"</manifest>")
        assert spent(b"<manifest>" + b"<a/>" * 200 + b"</manifest>") > 1.9 * plain
        assert (
            spent(b"<manifest>" + b'<a b="" c=""/>' * 100 + b"</manifest>")
            > plain + 200 * work_limits.ATTRIBUTE
        )
        long = b'<manifest xmlns="' + b"n" * 1000 + b'">' + b"<a/>" * 100 + b"</manifest>"
        assert spent(long) > plain + 100 * 1000

    def test_more_of_it_is_allowed_for_a_larger_package(self) -> None:
        assert WorkLimit(1 << 20).left > WorkLimit(0).left + (1 << 29)

    def test_what_makes_too_much_is_refused_by_name(self) -> None:
        with pytest.raises(HostileXmlError, match=r"imsmanifest\.xml: to read on would take more work"):
            read_manifest([b"<manifest>" + b"<a/>" * 100 + b"</manifest>"], WorkLimit(units=10_000))

    def test_a_processor_that_is_too_slow_ends_it_too(self) -> None:
        with pytest.raises(HostileXmlError):
            read_manifest([b"<manifest><a/></manifest>"], WorkLimit(seconds=-1.0, check_every=1))

    def test_documents_beyond_the_limit_are_findings_and_no_error(self) -> None:
        summary = ContentSummary(WorkLimit(units=200_000))
        for name in ("a.xml", "b.xml"):
            document = StreamedDocument(summary, name)
            document.feed(b"<quiz>" + b"<a/>" * 2_000 + b"</quiz>")
            document.end()
        found = summary.findings.most_severe()
        assert [(finding.code, finding.member) for finding in found] == [
            ("hostile_xml", "a.xml"),
            ("hostile_xml", "b.xml"),
        ]


BEYOND = {
    "depth": b"<manifest>" + b"<a>" * 100,
    "attributes": b"<manifest><a " + b" ".join(b'a%d=""' % at for at in range(257)) + b"/></manifest>",
    "a name": b"<manifest><" + b"a" * 1001 + b"/></manifest>",
    "a namespace": b'<manifest xmlns="' + b"a" * 2001 + b'"/>',
    "namespaces": b"<manifest " + b" ".join(b'xmlns:a%d="u"' % at for at in range(65)) + b"/>",
    "different names": b"<manifest>" + b"".join(b"<a%d/>" % at for at in range(10_001)) + b"</manifest>",
    "a tag": b'<manifest><a b="' + b"c" * 400_000 + b'"/></manifest>',
    "a comment": b"<manifest/><!--" + b"c" * 400_000 + b"-->",
    "parts": b"<manifest>" + b"<dependency/>" * 150_001 + b"</manifest>",
    "characters": b"<manifest>" + b'<file href="%s"/>' % (b"c" * 200_000) * 84 + b"</manifest>",
}
WITHIN = {
    "depth": b"<manifest>" + b"<a>" * 99 + b"</a>" * 99 + b"</manifest>",
    "attributes": b"<manifest><a " + b" ".join(b'a%d=""' % at for at in range(256)) + b"/></manifest>",
    "a name": b"<manifest><" + b"a" * 1000 + b"/></manifest>",
    "a namespace": b'<manifest xmlns="' + b"a" * 2000 + b'"/>',
    "different names": b"<manifest>" + b"".join(b"<a%d/>" % at for at in range(9_900)) + b"</manifest>",
    "a tag": b'<manifest><a b="' + b"c" * 250_000 + b'"/></manifest>',
}


@pytest.mark.parametrize("document", BEYOND.values(), ids=BEYOND.keys())
def test_what_exceeds_a_bound_is_refused(document: bytes) -> None:
    with pytest.raises(CorruptPackageError, match=r"imsmanifest\.xml"):
        read_manifest([document])


@pytest.mark.parametrize("what", sorted(BEYOND.keys() - {"namespaces", "different names"}))
def test_what_exceeds_a_bound_is_refused_in_recovery_mode(what: str) -> None:
    with pytest.raises(CorruptPackageError, match=r"imsmanifest\.xml"):
        read_manifest([b"\n<?xml version='1.0'?>" + BEYOND[what]])


@pytest.mark.parametrize("document", WITHIN.values(), ids=WITHIN.keys())
def test_what_is_within_a_bound_is_read(document: bytes) -> None:
    assert read_manifest([document]).defect is None
    assert manifest_digest([document])


def test_a_bound_holds_however_the_bytes_come() -> None:
    piece = BEYOND["a tag"]
    for size in (1000, 65_536, 70_000, len(piece)):
        with pytest.raises(HostileXmlError, match=f"{xml_strict.MAX_TOKEN:,}"):
            read_manifest([piece[start : start + size] for start in range(0, len(piece), size)])


LONG_SPACES = {
    "of the elements": b'<a xmlns="' + b"n" * 2001 + b'">',
    "of a prefix": b"<a xmlns:p='" + b"n" * 2001 + b"'>",
    "with the other quotes in it": b"<a xmlns='" + b'"' * 2001 + b"'>",
    "with the end of a tag in it": b'<a xmlns=">' + b"n" * 2001 + b'">',
    "after white space": b"<a xmlns " + b" " * 99 + b"=\n" + b" " * 99 + b'"' + b"n" * 2001 + b'">',
    "after much white space": b"<a xmlns" + b" " * 5000 + b'="' + b"n" * 2001 + b'">',
    "after the sign and much white space": b"<a xmlns=" + b" " * 5000 + b'"' + b"n" * 2001 + b'">',
    "of a long prefix": b"<a xmlns:" + b"p" * 5000 + b'="' + b"n" * 2001 + b'">',
    "with control characters in its name": b'<a xm\x01lns="' + b"n" * 2001 + b'">',
}


@pytest.mark.parametrize("tag", LONG_SPACES.values(), ids=LONG_SPACES.keys())
@pytest.mark.parametrize("size", [7, 1000, 100_000])
def test_a_long_namespace_is_refused_before_a_document_is_recovered(tag: bytes, size: int) -> None:
    document = b"\n<?xml version='1.0'?><manifest>" + b" " * 1990 + tag + b"</a></manifest>"
    with pytest.raises(HostileXmlError, match="longer namespace than any course"):
        read_manifest([document[start : start + size] for start in range(0, len(document), size)])


def test_a_long_link_makes_more_work_than_a_short_one() -> None:
    def spent(link: bytes) -> int:
        counting = WorkLimit()
        links = LinkChecker(read_manifest([b"<manifest/>"]), frozenset(), counting)
        before = counting.left
        links.check("wiki_content/a.html", b"IMS-CC-FILEBASE", link)
        return before - counting.left

    assert spent(b"/a" * 500) > spent(b"/a") + 50_000


def test_findings_are_counted_and_not_kept() -> None:
    found = Findings()
    found.update(Finding("a", Severity.WARNING, "x", str(number)) for number in range(100_000))
    found.add(Finding("b", Severity.ERROR, "y" * 10_000, "z" * 10_000))
    most_severe = found.most_severe()
    assert len(most_severe) == MAX_FINDINGS + 1
    assert (most_severe[0].code, len(most_severe[0].message), len(most_severe[0].member or "")) == (
        "b",
        500,
        1000,
    )
    assert "99,801 more" in most_severe[-1].message
