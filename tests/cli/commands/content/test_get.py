"""``canvas-archive get``: a package or a file out of it, on this machine: whole, verified, or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.holdings import lay, manifest
from tests.support.archives.stored import package, rotten, spoil, stored
from tests.support.packages.algorithms import OF_LATER, restate
from tests.support.packages.build import PAGE, cartridge
from tests.support.store_servers.places import BUCKET
from tests.support.store_servers.s3 import ACCESS_KEY, SECRET_KEY, client, moto

from canvas_exports.cli.local_file import write_file
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.packages.digests import BLAKE3, digests_of
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError

PHOTO = "web_resources/photo.jpg"
LARGE = hashlib.shake_128(b"video").digest(9_000_000)


@pytest.fixture(scope="module")
def s3_uri() -> Iterator[str]:
    with moto() as endpoint, pytest.MonkeyPatch.context() as environment:
        client(endpoint).create_bucket(Bucket=BUCKET)
        for name, value in (
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("AWS_REGION", "us-east-1"),
        ):
            environment.setenv(name, value)
        yield f"s3://{BUCKET}/canvas"


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    root = tmp_path / "archive"
    return FileStore(root.as_uri(), root)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of the person, which is empty."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def ask(archive: FileStore, here: Path, run_command: Any) -> Any:
    assert here.is_dir()
    return partial(run_command, archive.uri, "get")


@pytest.fixture
def copy(archive: FileStore) -> Manifest:
    stored(archive, day=0, data=package("an older text"))
    return stored(archive, day=2)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


class TestPackage:
    @pytest.mark.usefixtures("copy")
    def test_the_newest_proven_one_comes_under_its_name(
        self, ask: Any, here: Path, archive: FileStore
    ) -> None:
        lay(archive, manifest(day=3, export_id=600, verdict=Verdict.INCOMPLETE))
        status, text = ask("101")
        assert status == 0
        (written,) = here.iterdir()
        assert written.name == "20261103T020000Z-common_cartridge-503.imscc"
        assert written.read_bytes() == package()
        assert text.startswith(f"{written.name}: ")
        assert "verified" in text

    @pytest.mark.parametrize(
        "version",
        ["2026-11-02", "2026-11-01T02:00Z", "501", "courses/101/20261101T020000Z-common_cartridge-501.json"],
    )
    @pytest.mark.usefixtures("copy")
    def test_an_older_one_by_day_export_or_key(self, ask: Any, here: Path, version: str) -> None:
        status, text = ask("101", "--copy", version, "-o", "old.imscc", "--json")
        assert status == 0
        assert (here / "old.imscc").read_bytes() == package("an older text")
        document = json.loads(text)
        assert document["output"] == str(here / "old.imscc")
        assert document["sha256"] == hashlib.sha256(package("an older text")).hexdigest()

    def test_a_copy_that_cannot_be_compared_here_is_not_written(
        self, ask: Any, here: Path, archive: FileStore, copy: Manifest
    ) -> None:
        restate(archive, copy, OF_LATER)
        status, text = ask("101")
        assert (status, "k12; update this software" in text) == (2, True)
        assert names(here) == []

    def test_digests_are_in_the_answer_for_programs(
        self, ask: Any, archive: FileStore, copy: Manifest
    ) -> None:
        stated = digests_of(package(), [BLAKE3])
        restate(archive, copy, stated)
        document = json.loads(ask("101", "--json")[1])
        assert (document["digests"], document["sha256"]) == (stated, None)

    def test_a_folder_may_be_named(self, ask: Any, here: Path, copy: Manifest) -> None:
        (here / "sub").mkdir()
        assert ask("101", "-o", "sub")[0] == 0
        assert names(here / "sub") == [copy.package.key.rpartition("/")[2]]
        assert ask("101", "-o", "absent/")[1].startswith(
            "canvas-archive: --output: there is no folder 'absent'"
        )

    @pytest.mark.usefixtures("copy")
    def test_a_file_that_exists_is_replaced_only_by_force(self, ask: Any, here: Path) -> None:
        (here / "mine").write_text("mine")
        (here / "link").symlink_to("nowhere")
        for name in ("mine", "link"):
            status, text = ask("101", "-o", name)
            assert (status, "--force" in text) == (2, True)
        assert (here / "mine").read_text() == "mine"
        assert ask("101", "-o", "mine", "--force")[0] == 0
        assert (here / "mine").read_bytes() == package()
        assert names(here) == ["link", "mine"]

    @pytest.mark.parametrize("spoiled", [rotten(package()), package()[:-1], package() + b"x"])
    def test_other_bytes_than_were_stored_never_become_a_file(
        self, ask: Any, here: Path, archive: FileStore, copy: Manifest, spoiled: bytes
    ) -> None:
        spoil(archive, copy.package.key, spoiled)
        status, text = ask("101", "--copy", str(copy.export.id))
        assert status == 2
        assert "with --copy" in text or "damaged or missing" in text
        assert names(here) == []

    def test_an_incomplete_copy_has_to_be_allowed(self, ask: Any, here: Path, archive: FileStore) -> None:
        lay(archive, manifest(verdict=Verdict.INCOMPLETE))
        status, text = ask("101")
        assert (status, "the option --allow-incomplete" in text) == (2, True)
        assert ask("101", "--allow-incomplete", "-o", "package")[0] == 0
        assert (here / "package").read_bytes() == b"a package"

    @pytest.mark.parametrize("arguments", [["999"], ["101", "--copy", "yesterday"], ["101", "--type", "qti"]])
    @pytest.mark.usefixtures("copy")
    def test_what_is_not_there_is_named_as_in_a_terminal(
        self, ask: Any, here: Path, arguments: list[str]
    ) -> None:
        status, text = ask(*arguments)
        assert status == 2
        assert text.startswith("canvas-archive: --copy: ")
        assert names(here) == []


class TestFile:
    @pytest.mark.usefixtures("copy")
    def test_the_files_are_listed(self, ask: Any) -> None:
        status, text = ask("101", "--files")
        assert status == 0
        assert {"imsmanifest.xml", PHOTO, PAGE} < {line.split()[-1] for line in text.splitlines()}
        files = json.loads(ask("101", "--files", "--json")[1])["files"]
        assert {each["name"]: each["size"] for each in files}[PHOTO] == 5000

    @pytest.mark.usefixtures("copy")
    def test_one_of_them_comes_alone(self, ask: Any, here: Path) -> None:
        assert ask("101", "--file", PHOTO)[0] == 0
        assert names(here) == ["photo.jpg"]
        assert (here / "photo.jpg").read_bytes() == hashlib.shake_128(b"photo").digest(5000)

    def test_a_file_with_a_changed_bit_never_becomes_a_file(
        self, ask: Any, here: Path, archive: FileStore, copy: Manifest
    ) -> None:
        spoil(archive, copy.package.key, rotten(package()))
        status, text = ask("101", "--file", PHOTO)
        assert (status, "is not the member" in text) == (2, True)
        assert names(here) == []

    def test_another_package_in_its_place_is_found_by_its_directory(
        self, ask: Any, here: Path, archive: FileStore, copy: Manifest
    ) -> None:
        other = cartridge({PAGE: b"a page" * 40, PHOTO: hashlib.shake_128(b"other").digest(5000)})
        spoil(archive, copy.package.key, other)
        status, text = ask("101", "--copy", str(copy.export.id), "--file", PHOTO)
        assert status == 2
        assert copy.package.key in text or "damaged or missing" in text
        assert names(here) == []

    @pytest.mark.usefixtures("copy")
    def test_a_misspelt_name_has_its_neighbours_named(self, ask: Any) -> None:
        status, text = ask("101", "--file", "web_resources/foto.jpg")
        assert (status, PHOTO in text) == (2, True)

    @pytest.mark.parametrize(
        "name",
        [
            "../../evil",
            "web_resources/..",
            "/etc/passwd/.",
            "a\\..\\.bashrc",
            "web_resources/.bashrc",
            "-rf",
            "x\x1b[2J",
            "web_resources/\u202egpj.exe",
            "C:stream",
        ],
    )
    def test_a_hostile_name_leads_nowhere(self, ask: Any, here: Path, archive: FileStore, name: str) -> None:
        stored(archive, data=cartridge({PAGE: b"text", name: b"evil"}))
        status, text = ask("101", f"--file={name}", "--allow-incomplete")
        assert text.strip("\n").isprintable()
        assert (status, names(here)) == ((0, ["evil"]) if name.endswith("evil") else (2, []))
        assert names(here.parent) == ["archive", "here"]
        status, text = ask("101", f"--file={name}", "-o", "mine", "--allow-incomplete")
        assert status == 0, text
        assert (here / "mine").read_bytes() == b"evil"


class TestOverS3:
    @pytest.fixture
    def store(self, s3_uri: str) -> Iterator[Store]:
        with open_store(s3_uri) as opened:
            yield opened

    def test_a_package_and_a_large_file(self, store: Store, here: Path, run_command: Any) -> None:
        data = cartridge({PAGE: b"text", "web_resources/video.mp4": LARGE})
        copy = stored(store, data=data)
        assert run_command(store.uri, "get", "101", "-o", "whole")[0] == 0
        assert (here / "whole").read_bytes() == data
        assert run_command(store.uri, "get", "101", "--file", "web_resources/video.mp4")[0] == 0
        assert (here / "video.mp4").read_bytes() == LARGE
        assert run_command(store.uri, "get", "101", "--copy", copy.package.key, "--files")[0] == 0
        totals = json.loads(run_command(store.uri, "stats", "--json")[1])["totals"]
        assert (totals["copies"], totals["bytes"]) == (1, len(data))
        assert json.loads(run_command(store.uri, "list", "101", "--json")[1])["totals"] == totals
        assert run_command(store.uri, "find", "course 101")[0] == 0


class TestWriting:
    def test_blocks_that_end_in_an_error_leave_nothing(self, tmp_path: Path) -> None:
        def broken() -> Iterator[bytes]:
            yield b"half"
            assert len(names(tmp_path)) == 1
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_file(tmp_path / "x", broken(), force=False)
        assert names(tmp_path) == []

    def test_a_file_that_appeared_meanwhile_is_not_replaced(self, tmp_path: Path) -> None:
        def slow() -> Iterator[bytes]:
            (tmp_path / "x").write_text("of another program")
            yield b"mine"

        with pytest.raises(InputError, match="exists"):
            write_file(tmp_path / "x", slow(), force=False)
        assert (tmp_path / "x").read_text() == "of another program"
        assert names(tmp_path) == ["x"]

    def test_a_folder_that_may_not_be_written_is_an_error_of_the_person(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="cannot be written"):
            write_file(tmp_path / "absent" / "x", [b"data"], force=False)
