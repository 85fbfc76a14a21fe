"""A restore against the sandbox: what it brings back, what it does once, and what it survives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.exports.restore_rig import (
    CREATE,
    EMPTY,
    QUICK,
    UPLOAD,
    KilledError,
    RestoreTask,
    imports,
)

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.canvas.api.migrations import MigrationRequest, MigrationType, PackageFile
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.restore.state import Phase
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import (
    ArchiveUnavailableError,
    CanvasUnavailableError,
    CredentialError,
    InputError,
    PackageError,
    ResponseLostError,
    Stopped,
    UploadError,
)
from canvas_sandbox import RequestFault, Sandbox


@pytest.mark.usefixtures("copy")
class TestKilled:
    @pytest.mark.parametrize("save", range(1, 5))
    def test_a_process_killed_at_any_save_imports_once(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, save: int
    ) -> None:
        task = RestoreTask(client, store)
        task.die_at = {save}
        assert task.run_to_end().is_clean
        assert imports(canvas) == 1
        assert task.saves >= save, "it did die"

    def test_a_process_killed_in_mid_upload_sends_the_package_again_in_the_same_migration(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = RestoreTask(client, store)

        def dying(_store: FileStore, _key: str) -> Iterator[Block]:
            yield b"PK"
            raise SystemExit

        with monkeypatch.context() as killed:
            killed.setattr(FileStore, "blocks", dying)
            with pytest.raises(SystemExit):
                task.run_to_end()
        task.restore = task.new_process()
        assert task.run_to_end().is_clean
        assert (imports(canvas), len(canvas.migrations)) == (1, 1)

    def test_a_process_killed_before_the_answer_was_written_down_finds_its_migration(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = RestoreTask(client, store)
        create = CanvasClient.create_migration

        def dying(self: CanvasClient, course: Context, request: MigrationRequest) -> None:
            create(self, course, request)
            raise SystemExit

        with monkeypatch.context() as killed:
            killed.setattr(CanvasClient, "create_migration", dying)
            with pytest.raises(SystemExit):
                task.run_to_end()
        task.restore = task.new_process()
        assert task.run_to_end().is_clean
        assert (imports(canvas), len(canvas.migrations)) == (1, 1)

    def test_two_candidates_are_for_a_person_to_look_at(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        class BesideAnother(RestoreTask):
            def save(self, document: dict[str, Any]) -> None:
                super().save(document)
                if document["phase"] == "intended" and not canvas.migrations:
                    other = MigrationRequest(MigrationType.CARTRIDGE, PackageFile("other.imscc", 10))
                    client.create_migration(Context.parse(EMPTY), other)
                    canvas.inject(RequestFault(method="POST", path=CREATE, effect="lost_answer"))

        task = BesideAnother(client, store)
        with pytest.raises(InputError, match="several imports into course 300"):
            task.run_to_end()
        assert imports(canvas) == 0

    def test_a_finished_restore_taken_up_again_does_nothing(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        task = RestoreTask(client, store)
        result = task.run_to_end()
        task.restore = task.new_process()
        before = len(canvas.requests)
        assert task.run_to_end() == result
        assert len(canvas.requests) == before

    def test_a_cancelled_upload_is_never_completed(
        self,
        canvas: Sandbox,
        client: CanvasClient,
        again: CanvasClient,
        store: FileStore,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        task = RestoreTask(client, store)
        blocks = FileStore.blocks

        def stopped(self: FileStore, key: str) -> Iterator[Block]:
            task.restore.cancel()
            yield from blocks(self, key)

        with monkeypatch.context() as being:
            being.setattr(FileStore, "blocks", stopped)
            with pytest.raises(Stopped):
                task.run_to_end()
        assert canvas.migrations[0].state == "pre_processing"
        task.client = again  # another process; nothing is asked through a client that was called off
        task.restore = task.new_process()
        assert task.run_to_end().is_clean
        assert imports(canvas) == 1


@pytest.mark.usefixtures("copy")
class TestSideBySide:
    """Somebody has pressed the button twice."""

    def test_of_two_restores_at_once_the_second_gives_way(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = self.while_uploading(monkeypatch, RestoreTask(client, store))
        assert RestoreTask(client, store).run_to_end().is_clean
        assert "busy with another import (migration 301)" in message[0]
        assert imports(canvas) == 1

    def test_a_slow_restore_that_was_overtaken_gives_way_at_its_last_block(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        late = replace(QUICK, simultaneous=timedelta(seconds=-10))
        message = self.while_uploading(monkeypatch, RestoreTask(client, store, timing=late))
        with pytest.raises(InputError, match=r"busy with another import \(migration 302\)|not empty"):
            RestoreTask(client, store, timing=late).run_to_end()
        assert message == ["restored"]
        assert imports(canvas) == 1

    def while_uploading(self, monkeypatch: pytest.MonkeyPatch, other: RestoreTask) -> list[str]:
        """Let another restore run while the first one uploads; what became of it."""
        blocks, message = FileStore.blocks, list[str]()

        def slowly(store: FileStore, key: str) -> Iterator[Block]:
            monkeypatch.setattr(FileStore, "blocks", blocks)
            try:
                message.append(other.run_to_end().outcome.value)
            except InputError as error:
                message.append(str(error))
            yield from blocks(store, key)

        monkeypatch.setattr(FileStore, "blocks", slowly)
        return message


@pytest.mark.usefixtures("copy")
class TestTheNet:
    @pytest.mark.parametrize("effect", ["lost_answer", "garbled", "refused", "throttled"])
    def test_a_creation_whose_answer_is_lost_is_looked_up(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, effect: str
    ) -> None:
        canvas.inject(RequestFault(method="POST", path=CREATE, effect=effect))
        assert RestoreTask(client, store).run_to_end().is_clean
        assert (imports(canvas), len(canvas.migrations)) == (1, 1)

    @pytest.mark.parametrize("effect", ["server_error", "maintenance", "refused", "lost_answer", "garbled"])
    def test_a_broken_upload_begins_anew_and_imports_once(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, effect: str
    ) -> None:
        canvas.inject(RequestFault(method="POST", path=UPLOAD, effect=effect))
        assert RestoreTask(client, store).run_to_end().is_clean
        assert (imports(canvas), len(canvas.migrations)) == (1, 1)

    @pytest.mark.parametrize("effect", ["server_error", "refused", "lost_answer", "throttled", "not_found"])
    def test_trouble_while_the_upload_is_completed_imports_once(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, effect: str
    ) -> None:
        canvas.inject(RequestFault(path=r"/create_success", effect=effect))
        assert RestoreTask(client, store).run_to_end().is_clean
        assert (imports(canvas), len(canvas.migrations)) == (1, 1)

    def test_storage_that_stays_down_is_for_a_retry(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        canvas.inject(RequestFault(method="POST", path=UPLOAD, effect="server_error", times=3))
        task = RestoreTask(client, store)
        with pytest.raises(UploadError) as caught:
            task.run_to_end()
        assert caught.value.retryable
        task.restore = task.new_process()
        assert task.run_to_end().is_clean
        assert (imports(canvas), len(canvas.migrations)) == (1, 1)

    def test_a_package_that_canvas_gave_up_waiting_for_is_asked_for_anew(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        canvas.inject(RequestFault(method="POST", path=UPLOAD, effect="server_error", times=3))
        task = RestoreTask(client, store)
        with pytest.raises(UploadError):
            task.run_to_end()
        canvas.advance(3700)
        task.restore = task.new_process()
        assert task.run_to_end().is_clean
        assert (imports(canvas), len(canvas.migrations)) == (1, 2)

    def test_an_archive_that_is_down_is_for_a_retry(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down(_store: FileStore, _key: str) -> Iterator[Block]:
            yield b"PK"
            raise ArchiveUnavailableError("slow down")

        task = RestoreTask(client, store)
        with monkeypatch.context() as trouble:
            trouble.setattr(FileStore, "blocks", down)
            with pytest.raises(ArchiveUnavailableError):
                task.run_to_end()
        assert task.run_to_end().is_clean
        assert imports(canvas) == 1

    def test_a_dead_token_is_final(self, canvas: Sandbox, client: CanvasClient, store: FileStore) -> None:
        canvas.revoke(canvas.token)
        with pytest.raises(CredentialError):
            RestoreTask(client, store).run_to_end()

    def test_answers_that_are_lost_again_and_again_are_for_a_retry(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        canvas.inject(RequestFault(method="POST", path=CREATE, effect="refused", times=5))
        task = RestoreTask(client, store)
        with pytest.raises(ResponseLostError):
            task.run_to_end()
        assert json.loads(task.written)["phase"] == Phase.INTENDED.value
        task.restore = task.new_process()
        assert task.run_to_end().is_clean
        assert (imports(canvas), len(canvas.migrations)) == (1, 1)

    def test_where_canvas_cannot_be_reached_nothing_was_intended(
        self, client: CanvasClient, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object) -> None:
            raise CanvasUnavailableError("no connection")

        task = RestoreTask(client, store)
        with monkeypatch.context() as trouble:
            trouble.setattr(CanvasClient, "create_migration", away)
            with pytest.raises(CanvasUnavailableError):
                task.run_to_end()
        assert json.loads(task.written)["phase"] == Phase.PLANNED.value
        assert task.run_to_end().is_clean


class TestDamage:
    def damage(self, store: FileStore, copy: Copy, at: int) -> None:
        path = Path(store.uri.removeprefix("file://")) / copy.package.key
        content = bytearray(path.read_bytes())
        content[at] ^= 0xFF
        path.chmod(0o644)
        path.write_bytes(content)

    def test_one_changed_byte_is_never_uploaded_whole(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, copy: Copy
    ) -> None:
        self.damage(store, copy, 5_000)
        with pytest.raises(PackageError, match="another digest") as caught:
            RestoreTask(client, store).run_to_end()
        assert not caught.value.retryable
        assert imports(canvas) == 0
        assert [record.sha256 for record in canvas.migrations] == [None]

    def test_level_full_finds_it_before_canvas_is_asked(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, copy: Copy
    ) -> None:
        self.damage(store, copy, 5_000)
        with pytest.raises(PackageError):
            RestoreTask(client, store, proof="full").run_to_end()
        assert canvas.migrations == []

    def test_level_directory_finds_a_damaged_directory_before_canvas_is_asked(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, copy: Copy
    ) -> None:
        self.damage(store, copy, copy.package.size - 30)
        with pytest.raises(PackageError):
            RestoreTask(client, store).run_to_end()
        assert canvas.migrations == []

    def test_a_copy_that_retention_took_meanwhile_ends_the_restore(
        self, client: CanvasClient, store: FileStore, copy: Copy
    ) -> None:
        task = RestoreTask(client, store)
        task.die_at = {1}
        with pytest.raises(KilledError):
            task.restore.advance()
        store.delete(copy.key)
        task.restore = task.new_process()
        with pytest.raises(PackageError, match="no longer in the archive"):
            task.restore.advance()

    def test_a_package_that_is_gone_is_not_chosen(
        self, client: CanvasClient, store: FileStore, copy: Copy
    ) -> None:
        store.delete(copy.package.key)
        with pytest.raises(InputError, match="damaged or missing"):
            RestoreTask(client, store).run_to_end()
