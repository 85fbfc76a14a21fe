"""``canvas-archive verify``: what is stored, proven again from a terminal."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.stored import package, rotten, spoil, stored

from canvas_exports.core.storage.local import FileStore


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


@pytest.fixture
def ask(archive: FileStore, run_command: Any) -> Any:
    return partial(run_command, archive.uri, "verify")


def test_an_intact_archive_exits_with_0(ask: Any, archive: FileStore) -> None:
    stored(archive, 101)
    status, text = ask()
    assert status == 0
    assert text.startswith("1 intact; ")


def test_damage_is_reported_with_its_package_and_exits_with_1(ask: Any, archive: FileStore) -> None:
    stored(archive, 102)
    copy = stored(archive, 101)
    spoil(archive, copy.package.key, rotten(package()))
    status, text = ask()
    assert status == 1
    (row,) = [line for line in text.splitlines() if line.startswith("course:101")]
    assert "damaged" in row
    assert copy.package.key in row


def test_the_budget_leaves_the_rest_for_the_next_time(ask: Any, archive: FileStore) -> None:
    stored(archive, 101)
    stored(archive, 102)
    assert "1 left for the next run" in ask("--gigabytes", "0.000001")[1]
    assert "left" not in ask("--minutes", "5")[1]


def test_as_json(ask: Any, archive: FileStore) -> None:
    gone = stored(archive, 101)
    archive.delete(gone.package.key)
    status, text = ask("--level", "directory", "--json")
    document = json.loads(text)
    assert (status, document["totals"], document["left"]) == (1, {"vanished": 1}, 0)
    assert document["results"][0]["package"] == gone.package.key


@pytest.mark.parametrize("amount", ["0", "-1", "many", "nan", "inf"])
def test_an_amount_is_above_nothing(amount: str, ask: Any) -> None:
    with pytest.raises(SystemExit):
        ask("--minutes", amount)
