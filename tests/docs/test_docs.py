"""Every sample in the documentation runs, and everything it points to is there."""

from __future__ import annotations

import ast
import json
import pkgutil
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
from tests.support.repository.markdown import BLOCKS, PAGES, ROOT, Block, Page

from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.backups import load_backups
from canvas_exports.core.export.planning.batch_plan import BatchReference
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.run_report import Receipt
from canvas_exports.dags.backups import backup_dag
from canvas_exports.observability.metric_names import METRICS, SPANS
from canvas_sandbox import Course, Sandbox, Switches

#: Names that look like modules, and are what metrics and spans are called.
SENT = {metric.name for metric in METRICS} | set(SPANS)

every_page = pytest.mark.parametrize("page", PAGES, ids=str)


def of(language: str, word: str = "") -> list[Block]:
    return [block for block in BLOCKS if (block.language, block.word) == (language, word)]


@every_page
def test_every_link_leads_somewhere(page: Page) -> None:
    for link in page.links:
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.path.parent / path if path else page.path
        assert target.exists(), f"{page} links to {link}"
        if anchor:
            assert anchor in Page(target).anchors, f"{page} links to {link}"


def test_the_index_leads_to_every_page() -> None:
    pages = {page.path for page in PAGES if page.path.parent.name == "docs"}
    (index,) = (page for page in PAGES if str(page) == "docs/README.md")
    linked = {(index.path.parent / link.partition("#")[0]).resolve() for link in index.links}
    assert pages <= linked | {index.path}


@every_page
def test_every_make_target_exists(page: Page) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = [*page.code, *(line for block in page.blocks for line in block.text.splitlines())]
    lines += [line.strip() for line in page.prose.splitlines() if line.startswith("    ")]
    named = {match[1] for line in lines if (match := re.match(r"make ([a-z-]+)\b", line))}
    assert named <= targets


@every_page
def test_every_file_that_is_named_exists(page: Page) -> None:
    for text in page.code:
        path = text.partition("::")[0]
        if re.fullmatch(r"(plugins|include|dev|dags|tests|benchmarks|docs|\.ci)/[\w./-]*", path):
            assert (ROOT / path).exists(), f"{page} names {path}"


@every_page
def test_every_test_that_is_named_exists(page: Page) -> None:
    for path, names in re.findall(r"`(tests/[\w/]+\.py)((?:::\w+)+)", page.text):
        body: list[ast.stmt] = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
        for name in names.split("::")[1:]:
            kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
            found = [node for node in body if isinstance(node, kinds) and node.name == name]
            assert found, f"{page} names {path}{names}"
            body = found[0].body


@every_page
def test_every_dotted_name_can_be_imported(page: Page) -> None:
    for text in page.code:
        if re.fullmatch(r"canvas_(exports|sandbox)(\.\w+)+", text) and text not in SENT:
            pkgutil.resolve_name(text)


def test_every_block_is_of_a_kind_that_is_checked_here() -> None:
    checked = {"python", "yaml", "json", "bash", "text", "mermaid", "sql"}  # SQL: see test_query
    assert [str(block) for block in BLOCKS if block.language not in checked] == []


class TestPython:
    @pytest.mark.parametrize("block", [b for b in of("python") if "with DAG(" in b.text], ids=str)
    def test_every_dag_parses_and_serialises(self, block: Block, tmp_path: Path) -> None:
        (tmp_path / "sample.py").write_text(block.text, encoding="utf-8")
        bag = DagBag(dag_folder=tmp_path, bundle_path=tmp_path)
        assert bag.import_errors == {}
        assert bag.dags
        for dag in bag.dags.values():
            assert dag.tasks
            DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))

    @pytest.fixture
    def canvas(self) -> Iterator[Sandbox]:
        courses = [Course(id=101, name="Biology", size=20_000)]
        with Sandbox(courses, switches=Switches(duration=0.1)) as sandbox:
            yield sandbox

    @pytest.mark.parametrize("block", [b for b in of("python") if "with DAG(" not in b.text], ids=str)
    def test_every_other_sample_runs_against_the_sandbox(
        self, block: Block, canvas: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("CANVAS_HOST", canvas.url)
        monkeypatch.setenv("CANVAS_TOKEN", canvas.token)
        if "CanvasHook" in block.text:
            connection = {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}
            monkeypatch.setenv("AIRFLOW_CONN_CANVAS_DEFAULT", json.dumps(connection))
        exec(compile(block.text, str(block), "exec"), {"__name__": "sample"})  # noqa: S102 - it is ours
        if "open(" in block.text:
            assert (tmp_path / "biology.imscc").read_bytes().startswith(b"PK")


class TestYaml:
    @pytest.fixture
    def include(self, tmp_path: Path) -> Path:
        shutil.copytree(ROOT / "include" / "courses", tmp_path / "include" / "courses")
        (tmp_path / "include" / "backups").mkdir()
        return tmp_path / "include"

    @pytest.mark.parametrize("block", of("yaml"), ids=str)
    def test_every_backup_is_a_backup(self, block: Block, include: Path) -> None:
        (include / "backups" / "sample.yaml").write_text(block.text, encoding="utf-8")
        loaded = load_backups(include)
        assert loaded.problems == ()
        (backup,) = loaded.backups
        DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(backup_dag(backup)))))
        named = backup.listing.get("course_list")
        assert named is None or Path(named).exists()

    @pytest.mark.parametrize("block", of("yaml", "broken"), ids=str)
    def test_a_broken_backup_is_reported_as_the_page_says(self, block: Block, include: Path) -> None:
        told = BLOCKS[BLOCKS.index(block) + 1]
        assert told.language == "text"
        (include / "backups" / "nightly.yaml").write_text(block.text, encoding="utf-8")
        assert [str(found) for found in load_backups(include).problems] == told.text.splitlines()


class TestJson:
    @pytest.mark.parametrize("block", of("json"), ids=str)
    def test_every_document_is_what_it_says(self, block: Block) -> None:
        document = json.loads(block.text)
        if isinstance(document, list):  # of DAG bundles
            assert all(set(bundle) == {"name", "classpath", "kwargs"} for bundle in document)
            return
        if "Statement" in document:
            return  # test_tables holds it against the table beside it
        if "plan" in document:
            assert BatchReference.from_json(document).to_json() == document
            return
        if "schema" not in document:
            fresh = Receipt(archive="", report="", exports=0, size=0).to_json()
            assert list(document) == list(fresh)
            assert sum(document["outcomes"].values()) == document["exports"]
            assert set(document["outcomes"]) <= {outcome.value for outcome in Outcome}
            return
        name = document["schema"].removeprefix("urn:canvas-exports:").replace(":", "-")
        assert problem(name, document) is None

    def test_the_manifest_is_read_back_and_written_as_it_stands_in_the_page(self) -> None:
        (block,) = (block for block in of("json") if "urn:canvas-exports:manifest" in block.text)
        document = json.loads(block.text)
        written = json.loads(Manifest.from_json(block.text.encode()).to_json())
        shown = document["proof"].pop("never_held")
        assert written["proof"].pop("never_held")[: len(shown)] == shown  # the page says that it is cut short
        assert written == document


def test_the_samples_are_not_empty_by_accident() -> None:
    assert len(of("python")) > 5
    assert len(of("yaml")) > 3
    assert len(of("json")) > 3
