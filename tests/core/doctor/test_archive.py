"""An archive is described by what can be done there; nothing is left behind."""

from __future__ import annotations

from pathlib import Path

from canvas_exports.core.doctor.archive import check_archive
from canvas_exports.core.doctor.facts import Status
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Capabilities


class UnconditionalStore(FileStore):
    """A store without conditional writes."""

    capabilities = Capabilities(one_winner=False)


def test_an_archive_that_works(tmp_path: Path) -> None:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    found = list(check_archive(store, "campus_archive"))
    assert {(fact.subject, fact.status) for fact in found} == {("campus_archive", Status.OK)}
    assert found[0].fact == f"{tmp_path.as_uri()} can be written, read and listed, and is empty."
    assert found[1].fact == "The store has conditional writes."
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    store.replace("courses/101/x.json", b"{}")
    assert next(check_archive(store, "campus_archive")).fact.endswith("and holds objects.")


def test_a_store_without_conditional_writes_is_a_warning(tmp_path: Path) -> None:
    *_, last = check_archive(UnconditionalStore(tmp_path.as_uri(), tmp_path), "archive")
    assert last.status is Status.WARNING
    assert last.next_step == "Let only one Airflow write to this archive."


def test_an_archive_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder belongs")
    root = tmp_path / "file" / "archive"
    (fact,) = check_archive(FileStore(root.as_uri(), root), "archive")
    assert fact.status is Status.PROBLEM
    assert fact.fact.startswith(f"{root.as_uri()} cannot be written: ")
    assert fact.next_step
