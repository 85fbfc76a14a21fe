"""Whose a demo's folder is: what a person has made in it stays, and nothing that no demo has made is ever removed."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from canvas_demo.demo_folder import FolderError, lock_folder, open_folder
from canvas_demo.processes.ports import any_free
from canvas_demo.state import DemoState


@pytest.fixture
def said() -> list[str]:
    return []


def opened(folder: Path, said: list[str], *, fresh: bool = False) -> DemoState:
    with lock_folder(folder):
        return open_folder(folder, (any_free(), any_free()), said.append, fresh=fresh)


def ended(folder: Path, said: list[str]) -> DemoState:
    """A demo whose night is over, and in which a person has made something since."""
    demo = opened(folder, said)
    demo.has_database, demo.run_id, demo.is_over, demo.was_expected = True, "demo__1", True, False
    demo.save(folder)
    (folder / "airflow").mkdir()
    (folder / "airflow" / "airflow.db").write_text("connections")
    (folder / "archive" / "courses").mkdir()
    (folder / "archive" / "courses" / "by-hand.imscc").write_text("package")
    said.clear()
    return demo


def test_an_empty_folder_becomes_a_demo(tmp_path: Path, said: list[str]) -> None:
    demo = opened(tmp_path / "new", said)
    assert DemoState.load(tmp_path / "new") == demo
    assert (tmp_path / "new" / "archive").is_dir()
    assert len({demo.ui_port, demo.canvas_port, demo.storage_port}) == 3


def test_a_finished_demo_continues_with_everything_in_it(tmp_path: Path, said: list[str]) -> None:
    before = ended(tmp_path, said)
    assert opened(tmp_path, said) == before
    assert (tmp_path / "airflow" / "airflow.db").read_text() == "connections"
    assert (tmp_path / "archive" / "courses" / "by-hand.imscc").exists()
    assert "Continuing the finished demo" in said[0]
    assert "FRESH=1" in said[0]


def test_fresh_begins_anew(tmp_path: Path, said: list[str]) -> None:
    before = ended(tmp_path, said)
    after = opened(tmp_path, said, fresh=True)
    assert (after.has_database, after.run_id, after.is_over, after.was_expected) == (False, None, False, True)
    assert after.secrets != before.secrets
    assert not (tmp_path / "airflow").exists()
    assert list((tmp_path / "archive").iterdir()) == []


def test_an_interrupted_demo_continues(tmp_path: Path, said: list[str]) -> None:
    demo = opened(tmp_path, said)
    demo.has_database, demo.run_id = True, "demo__1"
    demo.save(tmp_path)
    (tmp_path / "archive" / "half").touch()
    assert opened(tmp_path, said) == demo
    assert (tmp_path / "archive" / "half").exists()
    assert "Continuing the interrupted demo" in said[-1]


def test_one_that_was_interrupted_before_it_had_a_database_begins_anew(
    tmp_path: Path, said: list[str]
) -> None:
    opened(tmp_path, said)
    (tmp_path / "airflow").mkdir()
    (tmp_path / "canvas").mkdir()
    assert not opened(tmp_path, said).has_database
    assert not (tmp_path / "airflow").exists()
    assert not (tmp_path / "canvas").exists()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_that_no_demo_has_made_is_left_alone(tmp_path: Path, said: list[str], fresh: bool) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "thesis.tex").write_text("precious")
    with pytest.raises(FolderError, match="is not a demo folder: it contains archive"):
        opened(tmp_path, said, fresh=fresh)
    assert (tmp_path / "archive" / "thesis.tex").read_text() == "precious"


def test_fresh_removes_nothing_beside_what_demos_make(tmp_path: Path, said: list[str]) -> None:
    ended(tmp_path, said)
    (tmp_path / "notes.txt").write_text("mine")
    opened(tmp_path, said, fresh=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ui_port": 1}', '{"from": "another release"}'])
def test_a_demo_of_another_release_is_removed_only_if_asked(
    tmp_path: Path, said: list[str], text: str
) -> None:
    ended(tmp_path, said)
    (tmp_path / "demo.json").write_text(text)
    with pytest.raises(FolderError, match=r"another release.*FRESH=1"):
        opened(tmp_path, said)
    assert (tmp_path / "archive" / "courses" / "by-hand.imscc").exists()
    assert opened(tmp_path, said, fresh=True).run_id is None


@pytest.mark.parametrize("port", ["canvas_port", "storage_port"])
def test_canvas_has_to_be_where_its_links_lead(tmp_path: Path, said: list[str], port: str) -> None:
    demo = ended(tmp_path, said)
    with socket.socket() as other:
        other.bind(("127.0.0.1", getattr(demo, port)))
        other.listen()
        with pytest.raises(FolderError, match=r"is in use.*FRESH=1"):
            opened(tmp_path, said)
    assert opened(tmp_path, said) == demo


def test_the_ui_moves_where_its_port_is_taken(tmp_path: Path, said: list[str]) -> None:
    demo = ended(tmp_path, said)
    with socket.socket() as other:
        other.bind(("127.0.0.1", demo.ui_port))
        other.listen()
        moved = opened(tmp_path, said)
    assert moved.ui_port != demo.ui_port
    assert DemoState.load(tmp_path) == moved
    assert f"port {demo.ui_port} is in use; using {moved.ui_port}" in said[-1]


def test_there_is_one_demo_in_a_folder(tmp_path: Path, said: list[str]) -> None:
    with lock_folder(tmp_path), pytest.raises(FolderError, match="Another demo is running"):
        opened(tmp_path, said)


def test_a_kill_while_it_begins_anew_leaves_a_folder_that_is_known(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    ended(tmp_path, said)
    with monkeypatch.context() as patched:
        patched.setattr("canvas_demo.demo_folder.shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            opened(tmp_path, said, fresh=True)
    assert not opened(tmp_path, said).has_database
    assert list((tmp_path / "archive").iterdir()) == []
