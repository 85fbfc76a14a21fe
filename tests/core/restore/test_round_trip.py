"""What a restore brings back, from every kind of storage and by every way into Canvas."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.exports.restore_rig import (
    EMPTY,
    FULL,
    OTHER,
    SOURCE,
    RestoreTask,
    back_up,
    busy,
    imports,
    posts,
    web,
)

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.restore.result import RestoreOutcome
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import (
    InputError,
)
from canvas_sandbox import Sandbox, Storage, Switches


class TestRoundTrip:
    def test_what_is_restored_exports_to_an_equal_content_digest(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, copy: Copy
    ) -> None:
        result = RestoreTask(client, store).run_to_end()
        assert result.outcome is RestoreOutcome.RESTORED
        assert (result.course_id, result.copy, result.size) == (EMPTY, copy.key, copy.package.size)
        assert back_up(client, store, EMPTY).package.content_digest == copy.package.content_digest
        assert imports(canvas) == 1

    @pytest.mark.parametrize("export_type", ["qti", "zip"])
    def test_quizzes_and_files_come_back_too(
        self, client: CanvasClient, store: FileStore, export_type: str
    ) -> None:
        stored = back_up(client, store, SOURCE, export_type)
        assert RestoreTask(client, store, export_type=export_type).run_to_end().is_clean
        assert back_up(client, store, EMPTY, export_type).counts["files"] == stored.counts["files"]

    @pytest.mark.parametrize("storage", list(Storage))
    def test_every_kind_of_storage_takes_the_package(
        self, canvas: Sandbox, store: FileStore, copy: Copy, storage: Storage
    ) -> None:
        switches = Switches(duration=0.05, import_duration=0.05, throttle=False, storage=storage)
        with Sandbox([*canvas.world.courses.values()], switches=switches) as other:
            with CanvasClient(other.url, other.token) as there:
                assert RestoreTask(there, store, into=OTHER).run_to_end().is_clean
            assert imports(other) == 1
            (record,) = other.migrations
        stored = hashlib.sha256(store.read(copy.package.key)).hexdigest()
        assert (record.size, record.sha256) == (copy.package.size, stored)

    def test_a_course_is_named_by_its_sis_id_on_either_side(
        self, client: CanvasClient, store: FileStore, copy: Copy
    ) -> None:
        task = RestoreTask(client, store, course="sis_course_id:BIO/101", into="sis_course_id:DRILL-1")
        assert (task.run_to_end().course_id, task.restore.copy.key) == (EMPTY, copy.key)

    @pytest.mark.usefixtures("copy")
    def test_a_url_is_fetched_by_canvas_itself(
        self,
        canvas: Sandbox,
        client: CanvasClient,
        store: FileStore,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with web(Path(store.uri.removeprefix("file://"))) as address:
            monkeypatch.setattr(
                FileStore, "signed_url", lambda _, key, _lifetime: f"{address}/{key}?signature=secret"
            )
            task = RestoreTask(client, store, via="url")
            assert task.run_to_end().is_clean
        assert "secret" not in task.written
        assert canvas.migrations[0].source == "file_url"
        assert imports(canvas) == 1

    @pytest.mark.usefixtures("copy")
    def test_a_store_that_cannot_sign_is_no_source_of_urls(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        with pytest.raises(InputError, match="Transfer: this archive cannot sign"):
            RestoreTask(client, store, via="url").run_to_end()
        assert posts(canvas) == 0

    @pytest.mark.usefixtures("copy")
    @pytest.mark.parametrize("via", ["url", "upload"])
    @pytest.mark.parametrize("hindrance", ["full", "busy", "gone", "unsigned"])
    def test_nothing_of_the_package_is_read_before_it_is_clear_that_it_may_begin(  # noqa: PLR0917 -- the fixtures
        self,
        canvas: Sandbox,
        client: CanvasClient,
        store: FileStore,
        monkeypatch: pytest.MonkeyPatch,
        hindrance: str,
        via: str,
    ) -> None:
        if hindrance == "unsigned" and via == "upload":
            return
        if hindrance != "unsigned":
            monkeypatch.setattr(
                FileStore, "signed_url", lambda *_: "https://archive.example/x?signature=secret"
            )
        if hindrance == "busy":
            busy(canvas, client, store)
        keys: list[str] = []
        read, blocks = FileStore.read, FileStore.blocks

        def noted(self: FileStore, key: str, *window: int) -> bytes:
            keys.append(key)
            return read(self, key, *window)

        def noted_too(self: FileStore, key: str) -> Iterator[Block]:
            keys.append(key)
            return blocks(self, key)

        monkeypatch.setattr(FileStore, "read", noted)
        monkeypatch.setattr(FileStore, "blocks", noted_too)
        into = {"full": FULL, "gone": 999}.get(hindrance, EMPTY)
        with pytest.raises(InputError):
            RestoreTask(client, store, via=via, into=into).run_to_end()
        assert keys
        assert [key for key in keys if key.endswith(".imscc")] == []
        assert imports(canvas) == 0

    @pytest.mark.usefixtures("copy")
    def test_what_happened_while_the_package_was_digested_is_seen_before_canvas_fetches_it(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(FileStore, "signed_url", lambda *_: "https://archive.example/x?signature=secret")
        blocks = FileStore.blocks

        def overtaken(self: FileStore, key: str) -> Iterator[Block]:
            with monkeypatch.context() as another:
                another.setattr(FileStore, "blocks", blocks)
                busy(canvas, client, store)
            yield from blocks(self, key)

        monkeypatch.setattr(FileStore, "blocks", overtaken)
        with pytest.raises(InputError, match="busy with another import"):
            RestoreTask(client, store, via="url").run_to_end()
        assert posts(canvas) == 1  # the other's
