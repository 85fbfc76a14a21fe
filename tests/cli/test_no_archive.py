"""An address that holds no archive is never all well, whatever is asked there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.holdings import lay, manifest
from tests.support.archives.run_reports import outcome, report
from tests.support.command.subcommands import has_option, subcommands

from canvas_exports.core.storage.local import FileStore

#: Stands for a folder that does not exist.
SITE = "site"

QUESTIONS: dict[str, tuple[str, ...]] = {
    "missing": ("missing",),
    "history": ("history", "101"),
    "find": ("find", "101"),
    "list": ("list", "101"),
    "stats": ("stats",),
    "get": ("get", "101", "--files"),
    "open": ("open", "101"),
    "publish": ("publish", "-o", SITE),
    "runs": ("runs",),
    "ages": ("ages",),
    "compare": ("compare", "101"),
    "verify": ("verify",),
    "retention": ("retention", "--keep-last", "1"),
    "hold": ("hold",),
    "alarms": ("alarms",),
    "release": ("release", "101"),
    "search": ("search", "soil"),
    "search-index": ("search-index",),
}


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


@pytest.fixture
def ask(store: FileStore, run_command: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    site = tmp_path_factory.mktemp("published") / SITE

    def ask(*arguments: str, uri: str = store.uri) -> tuple[int, str]:
        status, text = run_command(uri, *(str(site) if each == SITE else each for each in arguments))
        assert status != 2 or not site.exists(), "a site without an archive"
        return status, text

    return ask


def nothing(_: FileStore) -> None:
    """The folder is there."""


def one_level_up(store: FileStore) -> None:
    """Somebody has left out the last part of the address."""
    store.replace("canvas/courses/101/x.json", manifest().to_json())


def of_somebody_else(store: FileStore) -> None:
    """Another system's bucket, with folders of the same name."""
    store.replace("courses/101/outline.json", b'{"blocks": []}')
    store.replace("courses/101/video.zip", b"PK")


def packages_alone(store: FileStore) -> None:
    """What a killed run leaves: no manifest, no backup."""
    store.replace(manifest().package.key, b"a package")


def test_every_subcommand_that_reads_copies_is_asked() -> None:
    reading = [name for name, each in subcommands().items() if has_option(each, "--allow-empty")]
    assert sorted(QUESTIONS) == sorted(reading)


@pytest.mark.parametrize("arguments", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("lay_down", [nothing, one_level_up, of_somebody_else, packages_alone])
def test_it_is_an_error_with_the_address_and_a_next_step(
    ask: Any, store: FileStore, lay_down: Any, arguments: tuple[str, ...]
) -> None:
    lay_down(store)
    before = sorted(info.key for info in store.list())
    status, text = ask(*arguments)
    assert status == 2
    assert text.startswith(f"canvas-archive: no archive here: {store.uri}: ")
    assert "check the address" in text
    assert text.count("\n") == 1
    assert sorted(info.key for info in store.list()) == before


@pytest.mark.parametrize("arguments", QUESTIONS.values(), ids=QUESTIONS)
def test_a_folder_that_does_not_exist_is_reported_and_not_made(
    ask: Any, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    absent = tmp_path / "absent"
    status, text = ask(*arguments, uri=absent.as_uri())
    assert status == 2
    assert "there is no such folder" in text
    assert not absent.exists()


@pytest.mark.parametrize(
    "name", ["missing", "stats", "runs", "ages", "verify", "retention", "hold", "search-index"]
)
def test_an_empty_archive_may_be_allowed(ask: Any, name: str) -> None:
    assert ask(*QUESTIONS[name], "--allow-empty")[0] == 0


def test_after_a_first_night_in_which_everything_failed_the_reports_answer(
    ask: Any, store: FileStore
) -> None:
    report(store, outcome("course:101", "denied", "the user may not export it"))
    status, text = ask("missing")
    assert status == 1
    assert "denied in the last run: the user may not export it" in text
    assert ask("runs")[0] == 0
    for name in ("ages", "stats", "verify", "retention", "hold"):
        status, text = ask(*QUESTIONS[name])
        assert status == 2
        assert "run reports and no manifest" in text


@pytest.mark.parametrize("arguments", QUESTIONS.values(), ids=QUESTIONS)
def test_one_copy_makes_an_archive(ask: Any, store: FileStore, arguments: tuple[str, ...]) -> None:
    lay(store, manifest("course:101"))
    assert "no archive here" not in ask(*arguments)[1]
