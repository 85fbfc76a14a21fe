"""``canvas-archive retention`` and ``hold``: a plan by default, deletion only when somebody has said so."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.holdings import lay, manifest

from canvas_exports.core.archive.retention.plan import make_plan
from canvas_exports.core.storage.local import FileStore

DAILY = ("retention", "--keep-daily", "2")


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    """Four nights of one course."""
    store = FileStore(tmp_path.as_uri(), tmp_path)
    for day in range(4):
        lay(store, manifest(day=day, export_id=501 + day))
    return store


@pytest.fixture
def ask(archive: FileStore, run_command: Any) -> Any:
    return partial(run_command, archive.uri)


def left(archive: FileStore) -> list[str]:
    return sorted(info.key.rpartition("-")[2] for info in archive.list("courses/"))


ALL = [f"{number}.{suffix}" for number in (501, 502, 503, 504) for suffix in ("imscc", "json")]
NEWEST = ALL[4:]


class TestPlan:
    def test_it_shows_every_copy_and_deletes_nothing(self, ask: Any, archive: FileStore) -> None:
        status, text = ask(*DAILY)
        assert status == 0
        rows = [line.split()[-2:] for line in text.splitlines() if line.startswith("course:101")]
        assert rows == [["yes", "delete"], ["yes", "delete"], ["keep", "daily"], ["daily,", "proven"]]
        assert "Of each course and export type, keep the newest of each of the last 2 days" in text
        assert "4 copies: 2 to delete, 2 to keep. The deletion frees 18 B." in text
        assert text.rstrip().endswith(
            "Nothing is deleted: this is only the plan. To delete the copies, use --apply."
        )
        assert left(archive) == ALL

    def test_as_json(self, ask: Any, archive: FileStore) -> None:
        document = json.loads(ask(*DAILY, "--json")[1])
        assert document["totals"]["delete"] == 2
        assert document["totals"]["applied"] is None
        (context,) = document["contexts"]
        assert (context["keep"], [copy["decision"] for copy in context["copies"]]) == (2, ["delete"] * 2)
        assert left(archive) == ALL

    def test_of_one_backup(self, ask: Any) -> None:
        assert "0 copies: 0 to delete, 0 to keep" in ask(*DAILY, "--backup", "canvas_backup_other")[1]
        assert "4 copies: 2 to delete" in ask(*DAILY, "--backup", "nightly")[1]

    def test_holds(self, ask: Any) -> None:
        assert "4 copies: 0 to delete" in ask(*DAILY, "--hold-course", "101")[1]
        text = ask(*DAILY, "--hold-term", "Fall")[1]
        assert "No copy matches hold term Fall: is it misspelt?" in text

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ((), "keep: a policy without a rule would delete all but the newest copies."),
            (("--keep-daily", "0"), "daily: 0 would keep nothing."),
            (("--keep-within", "30 days"), "within: '30 days' is not a length of time."),
            (("--keep-last", "1", "--timezone", "Nowhere"), "timezone: 'Nowhere' is not a time zone."),
            (
                ("--keep-last", "1", "--hold-course", "self"),
                "hold.courses: 'self' is not a Canvas course id.",
            ),
            (("--keep-last", "1", "--json", "--apply"), "--json: cannot ask for a confirmation."),
        ],
    )
    def test_bad_input_deletes_nothing(
        self, ask: Any, archive: FileStore, arguments: tuple[str, ...], said: str
    ) -> None:
        status, text = ask("retention", *arguments)
        assert status == 2
        assert text.startswith(f"canvas-archive: {said}")
        assert left(archive) == ALL


class TestApply:
    def test_with_yes_it_deletes_what_the_plan_says(self, ask: Any, archive: FileStore) -> None:
        status, text = ask(*DAILY, "--apply", "--yes")
        assert (status, left(archive)) == (0, NEWEST)
        assert text.rstrip().endswith("Deleted 2 copies and 2 packages (18 B).")

    def test_as_json_it_says_what_was_deleted(self, ask: Any, archive: FileStore) -> None:
        document = json.loads(ask(*DAILY, "--apply", "--yes", "--json")[1])
        assert document["totals"]["applied"]["copies"] == 2
        assert left(archive) == NEWEST

    @pytest.mark.parametrize(("typed", "stays"), [("2", NEWEST), ("yes", ALL), ("", ALL), ("22", ALL)])
    def test_a_person_has_to_type_how_many_go(
        self, ask: Any, archive: FileStore, monkeypatch: pytest.MonkeyPatch, typed: str, stays: list[str]
    ) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        monkeypatch.setattr("builtins.input", lambda _: typed)
        text = ask(*DAILY, "--apply")[1]
        assert left(archive) == stays
        assert ("Nothing is deleted." in text) == (stays is ALL)

    def test_without_a_person_it_asks_for_yes(
        self, ask: Any, archive: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: False)
        status, text = ask(*DAILY, "--apply")
        assert status == 2
        assert "--apply: there is no terminal to ask for a confirmation. Accepted: --yes." in text
        assert left(archive) == ALL

    def test_what_had_to_be_left_shows_in_the_exit_status(
        self, ask: Any, archive: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def racing(*arguments: Any, **options: Any) -> Any:
            plan = make_plan(*arguments, **options)
            archive.replace("courses/101/notes.txt", b"mine")
            return plan

        monkeypatch.setattr("canvas_exports.cli.commands.retention.make_plan", racing)
        status, text = ask(*DAILY, "--apply", "--yes")
        assert status == 1
        assert "course:101 has changed since it was planned, and is left alone" in text


class TestHold:
    def test_a_tag_holds_until_it_is_lifted(self, ask: Any, archive: FileStore) -> None:
        assert "The tag legal was put on 4 packages of course:101." in ask("hold", "101", "--tag", "legal")[1]
        assert "4 copies: 0 to delete" in ask(*DAILY)[1]
        assert ask("hold")[1].count("legal") == 4
        assert "put on 0 packages" in ask("hold", "101", "--tag", "legal")[1]
        assert "lifted from 4 packages" in ask("hold", "101", "--tag", "legal", "--lift")[1]
        assert "No copy is held by a tag." in ask("hold")[1]
        assert ask(*DAILY, "--apply", "--yes")[0] == 0
        assert [key for key in left(archive) if key.endswith("imscc")] == ["503.imscc", "504.imscc"]
        assert sum("hold" in info.key for info in archive.list("courses/")) == 4, (
            "records went with their packages"
        )

    def test_a_single_copy(self, ask: Any, archive: FileStore) -> None:
        key = next(info.key for info in archive.list("courses/") if info.key.endswith("-501.json"))
        status, text = ask("hold", "course:101", "--copy", key, "--tag", "audit", "--json")
        assert status == 0
        (record,) = json.loads(text)["records"]
        assert json.loads(archive.read(record))["tag"] == "audit"
        assert [row["tags"] for row in json.loads(ask("hold", "--json")[1])] == [["audit"]]
        assert "4 copies: 1 to delete" in ask(*DAILY)[1]

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("101",), "--tag: a course and a tag go together."),
            (("--tag", "legal"), "--tag: a course and a tag go together."),
            (("--lift",), "COURSE: is missing."),
            (("101", "--tag", "Jane Roe"), "tag: 'Jane Roe' is not a tag."),
            (("102", "--tag", "legal"), "COURSE: the archive has no such copy of course:102."),
            (("101", "--copy", "x", "--tag", "legal"), "--copy: the archive has no such copy of course:101."),
            (
                ("sis_course_id:X", "--tag", "legal"),
                "COURSE: no manifest in this archive names 'course:sis_course_id:X'.",
            ),
        ],
    )
    def test_bad_input(self, ask: Any, arguments: tuple[str, ...], said: str) -> None:
        status, text = ask("hold", *arguments)
        assert status == 2
        assert text.startswith(f"canvas-archive: {said}")
