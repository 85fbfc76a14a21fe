"""The state of a task in the archive: of two writers one goes on, whatever the store can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas_exports.core.archive.checkpoint import ArchiveCheckpoint, SupersededError, checkpoint_key
from canvas_exports.core.archive.key_patterns import KeyPatterns
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Version
from canvas_exports.errors import AlreadyStoredError, ArchiveUnavailableError

RUN = RunInfo("nightly", "manual__2026-11-23", "export", date(2026, 11, 23), map_index=3)
NEXT = replace(RUN, try_number=2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    with FileStore(tmp_path.as_uri(), tmp_path) as opened:
        assert isinstance(opened, FileStore)
        yield opened


def loaded(store: FileStore, run: RunInfo) -> tuple[ArchiveCheckpoint, Any]:
    checkpoint = ArchiveCheckpoint(store, run)
    return checkpoint, checkpoint.load()


def test_what_was_saved_last_is_loaded(store: FileStore) -> None:
    first, found = loaded(store, RUN)
    assert found is None
    first.save({"items": 1})
    first.save({"items": 2})
    assert loaded(store, RUN)[1] == loaded(store, NEXT)[1] == {"items": 2}


def test_its_key_is_one_of_the_archive() -> None:
    key = checkpoint_key(RUN)
    assert key == "runs/2026-11-23/nightly/manual__2026-11-23/state/export-3.json"
    assert KeyPatterns().owns(key)


@pytest.mark.parametrize("run", [RUN, NEXT], ids=["another process of the attempt", "the next attempt"])
def test_an_earlier_writer_stops_once_another_has_saved(store: FileStore, run: RunInfo) -> None:
    earlier, _ = loaded(store, RUN)
    earlier.save({"by": "earlier"})
    later, _ = loaded(store, run)
    earlier.save({"by": "earlier", "again": True})  # the later one has not begun
    later.save({"by": "later"})
    with pytest.raises(SupersededError):
        earlier.save({"by": "earlier"})
    assert loaded(store, run)[1] == {"by": "later"}


def test_an_attempt_that_comes_late_does_not_begin(store: FileStore) -> None:
    loaded(store, NEXT)[0].save({"by": "the next attempt"})
    with pytest.raises(SupersededError, match="attempt 2 of this task has taken over from attempt 1"):
        loaded(store, RUN)


def test_the_older_document_of_one_instant_is_replaced_by_the_newer_writer(store: FileStore) -> None:
    """What can happen without conditional writes: the look of the earlier writer came just before the later one wrote."""
    earlier, _ = loaded(store, RUN)
    earlier.save({"by": "earlier"})
    old = store.read(checkpoint_key(RUN))
    later, _ = loaded(store, NEXT)
    later.save({"by": "later"})
    store.replace(checkpoint_key(RUN), old)
    later.save({"by": "later", "again": True})
    assert loaded(store, NEXT)[1] == {"by": "later", "again": True}
    with pytest.raises(SupersededError):
        earlier.save({"by": "earlier"})


class LostAnswers(FileStore):
    """A store whose answer to the first request is lost, so that its client repeats it."""

    lost = False

    def replace_version(self, key: str, data: bytes, version: Version | None) -> None:
        super().replace_version(key, data, version)
        if not self.lost:
            self.lost = True
            raise AlreadyStoredError("it has been replaced meanwhile", key=key)


def test_our_own_document_is_not_taken_for_that_of_another(tmp_path: Path) -> None:
    store = LostAnswers(tmp_path.as_uri(), tmp_path)
    checkpoint, _ = loaded(store, RUN)
    checkpoint.save({"items": 1})
    assert loaded(store, RUN)[1] == {"items": 1}


class NeverTheSame(FileStore):
    """A store in which somebody else replaces the document all the time."""

    def replace_version(self, key: str, data: bytes, version: Version | None) -> None:  # noqa: ARG002 - as in the store
        raise AlreadyStoredError("it has been replaced meanwhile", key=key)


def test_a_document_that_never_stays_the_same_is_left_for_a_retry(tmp_path: Path) -> None:
    checkpoint, _ = loaded(NeverTheSame(tmp_path.as_uri(), tmp_path), RUN)
    with pytest.raises(ArchiveUnavailableError):
        checkpoint.save({})


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{", b'{"claim": 7}', b'{"claim": [1, "2", null]}', b"\xff" * 2**21]
)
def test_a_document_that_nobody_can_read_is_an_empty_state_and_is_replaced(
    store: FileStore, document: bytes
) -> None:
    store.replace(checkpoint_key(RUN), document)
    checkpoint, found = loaded(store, RUN)
    assert found == {}, "a state that is lost is not a state that never was"
    checkpoint.save({"items": 1})
    assert loaded(store, RUN)[1] == {"items": 1}


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=25))
def test_of_any_writers_the_newest_that_has_saved_is_never_stopped(
    steps: list[tuple[int, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("archive")
    store = FileStore(folder.as_uri(), folder)
    writers: dict[int, ArchiveCheckpoint] = {}
    newest = -1
    for number, anew in steps:
        run = replace(RUN, try_number=number + 1)
        try:
            if anew or number not in writers:
                writers[number], _ = loaded(store, run)
            writers[number].save({"by": number})
        except SupersededError:
            assert number < newest
        else:
            assert number >= newest
            newest = number
        if newest >= 0:
            assert loaded(store, replace(RUN, try_number=9))[1] == {"by": newest}
