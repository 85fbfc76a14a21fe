"""The packages that the sandbox builds, of every type and with every fault, under a full proof."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.packages.stored import codes, proven

from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.proof import Expectation, Verdict
from canvas_exports.core.packages.prove_stored import StoredProof
from canvas_sandbox import Fault
from canvas_sandbox.content.generate import Source, generate
from canvas_sandbox.content.model import Content, Kind
from canvas_sandbox.exports.build import build
from canvas_sandbox.exports.package_spec import PackageSpec

HOST = "canvas.example.edu"


def content() -> Content:
    return generate(Source("course", 101, 200_000, 1, 7, empty=False))


def proof_of(export_type: str, *faults: Fault, **changes: Any) -> StoredProof:
    facts: dict[str, Any] = {
        "label": "course:101",
        "context_id": 101,
        "name": "Biology",
        "content": content(),
        "seed": 7,
        "revision": 1,
        "export_id": 501,
        "moment": 1.8e9,
        "canvas_domain": HOST,
        "faults": frozenset(faults),
        **changes,
    }
    package = build(export_type, PackageSpec(**facts))
    return proven(package.read(), Expectation(export_type, course_id=101, canvas_host=HOST))


@pytest.mark.parametrize("version", ["1.1.0", "1.3.0"])
@pytest.mark.parametrize("faults", [(), (Fault.ZIP64,)])
def test_a_cartridge_is_whole_and_holds_what_the_course_holds(
    version: str, faults: tuple[Fault, ...]
) -> None:
    found = proof_of("common_cartridge", *faults, version=version)
    assert (found.proof.level, found.proof.verdict, codes(found)) == (ProofLevel.FULL, Verdict.WHOLE, [])
    course = content()
    counts = found.proof.counts
    for name, kind in (
        ("pages", Kind.PAGE),
        ("assignments", Kind.ASSIGNMENT),
        ("quizzes", Kind.QUIZ),
        ("files", Kind.FILE),
        ("modules", Kind.MODULE),
        ("module_items", Kind.MODULE_ITEM),
        ("announcements", Kind.ANNOUNCEMENT),
        ("assignment_groups", Kind.ASSIGNMENT_GROUP),
        ("rubrics", Kind.RUBRIC),
        ("events", Kind.EVENT),
    ):
        assert counts[name] == len(list(course.of(kind))) > 0, name
    topics = [*course.of(Kind.DISCUSSION), *course.of(Kind.ANNOUNCEMENT)]
    assert counts["discussions"] == len(topics)
    assert counts["questions"] == 3 * counts["quizzes"]


def test_quizzes_and_files_are_whole() -> None:
    for export_type in ("qti", "zip"):
        found = proof_of(export_type)
        assert (found.proof.verdict, found.is_complete) == (Verdict.WHOLE, True)
        assert "missing_file" not in codes(found)
