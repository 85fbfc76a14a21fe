"""A package comes back from every store, and by a signed link from those that can sign."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.support.exports import batch_rig
from tests.support.exports.restore_rig import RestoreTask, back_up, imports
from tests.support.store_servers.stores import Place

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.errors import InputError
from canvas_sandbox import Course, Sandbox, Switches


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    courses = [
        Course(id=101, size=100_000),
        *(Course(id=number, state="claimed", size=0) for number in (300, 301)),
    ]
    switches = Switches(duration=0.05, import_duration=0.05, throttle=False)
    with Sandbox(courses, switches=switches) as sandbox:
        yield sandbox


@pytest.fixture
def client(canvas: Sandbox) -> Iterator[CanvasClient]:
    with batch_rig.client(canvas) as made:
        yield made


def test_a_package_comes_back_from_any_store(canvas: Sandbox, client: CanvasClient, place: Place) -> None:
    store = place.store
    copy = back_up(client, store, 101)
    assert RestoreTask(client, store, proof="full").run_to_end().is_clean
    stored = hashlib.sha256(store.read(copy.package.key)).hexdigest()
    assert canvas.migrations[0].sha256 == stored
    by_link = RestoreTask(client, store, into=301, via="url")
    if store.signed_url(copy.package.key, timedelta(minutes=1)) is None:
        with pytest.raises(InputError, match="cannot sign"):
            by_link.run_to_end()
    else:
        assert by_link.run_to_end().is_clean
        assert canvas.migrations[1].sha256 == stored
    assert imports(canvas) == len(canvas.migrations)
