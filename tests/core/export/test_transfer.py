"""One package, from Canvas to the archive, or the event that says why not."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.hostile_documents import SPOILT
from tests.support.exports.batch_rig import QUICK, client, course
from tests.support.exports.transfer_rig import NAME, Way, way_over, with_faults

from canvas_exports import __version__
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.models import Course
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.files import download
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.export.transfer import PackageMover, TransferCancelled
from canvas_exports.core.export.waits import Waits
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.storage.buffers import BLOCK_SIZE
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import (
    ArchiveDeniedError,
    LockedError,
)
from canvas_sandbox import Fault, Group, RequestFault, Sandbox


class TestStored:
    def test_the_event_says_what_and_where(self, way: Way) -> None:
        item = way.item()
        event = way.move(item)
        assert isinstance(event, events.Stored)
        assert (event.item, event.export_id, event.outcome) == (NAME, item.export_id, Outcome.STORED)
        assert (event.reason, event.findings, event.label) == (None, 0, "BIO-100")
        assert way.files == [event.key, event.key.replace(".imscc", ".json")]
        assert event.size == (way.folder / event.key).stat().st_size

    def test_the_manifest_says_everything_about_course_export_and_run(self, way: Way) -> None:
        item = way.item()
        event = way.move(item, key_template="{term}/{course_code}-{sis_id}/{export_id}")
        assert isinstance(event, events.Stored)
        assert event.key == f"courses/100/Default-Term/BIO-100-BIO-100/{item.export_id}.imscc"
        manifest = json.loads((way.folder / event.key).with_suffix(".json").read_text())
        context = manifest["context"]
        assert (context["kind"], context["id"], context["name"]) == ("course", 100, "Biology 100")
        assert (context["course_code"], context["sis_id"]) == ("BIO-100", "BIO/100")
        assert (context["account_id"], context["term"]) == (1, "Default Term")
        assert len(context["uuid"]) == 40
        export = manifest["export"]
        (record,) = way.canvas.exports
        assert (export["id"], export["type"], export["user_id"]) == (record.id, "common_cartridge", 1)
        assert export["canvas_host"] == way.canvas.url.removeprefix("http://")
        assert export["select"] is None
        assert manifest["run"] == {
            "software": f"canvas_exports {__version__}",
            "dag_id": "campus_backup",
            "run_id": "manual__2026-11-23",
            "task_id": "export",
            "map_index": -1,
            "attempt": 1,
        }

    def test_a_selection_is_written_down(self, way: Way) -> None:
        event = way.move(select={"pages": [1]})
        assert isinstance(event, events.Stored)
        manifest = json.loads((way.folder / event.key).with_suffix(".json").read_text())
        assert manifest["export"]["select"] == {"pages": [1]}

    def test_a_course_is_read_once_for_its_exports_and_again_at_a_retry(
        self, way: Way, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        items = [way.item(), way.item(export_type="qti"), replace(way.item(), fetches=1)]
        mover, read, names = way.mover(unchanged="store"), CanvasClient.course, ["Renamed", "Biology"]

        def renamed(client: CanvasClient, context: Context) -> Course:
            return replace(read(client, context), name=names.pop())

        monkeypatch.setattr(CanvasClient, "course", renamed)
        stated = []
        for item in items:
            event = mover.move(item)
            assert isinstance(event, events.Stored)
            manifest = (way.folder / event.key).with_suffix(".json").read_text()
            stated.append(json.loads(manifest)["context"]["name"])
        assert stated == ["Biology", "Biology", "Renamed"]

    def test_groups_and_people_have_no_course_to_be_asked_for(self, tmp_path: Path) -> None:
        groups = [Group(id=7, course_id=100)]
        with Sandbox([course(100)], groups=groups, switches=QUICK) as canvas, client(canvas) as ours:
            way = Way(canvas, tmp_path, ours)
            for context, person in (("group:7", False), ("user:1", True)):
                event = way.move(way.item(context, "zip"))
                assert isinstance(event, events.Stored)
                assert event.label is None
                text = (tmp_path / event.key).with_suffix(".json").read_text()
                assert json.loads(text)["context"]["name"] is None
                assert not person or "Ada" not in text
            assert not any(record.path.endswith("/courses/100") for record in canvas.requests)

    def test_a_name_not_resolved_yet_leads_there_as_well(self, way: Way) -> None:
        item = replace(way.item(), context="course:sis_course_id:BIO/100", canvas_id=100)
        assert isinstance(way.move(item), events.Stored)

    def test_a_long_course_code_is_cut_for_the_report(self, tmp_path: Path) -> None:
        long = replace(course(100), course_code="Biology " * 20)
        for way in way_over(tmp_path, long):
            event = way.move()
            assert isinstance(event, events.Stored)
            assert event.label == ("Biology " * 20)[:39] + "…"

    def test_a_course_code_is_printable_in_the_report(self, tmp_path: Path) -> None:
        for way in way_over(tmp_path, replace(course(100), course_code="BIO\u202e 101")):
            event = way.move()
            assert isinstance(event, events.Stored)
            assert event.label is not None
            assert event.label.isprintable()

    @with_faults(Fault.INCOMPLETE)
    def test_what_is_missing_is_the_reason(self, troubled: Way) -> None:
        event = troubled.move()
        assert isinstance(event, events.Stored)
        assert (event.outcome, event.findings) == (Outcome.INCOMPLETE, 1)
        assert event.reason is not None
        assert event.reason.endswith(": the cartridge refers to it, but the package does not hold it")

    @with_faults(Fault.INCOMPLETE, Fault.EXPORT_ERRORS)
    def test_of_several_findings_the_first_is_reported_and_the_others_counted(self, troubled: Way) -> None:
        event = troubled.move()
        assert isinstance(event, events.Stored)
        assert event.reason is not None
        assert event.reason.endswith(f" (and {event.findings - 1} more)")

    @with_faults(Fault.EXPORT_ERRORS)
    def test_a_finding_without_a_place_is_reported_without_one(self, troubled: Way) -> None:
        event = troubled.move()
        assert isinstance(event, events.Stored)
        assert event.reason is not None
        assert event.reason.startswith("Canvas noted while it exported: ")


class TestNotStored:
    """Nothing is visible, and the event says what is worth trying."""

    @with_faults(Fault.EXPORT_FAILS)
    def test_an_export_that_failed(self, troubled: Way) -> None:
        item = troubled.item()
        assert troubled.move(item) == events.ExportFailed(
            NAME, item.export_id or 0, "Canvas reported the export as failed"
        )

    @with_faults(Fault.NO_ATTACHMENT)
    def test_an_export_without_a_package(self, troubled: Way) -> None:
        item = troubled.item()
        assert troubled.move(item) == events.ExportFailed(
            NAME, item.export_id or 0, "Canvas reported the export as done, but has no package"
        )

    def test_a_package_that_has_expired(self, way: Way) -> None:
        item = way.item()
        way.canvas.advance(31 * 86_400)
        event = way.move(item)
        assert event == events.ExportFailed(
            NAME, item.export_id or 0, "Canvas reported the export as done, but has no package"
        )

    def test_an_export_that_is_not_ready_after_all(self, tmp_path: Path) -> None:
        for way in way_over(tmp_path, course(100, duration=60.0)):
            export = way.ours.create_export(Context.parse(100), ExportRequest.build("common_cartridge"))
            item = Item("course:100", "common_cartridge", State.READY, canvas_id=100, export_id=export.id)
            assert way.move(item) == events.NotReady(NAME, export.id)

    def test_an_export_that_is_gone(self, way: Way) -> None:
        item = replace(way.item(), export_id=999)
        assert way.move(item) == events.ExportFailed(NAME, 999, "Canvas no longer knows the export")

    def test_a_course_that_was_closed_to_us(self, way: Way) -> None:
        item = way.item()
        way.canvas.inject(RequestFault("denied", path=r"/content_exports/\d+$"))
        event = way.move(item)
        assert isinstance(event, events.Ended)
        assert event.outcome is Outcome.DENIED

    @with_faults(Fault.WRONG_COURSE)
    def test_a_package_of_another_course_is_never_fetched_again(self, troubled: Way) -> None:
        event = troubled.move()
        assert isinstance(event, events.Ended)
        assert event.outcome is Outcome.FAILED
        assert "not 100" in event.reason
        assert troubled.files == []

    @pytest.mark.parametrize("fetches", [0, 2])
    def test_a_failed_fetch_says_which_one_it_was(self, way: Way, fetches: int) -> None:
        item = replace(way.item(), fetches=fetches)
        way.canvas.inject(RequestFault("maintenance", times=None))
        event = way.move(item)
        assert isinstance(event, events.TransferFailed)
        assert event.failed == fetches


class TestTheArchive:
    def stored(self, way: Way) -> tuple[Item, Path]:
        item = way.item()
        event = way.move(item)
        assert isinstance(event, events.Stored)
        return item, way.folder / event.key

    def test_the_package_of_another_canvas_is_not_replaced(self, way: Way) -> None:
        item, package = self.stored(way)
        manifest = package.with_suffix(".json")
        manifest.write_text(manifest.read_text().replace("127.0.0.1", "canvas.example.edu"))
        event = way.move(item)
        assert isinstance(event, events.Ended)
        assert event.outcome is Outcome.FAILED
        assert "use another archive for another Canvas" in event.reason

    def test_a_manifest_whose_package_is_gone_concerns_this_course_only(self, way: Way) -> None:
        item, package = self.stored(way)
        package.unlink()
        event = way.move(replace(item, fetches=1))
        assert isinstance(event, events.Ended)
        assert event.outcome is Outcome.FAILED
        assert "restore it, or delete the manifest" in event.reason

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda _: b"{}",
            SPOILT["brackets"],
            SPOILT["5000 digits"],
            lambda valid: re.sub(rb'"stored_at": "[^"]*"', b'"stored_at": "2026-02-30T00:00:00Z"', valid),
            lambda valid: re.sub(rb'"key": "[^"]*"', b'"key": "../../etc/passwd.imscc"', valid),
            lambda valid: re.sub(rb'"key": "[^"]*"', b'"key": "courses/101/x.imscc"', valid),
        ],
    )
    def test_a_damaged_manifest_concerns_this_course_only(
        self, way: Way, spoil: Callable[[bytes], bytes]
    ) -> None:
        item, package = self.stored(way)
        marker = package.with_suffix(".json")
        marker.write_bytes(spoil(marker.read_bytes()))
        event = way.move(item)
        assert isinstance(event, events.Ended)
        assert event.outcome is Outcome.FAILED
        assert f"{marker.name} cannot be read: " in (event.reason or "")

    def test_a_lock_on_what_a_killed_run_left_broken_concerns_this_export_only(
        self, way: Way, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        item, package = self.stored(way)
        package.with_suffix(".json").unlink()
        package.write_bytes(b"PK, and then nothing")

        def refuse(_: FileStore, key: str) -> None:
            raise LockedError("it is locked", key=key)

        monkeypatch.setattr(FileStore, "delete", refuse)
        event = way.move(item)
        assert isinstance(event, events.ExportFailed), "another export has another name"
        assert "it is locked" in event.reason

    def test_an_archive_that_refuses_concerns_all(self, way: Way) -> None:
        item = way.item()
        (way.folder / "courses").write_text("a file where a folder should be")
        with pytest.raises(ArchiveDeniedError):
            way.move(item)


class TestCancelled:
    def test_nothing_begins_after_it(self, way: Way) -> None:
        item = way.item()
        before = len(way.canvas.requests)
        mover = way.mover()
        mover.cancel()
        with pytest.raises(TransferCancelled):
            mover.move(item)
        assert len(way.canvas.requests) == before

    def test_an_upload_is_aborted_at_its_next_block(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        download = CanvasClient.download
        passed: list[int] = []
        movers: list[PackageMover] = []

        def cancelled_after_the_first(*arguments: Any) -> Iterator[memoryview]:
            for block in download(*arguments):
                yield block
                passed.append(len(block))
                movers[0].cancel()

        monkeypatch.setattr(CanvasClient, "download", cancelled_after_the_first)
        for way in way_over(tmp_path, course(100, size=3_000_000)):
            movers.append(way.mover())
            with pytest.raises(TransferCancelled):
                movers[0].move(way.item())
            assert len(passed) == 1
            assert way.files == []

    def test_a_wait_for_the_next_fetch_ends_at_once(self, way: Way) -> None:
        item, mover = replace(way.item(), fetches=1), way.mover(waits=Waits())
        mover.cancel()
        with pytest.raises(TransferCancelled):
            mover.move(item)


class TestMemory:
    def test_packages_never_wait_for_each_others_blocks(self, tmp_path: Path) -> None:
        for way in way_over(tmp_path, course(100, size=20_000_000)):
            item, mover = way.item(), way.mover(blocks=1, parallel_transfers=1)
            done: list[events.Event] = []
            thread = threading.Thread(target=lambda: done.append(mover.move(item)), daemon=True)  # noqa: B023 - one turn
            thread.start()
            thread.join(30)
            assert [type(event) for event in done] == [events.Stored]


class TestSeveralConnections:
    def test_a_large_package_comes_over_several_and_is_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(download, "DIVISIBLE", 20_000_000)
        for way in way_over(tmp_path, course(100, size=60_000_000)):
            item = way.item()
            context = Context.parse(item.context)
            over_one = hashlib.sha256()
            for block in way.ours.download(context, way.ours.show_export(context, item.export_id or 0)):
                over_one.update(block)
            event = way.mover(parallel_ranges=4).move(item)
            assert isinstance(event, events.Stored)
            assert event.key is not None
            assert hashlib.sha256(way.store.read(event.key)).digest() == over_one.digest()
            parts = [
                record
                for record in way.canvas.requests
                if record.listener == "storage" and record.status == HTTPStatus.PARTIAL_CONTENT
            ]
            assert len(parts) == event.size // BLOCK_SIZE  # the first comes with the answer for the whole
