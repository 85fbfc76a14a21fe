"""A drill against the sandbox: what passes, what fails, and what it leaves in the archive."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.exports.restore_rig import EMPTY, FULL, OTHER, SOURCE, KilledError, back_up, imports

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.files import download
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.digests import SHA256
from canvas_exports.core.restore.drills.drill import Drill, DrillState
from canvas_exports.core.restore.drills.record import DrillResult
from canvas_exports.core.restore.request import RestoreRequest
from canvas_exports.core.restore.state import RestoreState
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import InputError, Stopped
from canvas_sandbox import Fault, RequestFault, Sandbox
from canvas_sandbox.faults import FaultCounter

RUN = RunFacts(software="canvas_exports", dag_id="canvas_restore_drill", run_id="run", task_id="drill")


class Trial:
    """A drill through as many processes as its deaths make."""

    def __init__(self, client: CanvasClient, store: FileStore, copy: Copy, into: int = EMPTY) -> None:
        self.client, self.store = client, store
        self.request = RestoreRequest.build(course=copy.name, copy=copy.key, into=into)
        self.written = DrillState(RestoreState(deadline=time.time() + 60)).to_json()
        self.saves = 0
        self.die_at = 0
        self.drill = self.new_process()

    def new_process(self) -> Drill:
        """A new process."""
        state = DrillState.from_json(json.loads(json.dumps(self.written)))
        assert state is not None
        return Drill(
            client=self.client,
            store=self.store,
            request=self.request,
            state=state,
            save=self.save,
            run=RUN,
        )

    def save(self, document: dict[str, Any]) -> None:
        self.written = document
        self.saves += 1
        if self.saves == self.die_at:
            raise KilledError

    def run_to_end(self) -> DrillResult:
        while not self._is_done():
            time.sleep(0.02)
        assert self.drill.state.result is not None
        return self.drill.state.result

    def _is_done(self) -> bool:
        try:
            return self.drill.advance() is None
        except KilledError:
            self.drill = self.new_process()
            return False


def records(store: FileStore) -> list[dict[str, Any]]:
    root = Path(store.uri.removeprefix("file://"))
    return [json.loads(path.read_text()) for path in root.glob("courses/*/*.drill-*.json")]


def test_a_package_that_comes_back_as_it_was_passes_and_is_on_record(
    client: CanvasClient, store: FileStore, copy: Copy
) -> None:
    result = Trial(client, store, copy).run_to_end()
    assert result.passed, result.reason
    assert (result.differences, result.content_equal) == ((), True)
    assert result.stored["pages"] == result.restored["pages"] > 0
    (record,) = records(store)
    version = 1 if SHA256 in copy.package.digests else 2
    assert problem(f"drill-{version}", record) is None
    assert record["package"] == {
        "key": copy.package.key,
        "size": copy.package.size,
        "digests": copy.package.digests,
        **({} if version == 2 else {"sha256": copy.package.sha256}),
    }
    assert record["into"]["course_id"] == EMPTY
    assert record["seconds"]["total"] >= record["seconds"]["restore"] > 0
    (again,) = copies_of(store, "course", SOURCE).copies
    assert again.newest_drill is not None
    assert (again.newest_drill.key, again.newest_drill.result) == (result.record, "passed")


def test_a_record_holds_no_link_and_no_name(client: CanvasClient, store: FileStore, copy: Copy) -> None:
    Trial(client, store, copy).run_to_end()
    text = json.dumps(records(store))
    assert "http" not in text
    assert "Biology" not in text


def test_what_was_left_out_of_the_import_fails_the_drill_and_is_named(
    canvas: Sandbox, client: CanvasClient, store: FileStore, copy: Copy
) -> None:
    canvas.world.courses[EMPTY].active_faults = FaultCounter([Fault.IMPORT_ERRORS])
    result = Trial(client, store, copy).run_to_end()
    assert not result.passed
    assert result.reason.startswith("Canvas reported ")
    assert any(text.startswith(("pages: ", "files: ")) for text in result.differences)
    assert result.content_equal is False
    (record,) = records(store)
    assert (record["result"], record["issues"]["error"] > 0) == ("failed", True)


def test_warnings_alone_do_not_fail_a_drill_but_are_on_record(
    canvas: Sandbox, client: CanvasClient, store: FileStore, copy: Copy
) -> None:
    canvas.world.courses[EMPTY].active_faults = FaultCounter([Fault.IMPORT_WARNINGS])
    assert Trial(client, store, copy).run_to_end().passed
    (record,) = records(store)
    assert record["issues"]["warning"] > 0
    assert record["texts"]


@pytest.mark.parametrize(
    "end",
    [
        (Fault.IMPORT_FAILS, "Unexpected error"),
        (Fault.OVER_QUOTA, "exceeds quota"),
        (Fault.EXPORT_FAILS, "cannot export"),
        (Fault.CORRUPT, "not a whole package"),
    ],
)
def test_whatever_ends_it_is_the_reason(
    canvas: Sandbox, client: CanvasClient, store: FileStore, copy: Copy, end: tuple[Fault, str]
) -> None:
    fault, reason = end
    canvas.world.courses[EMPTY].active_faults = FaultCounter([fault])
    result = Trial(client, store, copy).run_to_end()
    assert not result.passed
    assert reason in result.reason
    assert [record["result"] for record in records(store)] == ["failed"]


def test_a_damaged_package_is_a_failed_drill(
    canvas: Sandbox, client: CanvasClient, store: FileStore, copy: Copy
) -> None:
    trial = Trial(client, store, copy)
    path = Path(store.uri.removeprefix("file://")) / copy.package.key
    content = bytearray(path.read_bytes())
    content[5_000] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(content)
    result = trial.run_to_end()
    assert not result.passed
    assert "digest" in result.reason
    assert imports(canvas) == 0
    assert records(store)[0]["content_equal"] is None


@pytest.mark.parametrize("save", range(1, 9))
def test_a_process_killed_at_any_save_imports_once_and_records_once(
    canvas: Sandbox, client: CanvasClient, store: FileStore, copy: Copy, save: int
) -> None:
    trial = Trial(client, store, copy)
    trial.die_at = save
    assert trial.run_to_end().passed
    assert imports(canvas) == 1
    assert len(records(store)) == 1
    assert trial.saves >= save or save == 8


def test_a_lost_answer_of_the_second_export_is_for_a_retry(
    canvas: Sandbox, client: CanvasClient, store: FileStore, copy: Copy
) -> None:
    canvas.inject(RequestFault(method="POST", path=r"/courses/300/content_exports$", effect="server_error"))
    trial = Trial(client, store, copy)
    with pytest.raises(Exception, match="content exports"):
        trial.run_to_end()
    trial.drill = trial.new_process()
    assert trial.run_to_end().passed
    assert imports(canvas) == 1


def test_nothing_but_an_empty_course_that_was_never_published_is_used(
    canvas: Sandbox, client: CanvasClient, store: FileStore, copy: Copy
) -> None:
    with pytest.raises(InputError, match="course 102 is available"):
        Trial(client, store, copy, into=FULL).run_to_end()
    canvas.world.courses[FULL].state = "claimed"
    with pytest.raises(InputError, match="not empty"):
        Trial(client, store, copy, into=FULL).run_to_end()
    assert (canvas.migrations, records(store)) == ([], [])


def test_a_second_drill_needs_another_course(client: CanvasClient, store: FileStore, copy: Copy) -> None:
    assert Trial(client, store, copy).run_to_end().passed
    with pytest.raises(InputError, match="not empty"):
        Trial(client, store, copy).run_to_end()
    assert Trial(client, store, copy, into=OTHER).run_to_end().passed


def test_a_course_of_another_name_comes_to_the_same_content(client: CanvasClient, store: FileStore) -> None:
    stored = back_up(client, store, SOURCE)
    result = Trial(client, store, stored, into=OTHER).run_to_end()
    assert (result.passed, result.content_equal) == (True, True)


def test_a_cancelled_drill_leaves_the_download_of_its_second_export(
    canvas: Sandbox,
    client: CanvasClient,
    again: CanvasClient,
    store: FileStore,
    *,
    copy: Copy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trial = Trial(client, store, copy)
    came: list[int] = []
    monkeypatch.setattr(download, "BLOCK", 1000)  # bytes, so that there are many
    fetch = CanvasClient.download

    def cancelled(self: CanvasClient, *args: Any) -> Iterator[memoryview]:
        for block in fetch(self, *args):
            came.append(len(block))
            trial.drill.cancel()
            yield block

    with monkeypatch.context() as being:
        being.setattr(CanvasClient, "download", cancelled)
        with pytest.raises(Stopped):
            trial.run_to_end()
    assert came == [1000]
    assert records(store) == []
    trial.client = again
    trial.drill = trial.new_process()
    assert trial.run_to_end().passed
    assert imports(canvas) == 1
    assert sum(export.context == f"course:{EMPTY}" for export in canvas.exports) == 1
