"""The tables of proof, and of what is in a package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from benchmarks import hostile
from tests.support.packages.broken import BREAKERS
from tests.support.packages.courses import course, quizzes
from tests.support.packages.stored import proven
from tests.support.packages.zips import entries_of, packed_zip
from tests.support.repository.markdown import bare, page

from canvas_exports.core import packages
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages import findings
from canvas_exports.core.packages.cartridge import manifest, xml_reader, xml_strict
from canvas_exports.core.packages.cartridge.manifest import MAX_MANIFEST
from canvas_exports.core.packages.proof import NEVER_HELD, Expectation, Severity, Verdict
from canvas_exports.core.packages.zip.directory import MAX_DIRECTORY, MAX_MEMBERS
from canvas_exports.core.packages.zip.members import MAX_RATIO, MAX_UNPACKED, MAX_UNPACKED_RATIO


class TestProof:
    def test_every_code_of_a_finding_stands_there_with_its_severity(self) -> None:
        modules = [
            ast.parse(each.read_text(encoding="utf-8")) for each in Path(packages.__path__[0]).rglob("*.py")
        ]
        made: dict[str, str] = {}
        for node in (node for tree in modules for node in ast.walk(tree)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
                code, severity = node.args[:2]
                assert isinstance(code, ast.Constant)
                fixed = Severity[severity.attr].value if isinstance(severity, ast.Attribute) else None
                made[str(code.value)] = fixed or "as the rest"
        rows = page("proof").table("Findings")
        assert {bare(row[0]): bare(row[1]) for row in rows} == made

    def test_the_verdicts(self) -> None:
        named = page("proof").column("Verdicts")
        assert named[: len(Verdict)] == [verdict.value for verdict in Verdict]

    def test_what_is_never_held(self) -> None:
        rows = page("proof").table("What no package ever holds")
        columns = [[cell for cell in column if cell] for column in zip(*rows, strict=True)]
        assert columns == [list(held) for held in NEVER_HELD.values()]

    def test_the_levels(self) -> None:
        assert page("proof").column("Levels") == [level.value for level in ProofLevel]

    def test_the_counts_and_at_which_level_they_are_made(self) -> None:
        rows = page("proof").table("Counts")
        quiz_package, files = quizzes(), Expectation("zip")
        for letter, members, expect in (
            ("C", course().members(), course().expect),
            ("Q", quiz_package.members(), quiz_package.expect),
            ("F", {"a": b""}, files),
        ):
            data = packed_zip(entries_of(members))
            named = {bare(row[0]): bare(row[2]) for row in rows if letter in row[1].split()}
            shallow, deep = (proven(data, expect, level=level).proof.counts for level in ProofLevel)
            assert set(named) == set(deep)
            assert {name for name, level in named.items() if level == "directory"} == set(shallow)

    def test_the_damage_that_is_noticed(self) -> None:
        rows = [(broken, bare(noticed)) for broken, noticed in page("proof").table("Damage that is detected")]
        assert rows == list(BREAKERS)

    def test_the_bounds(self) -> None:
        said = page("proof").section("What is checked") + page("proof").section("Bounds")
        for bound in (
            f"{MAX_RATIO:,} times",
            f"{MAX_UNPACKED // 1024**3} GiB",
            f"{MAX_UNPACKED_RATIO} times",
            f"{MAX_MEMBERS:,}",
            f"{MAX_DIRECTORY // 1024**2} MiB",
            f"{MAX_MANIFEST // 1024**2} MiB",
            f"{manifest.MAX_CONTEXT // 1024} KiB",
            f"{manifest.MAX_PARTS:,} resources",
            f"{xml_reader.MAX_ELEMENTS:,} elements",
            f"{xml_reader.MAX_DEPTH} levels",
            f"{xml_strict.MAX_NAMES:,} different names",
            f"{xml_reader.MAX_RECOVERED // 1024**2} MiB",
            f"{xml_strict.MAX_ATTRIBUTES} attributes",
            f"{xml_strict.MAX_TOKEN // 1024} KiB",
            f"a name of {xml_strict.MAX_NAME:,} characters",
            f"a namespace of {xml_reader.MAX_SPACE:,}",
            f"{findings.MAX_FINDINGS}, each of {findings.MAX_MESSAGE} characters and a path of {findings.MAX_MEMBER:,}",
            f"at most {hostile.MOST_MIB} MiB",
        ):
            assert bound in said


class TestWhatIsInAPackage:
    @pytest.mark.parametrize("export_type", NEVER_HELD)
    def test_what_is_never_held_stands_there(self, export_type: str) -> None:
        assert page("what-is-in-a-package").column(export_type, table=1) == list(NEVER_HELD[export_type])

    @pytest.mark.parametrize("export_type", NEVER_HELD)
    def test_what_is_counted_is_a_count_of_that_type(self, export_type: str) -> None:
        letter = {"common_cartridge": "C", "qti": "Q", "zip": "F"}[export_type]
        known = {bare(row[0]) for row in page("proof").table("Counts") if letter in row[1].split()}
        rows = page("what-is-in-a-package").table(export_type)
        named = {bare(name) for row in rows for name in row[2].split(", ") if name}
        assert named
        assert named <= known
