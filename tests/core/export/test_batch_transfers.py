"""What a batch does when packages cannot be moved."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.exports.batch_rig import (
    QUICK,
    STORED,
    WAITS,
    Rig,
    asked,
    course,
    creations,
    outcomes,
    sandbox,
)

from canvas_exports.core.export.batch import CREATIONS
from canvas_exports.core.export.transfer import TRANSFERS
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError
from canvas_sandbox import Fault, LimitedFault, Sandbox


class TestTransfers:
    def test_a_download_that_cannot_be_resumed_begins_again_at_once(self, tmp_path: Path) -> None:
        with sandbox(course(100, Fault.CUT.times(1)), switches=replace(QUICK, ranges=False)) as canvas:
            rig = Rig(canvas, tmp_path, courses="100", waits=replace(WAITS, before_transfers=(0.0, 1e9)))
            assert rig.run_to_end() == {"course:100": "stored"}
            assert asked(canvas, "GET", "^/canvas-sandbox/") == 3, (
                "cut, not resumed, and again from the start"
            )

    def test_beginning_again_is_bounded_as_fetches_are(self, tmp_path: Path) -> None:
        with sandbox(course(100, Fault.CUT), switches=replace(QUICK, ranges=False)) as canvas:
            rig = Rig(canvas, tmp_path, courses="100")
            with rig.process() as batch:
                (item,) = rig.finish(batch)
            assert (item.outcome, item.fetches) == (Outcome.INTERRUPTED, TRANSFERS)
            assert item.reason == "storage does not resume, or the package was replaced"
            assert asked(canvas, "GET", "^/canvas-sandbox/") == 2 * TRANSFERS

    def test_an_archive_that_refuses_one_course_keeps_no_other_from_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put = FileStore.put

        def refuse(store: FileStore, key: str, blocks: Any) -> None:
            if "courses/101/" in key:
                raise ArchiveDeniedError("no right to write there", key=key)
            put(store, key, blocks)

        monkeypatch.setattr(FileStore, "put", refuse)
        with sandbox(course(100), course(101, duration=0.2), course(102, duration=0.5)) as canvas:
            rig = Rig(canvas, tmp_path, courses=[101, 100, 102])
            with rig.process() as batch:
                items = rig.finish(batch)
            assert outcomes(items) == {**STORED, "course:101": "interrupted", "course:102": "stored"}
            assert items[0].reason == "no right to write there"
            monkeypatch.setattr(FileStore, "put", put)
            with rig.process() as batch:
                batch.resume(try_number=2, generation=0)
                assert set(outcomes(rig.finish(batch)).values()) == {"stored"}
            assert set(creations(canvas).values()) == {1}

    def test_an_archive_that_refuses_everything_by_now_ends_the_attempt(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with sandbox(course(100), course(101)) as canvas:
            rig = Rig(canvas, tmp_path)
            put = FileStore.put
            stored: list[str] = []

            def refuse(store: FileStore, key: str, blocks: Any) -> None:
                if any(each.endswith(".json") for each in stored):
                    raise ArchiveDeniedError("no right to write", key=key)
                put(store, key, blocks)
                stored.append(key)

            def denied(_: FileStore, key: str, _data: bytes) -> None:
                raise ArchiveDeniedError("no right to write", key=key)

            monkeypatch.setattr(FileStore, "put", refuse)
            monkeypatch.setattr(FileStore, "replace", denied)
            rig.options = replace(rig.options, parallel_transfers=1)
            with rig.process() as batch:
                with pytest.raises(ArchiveDeniedError):
                    rig.finish(batch)
                assert outcomes(batch.items) == {"course:100": "stored", "course:101": "ready"}

    def test_what_waits_for_its_turn_when_one_fails_for_all_is_not_begun(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[str] = []

        def refuse(_: FileStore, key: str, _blocks: Any) -> None:
            tried.append(key)
            raise ArchiveDeniedError("no right to write", key=key)

        monkeypatch.setattr(FileStore, "put", refuse)
        numbers = range(100, 110)
        with sandbox(*map(course, numbers)) as canvas:
            rig = Rig(canvas, tmp_path, courses=numbers, parallel_transfers=1)
            with rig.process() as batch, pytest.raises(ArchiveDeniedError):
                rig.finish(batch)
        assert len(tried) < len(numbers)

    def test_a_package_stored_by_a_process_that_died_is_found_and_not_moved_again(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path)
        rig.run_to_end()
        before = asked(canvas, "GET", "^/canvas-sandbox/")
        document = json.loads(rig.written)
        for item in document["items"]:
            item["state"] = "ready"
            for name in ("outcome", "key", "size", "label"):
                del item[name]
        rig.written = json.dumps(document)
        assert rig.run_to_end() == STORED
        assert asked(canvas, "GET", "^/canvas-sandbox/") == before


class TestAPackageThatIsLost:
    """Canvas says the export is there, and its storage does not have the package any more."""

    @pytest.mark.parametrize("fault", [Fault.STORAGE_GONE, Fault.TRUNCATED])
    def test_every_clear_has_other_exports_made(self, tmp_path: Path, fault: Fault) -> None:
        with sandbox(course(100, fault)) as canvas:
            rig = Rig(canvas, tmp_path, courses="100")
            assert rig.run_to_end() == {"course:100": "failed"}
            for clear in (1, 2):
                before = len(canvas.exports)
                with rig.process() as batch:
                    batch.resume(try_number=1 + clear, generation=clear)
                    assert outcomes(rig.finish(batch)) == {"course:100": "failed"}
                assert len(canvas.exports) == before + CREATIONS

    @pytest.mark.parametrize("fault", [Fault.STORAGE_GONE.times(18), Fault.TRUNCATED.times(9)])
    def test_a_clear_heals_it_once_canvas_keeps_its_packages(
        self, tmp_path: Path, fault: LimitedFault
    ) -> None:
        with sandbox(course(100, fault)) as canvas:
            rig = Rig(canvas, tmp_path, courses="100")
            assert rig.run_to_end() == {"course:100": "failed"}
            with rig.process() as batch:
                batch.resume(try_number=2, generation=1)
                assert outcomes(rig.finish(batch)) == {"course:100": "stored"}
            assert creations(canvas) == {"course:100": CREATIONS + 1}

    def test_a_clear_makes_another_of_one_that_could_not_be_fetched_for_another_reason(
        self, tmp_path: Path
    ) -> None:
        with sandbox(course(100, Fault.LOGIN_PAGE)) as canvas:
            rig = Rig(canvas, tmp_path, courses="100")
            assert rig.run_to_end() == {"course:100": "interrupted"}
            with rig.process() as batch:
                batch.resume(try_number=2, generation=0)
                assert outcomes(rig.finish(batch)) == {"course:100": "interrupted"}
            assert creations(canvas) == {"course:100": 1}, "a retry makes no other"
            with rig.process() as batch:
                batch.resume(try_number=3, generation=1)
                rig.finish(batch)
            assert creations(canvas) == {"course:100": 2}

    def test_a_clear_takes_up_an_export_that_only_the_archive_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put = FileStore.put

        def fail(*_: object) -> None:
            raise ArchiveUnavailableError("the archive is down")

        monkeypatch.setattr(FileStore, "put", fail)
        with sandbox(course(100)) as canvas:
            rig = Rig(canvas, tmp_path, courses="100")
            assert rig.run_to_end() == {"course:100": "interrupted"}
            monkeypatch.setattr(FileStore, "put", put)
            with rig.process() as batch:
                batch.resume(try_number=2, generation=1)
                assert outcomes(rig.finish(batch)) == {"course:100": "stored"}
            assert creations(canvas) == {"course:100": 1}
