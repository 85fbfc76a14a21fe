"""``canvas-archive open``: a course as a folder of HTML, whole or not at all, and nothing of anybody else touched."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from tests.support.archives.holdings import lay, manifest
from tests.support.archives.stored import spoil, stored
from tests.support.packages.build import zipped
from tests.support.packages.courses import course

from canvas_exports.core.archive.browsing import course_folder
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore

#: An archive with courses of the sandbox.
RECORDED = Path(__file__).parents[3] / "data/previous_release/archive"


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    root = tmp_path / "archive"
    return FileStore(root.as_uri(), root)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def ask(archive: FileStore, here: Path, run_command: Any) -> Any:
    assert here.is_dir()
    return partial(run_command, archive.uri, "open")


@pytest.fixture
def copy(archive: FileStore) -> Manifest:
    return stored(archive, day=2, data=zipped(course().members()))


class Links(HTMLParser):
    """Collects the addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag != "script"
        self.found.extend(value or "" for name, value in attrs if name in ("href", "src"))


def links_of(folder: Path) -> Iterator[tuple[Path, str]]:
    for page in folder.rglob("*.html"):
        reader = Links()
        reader.feed(page.read_text())
        yield from ((page, address) for address in reader.found)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.usefixtures("copy")
def test_every_link_leads_to_a_file_of_the_folder(ask: Any, here: Path) -> None:
    status, text = ask("course:101")
    assert status == 0, text
    assert names(here) == ["course-101"]
    assert names(here / "course-101") == ["course.json", "files", "index.html", "pages", "style.css"]
    linked = set()
    for page, address in links_of(here / "course-101"):
        if urlsplit(address).scheme:
            continue
        target = (page.parent / unquote(urlsplit(address).path)).resolve()
        assert target.is_file(), f"{page.name}: {address}"
        linked.add(target)
    written = {each.resolve() for each in (here / "course-101").rglob("*") if each.is_file()}
    assert written - linked == {here / "course-101" / "course.json"}, "every page can be reached"


@pytest.mark.usefixtures("copy")
def test_it_says_what_was_written(ask: Any, here: Path) -> None:
    status, text = ask("101", "-o", "biology", "--json")
    document = json.loads(text)
    assert status == 0
    assert document["output"] == str(here / "biology" / "index.html")
    assert document["context"] == "course:101"
    assert document["pages"] == len(list((here / "biology").rglob("*.html")))
    assert document["files"] == len([each for each in (here / "biology/files").rglob("*") if each.is_file()])
    assert document["size"] == sum(
        each.stat().st_size
        for each in (here / "biology").rglob("*")
        if each.is_file() and each.name != "course.json"
    )
    assert document["unreadable"] == 0


@pytest.mark.usefixtures("copy")
def test_files_may_be_left_out(ask: Any, here: Path) -> None:
    assert ask("101", "--no-files")[0] == 0
    assert "files" not in names(here / "course-101")


def test_the_key_is_written_only_if_it_is_asked_for(run_command: Any, here: Path) -> None:
    ask = partial(run_command, RECORDED.as_uri(), "open", "102", "--allow-incomplete")

    def hides(folder: str) -> bool:
        pages = [page.read_text() for page in (here / folder / "pages").glob("quiz-*-text.html")]
        assert pages
        return any("Correct answers are not shown here." in page for page in pages)

    assert ask("-o", "without")[0] == ask("-o", "with", "--key")[0] == 0
    assert hides("without")
    assert not hides("with")


@pytest.mark.usefixtures("copy")
def test_only_a_folder_of_this_command_is_replaced_and_only_by_force(ask: Any, here: Path) -> None:
    (here / "mine").mkdir()
    (here / "mine/thesis.txt").write_text("mine")
    (here / "file").write_text("mine")
    (here / "link").symlink_to(here / "mine")
    (here / "empty").mkdir()
    for name in ("mine", "file", "link"):
        for force in ((), ("--force",)):
            assert ask("101", "-o", name, *force)[0] == 2
    assert (here / "mine/thesis.txt").read_text() == "mine"
    assert ask("101", "-o", "empty")[0] == 0
    status, text = ask("101", "-o", "empty")
    assert (status, "--force" in text) == (2, True)
    (here / "empty/pages/old.html").write_text("")
    assert ask("101", "-o", "empty", "--force")[0] == 0
    assert not (here / "empty/pages/old.html").exists()
    assert names(here) == ["empty", "file", "link", "mine"]
    assert ask("101", "-o", "absent/folder")[0] == 2


def test_after_an_error_nothing_is_left(
    ask: Any, here: Path, copy: Manifest, archive: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(course_folder, "STYLE", None)  # the last file of all cannot be written
        with pytest.raises(AttributeError):
            ask("101")
    assert names(here) == []
    spoil(archive, copy.package.key, b"x" * copy.package.size)
    assert ask("101")[0] == 2
    assert names(here) == []


def test_a_file_that_cannot_be_read_costs_itself_only(ask: Any, here: Path, archive: FileStore) -> None:
    data = bytearray(zipped(course(picture=b"\x89PNG" * 1000).members()))
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        data[package.getinfo("web_resources/picture.png").header_offset + 60] ^= 1
    stored(archive, day=2, data=bytes(data))
    status, text = ask("101")
    assert status == 1
    assert "web_resources/picture.png" in text
    assert not list((here / "course-101").rglob("picture*.png"))
    assert "it is in the package" in next((here / "course-101/pages").glob("file-picture*")).read_text()


def test_a_copy_that_is_not_whole_is_opened_only_if_that_is_allowed(ask: Any, archive: FileStore) -> None:
    lay(archive, manifest(day=3, export_id=600, verdict=Verdict.INCOMPLETE))
    assert ask("101")[0] == 2
