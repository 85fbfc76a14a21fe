"""A restore against the sandbox: what it brings back, what it does once, and what it survives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.restore_rig import (
    EMPTY,
    FULL,
    OTHER,
    QUICK,
    SOURCE,
    KilledError,
    RestoreTask,
    back_up,
    imports,
    web,
)

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.canvas.api.migrations import MigrationRequest, MigrationType, PackageFile
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.restore.result import RestoreOutcome
from canvas_exports.core.restore.state import Phase, RestoreState
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import (
    AnswerLostError,
    ArchiveUnavailableError,
    CanvasUnavailableError,
    CredentialError,
    InputError,
    PackageError,
    Stopped,
    UploadError,
)
from canvas_sandbox import Fault, RequestFault, Sandbox, Storage, Switches
from canvas_sandbox.faults import FaultCounter

CREATE = r"/courses/300/content_migrations$"
UPLOAD = r"^/canvas-|^/files|bucket|/files_api"


def posts(canvas: Sandbox, path: str = CREATE) -> int:
    return sum(record.method == "POST" and bool(re.search(path, record.path)) for record in canvas.requests)


def busy(canvas: Sandbox, client: CanvasClient, store: FileStore) -> None:
    """Somebody else's import into the empty course, which never ends."""
    canvas.world.courses[EMPTY].active_faults = FaultCounter([Fault.IMPORT_STUCK])
    assert RestoreTask(client, store).restore.advance() is not None


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
        assert (record.size, record.sha256) == (copy.package.size, copy.package.sha256)

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
        task = RestoreTask(client, store)
        canvas.inject(RequestFault(method="POST", path=CREATE, effect="lost_answer"))
        file = PackageFile("other.imscc", 10)

        def meanwhile(_seconds: float) -> bool:
            where = Context.parse(EMPTY)
            client.create_migration(where, MigrationRequest(MigrationType.CARTRIDGE, file))
            return False

        task.restore._cancelled.wait = meanwhile  # type: ignore[method-assign, assignment] # only here
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
        with pytest.raises(AnswerLostError):
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


class TestWhatCanvasSays:
    def faulty(self, canvas: Sandbox, *faults: Fault) -> None:
        canvas.world.courses[EMPTY].active_faults = FaultCounter(faults)

    @pytest.mark.usefixtures("copy")
    @pytest.mark.parametrize("fault", [Fault.IMPORT_WARNINGS, Fault.IMPORT_ERRORS])
    def test_completed_with_issues_is_not_success(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, fault: Fault
    ) -> None:
        self.faulty(canvas, fault)
        result = RestoreTask(client, store).run_to_end()
        assert result.outcome is RestoreOutcome.RESTORED_WITH_ISSUES
        assert not result.is_clean
        assert sum(result.issues.values()) == len(result.texts) == len(canvas.migrations[0].issues) > 0
        assert result.reason is not None
        assert result.reason.startswith("Canvas reported ")
        assert result.is_failure("issues")
        assert result.is_failure("errors") is (fault is Fault.IMPORT_ERRORS)
        assert not result.is_failure("failure")

    @pytest.mark.usefixtures("copy")
    def test_a_failed_import_says_why(self, canvas: Sandbox, client: CanvasClient, store: FileStore) -> None:
        self.faulty(canvas, Fault.IMPORT_FAILS)
        result = RestoreTask(client, store).run_to_end()
        assert result.outcome is RestoreOutcome.FAILED
        assert result.reason == "error: Unexpected error while importing the content"
        assert result.is_failure("failure")

    @pytest.mark.usefixtures("copy")
    def test_a_package_beyond_the_quota_is_refused_with_200(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        self.faulty(canvas, Fault.OVER_QUOTA)
        result = RestoreTask(client, store).run_to_end()
        assert (result.outcome, result.reason) == (
            RestoreOutcome.FAILED,
            "Canvas refuses the file: file size exceeds quota",
        )
        assert (imports(canvas), len(canvas.migrations)) == (0, 1)

    @pytest.mark.usefixtures("copy")
    def test_a_quota_that_is_noticed_late_ends_the_uploads(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        self.faulty(canvas, Fault.OVER_QUOTA_LATE)
        result = RestoreTask(client, store).run_to_end()
        assert result.outcome is RestoreOutcome.FAILED
        assert "exceeds quota" in (result.reason or "")
        assert imports(canvas) == 0
        assert posts(canvas, UPLOAD) == 1

    @pytest.mark.usefixtures("copy")
    def test_an_import_that_never_ends_is_stalled_and_looked_at_again_after_a_clear(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        self.faulty(canvas, Fault.IMPORT_STUCK)
        task = RestoreTask(client, store)
        task.restore._now = lambda: 9e9
        result = task.run_to_end()
        assert result.outcome is RestoreOutcome.STALLED
        assert result.is_failure("failure")
        task.restore._state.resume(RestoreState(generation=1, deadline=9e10))
        assert task.restore.advance() is not None
        assert len(canvas.migrations) == 1

    @pytest.mark.usefixtures("copy")
    def test_a_course_in_which_another_import_runs_is_left_alone(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        self.faulty(canvas, Fault.IMPORT_STUCK)
        first = RestoreTask(client, store)
        assert first.restore.advance() is not None
        with pytest.raises(InputError, match="busy with another import"):
            RestoreTask(client, store).run_to_end()
        assert len(canvas.migrations) == 1

    @pytest.mark.usefixtures("copy")
    def test_an_import_that_has_been_stuck_for_days_blocks_nothing(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        self.faulty(canvas, Fault.IMPORT_STUCK)
        assert RestoreTask(client, store).restore.advance() is not None
        self.faulty(canvas)
        canvas.advance(3 * 86_400)
        assert RestoreTask(client, store).run_to_end().is_clean


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


@pytest.mark.usefixtures("copy")
class TestRefusals:
    def test_the_course_it_came_from_is_never_overwritten_unless_its_number_is_repeated(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        for confirmed in (None, "102", "yes", "sis_course_id:BIO/101"):
            with pytest.raises(InputError, match="this copy was made from course 101 itself"):
                RestoreTask(
                    client, store, into=SOURCE, allow_content=True, confirm_same_course=confirmed
                ).run_to_end()
        assert canvas.migrations == []
        assert (
            RestoreTask(client, store, into=SOURCE, allow_content=True, confirm_same_course=SOURCE)
            .run_to_end()
            .is_clean
        )

    def test_its_sis_id_does_not_get_around_that(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        with pytest.raises(InputError, match="this copy was made from course"):
            RestoreTask(client, store, into="sis_course_id:BIO/101", allow_content=True).run_to_end()
        assert canvas.migrations == []

    def test_even_then_its_content_has_to_be_allowed(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        with pytest.raises(InputError, match="not empty"):
            RestoreTask(client, store, into=SOURCE, confirm_same_course=SOURCE).run_to_end()
        assert canvas.migrations == []

    def test_a_confirmation_for_another_course_is_a_mistake(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        with pytest.raises(InputError, match="Confirm the original course: "):
            RestoreTask(client, store, confirm_same_course=EMPTY).run_to_end()
        assert canvas.migrations == []

    def test_a_course_that_holds_something_is_refused_and_told_what(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        with pytest.raises(InputError, match=r"course 102 is not empty: it holds .*wiki_pages \(\d+\)"):
            RestoreTask(client, store, into=FULL).run_to_end()
        assert canvas.migrations == []
        assert RestoreTask(client, store, into=FULL, allow_content=True).run_to_end().is_clean

    def test_a_course_that_is_not_there_or_not_reachable_is_refused(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        with pytest.raises(InputError, match="course:999 does not exist"):
            RestoreTask(client, store, into=999).run_to_end()
        with (
            CanvasClient(canvas.url, canvas.tokens["student"]) as student,
            pytest.raises(InputError, match="Target course"),
        ):
            RestoreTask(student, store).run_to_end()
        assert canvas.migrations == []

    def test_a_published_course_is_no_place_to_try_things_out(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        canvas.world.courses[EMPTY].state = "available"
        with pytest.raises(InputError, match="course 300 is available"):
            RestoreTask(client, store, only_unpublished=True).run_to_end()
        assert canvas.migrations == []
