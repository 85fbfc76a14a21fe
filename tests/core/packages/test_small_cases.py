"""Small packages that were once judged wrongly."""

from __future__ import annotations

import pytest
from tests.support.packages.build import real
from tests.support.packages.stored import proven

from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.proof import Expectation, Proof, Verdict

LEVELS = pytest.mark.parametrize("level", ProofLevel)


def proof_of(name: str, level: ProofLevel) -> Proof:
    return proven(real(name), Expectation("common_cartridge"), level=level).proof


@LEVELS
def test_a_new_quiz_whose_namespace_has_a_blank_is_whole(level: ProofLevel) -> None:
    proof = proof_of("newquiz_xsi", level)
    assert (proof.verdict, proof.findings) == (Verdict.WHOLE, ())
    assert proof.content_digest == proof_of("newquiz_xsi", level).content_digest


def test_a_new_quiz_that_no_assignment_stands_for_is_counted_with_its_body() -> None:
    counts = proof_of("newquiz_xsi", ProofLevel.FULL).counts
    assert (counts["new_quizzes"], counts["new_quiz_bodies"], counts["questions"]) == (1, 1, 1)


@LEVELS
def test_a_course_that_only_links_to_tools_is_not_empty(level: ProofLevel) -> None:
    proof = proof_of("tools_only", level)
    assert proof.verdict is Verdict.WHOLE
    assert (proof.counts["modules"], proof.counts["module_items"]) == (1, 1)


def test_the_counts_of_a_course_that_only_links_to_tools_say_what_it_holds() -> None:
    counts = proof_of("tools_only", ProofLevel.FULL).counts
    assert (counts["rubrics"], counts["events"], counts["outcomes"]) == (1, 1, 1)


@LEVELS
def test_what_a_mac_puts_beside_files_is_nobodys_content(level: ProofLevel) -> None:
    proof = proof_of("macosx_sidecar", level)
    assert (proof.verdict, proof.findings) == (Verdict.WHOLE, ())
    assert (proof.member_count, proof.counts["members"], proof.counts["bytes"]) == (3, 3, 405)
