"""The include folder is described by its backups and its mistakes."""

from __future__ import annotations

from pathlib import Path

from tests.support.backups.backup_files import WHOLE

from canvas_exports.core.doctor.backups import check_include
from canvas_exports.core.doctor.facts import Status


def test_a_folder_that_is_missing_is_written_by_init(tmp_path: Path) -> None:
    loaded, (fact,) = check_include(tmp_path / "include")
    assert loaded.backups == ()
    assert (fact.status, fact.next_step) == (Status.PROBLEM, f"canvas-archive init {tmp_path}")


def test_valid_backups_and_mistakes(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (_, (empty,)) = check_include(tmp_path)
    assert (empty.status, empty.fact) == (Status.PROBLEM, f"{tmp_path} has no backup.")
    (folder / "nightly.yaml").write_text(WHOLE)
    loaded, (good,) = check_include(tmp_path)
    assert [backup.name for backup in loaded.backups] == ["nightly"]
    assert (good.status, good.fact) == (Status.OK, f"{tmp_path} has 1 valid backup: nightly.")
    (folder / "law.yaml").write_text("name: law\n")
    _, (good, broken) = check_include(tmp_path)
    assert good.status is Status.OK
    assert (broken.status, broken.next_step) == (Status.PROBLEM, f"canvas-archive check {tmp_path}")
    assert "law.yaml, line 1, " in broken.fact
