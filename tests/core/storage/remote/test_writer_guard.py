"""Why smart_open's writers are guarded, shown on the real thing: its S3 writer over a network that fails."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import smart_open
from botocore.exceptions import ClientError
from tests.support.store_servers.places import BUCKET
from tests.support.store_servers.s3 import FaultProxy, client
from tests.support.store_servers.stores import MiB, S3Place

from canvas_exports.core.storage.remote.writer_guard import guarded

Faulty = tuple[S3Place, FaultProxy]


def writer(place: S3Place, through: Any) -> Any:
    """smart_open's own, on a client that outlives it, as a hook's does."""
    return smart_open.open(
        f"s3://{BUCKET}/{place.prefix}package.imscc",
        "wb",
        compression="disable",
        transport_params={"client": through, "min_part_size": 5 * MiB},
    )


def write_until_the_source_breaks(stream: Any) -> None:
    stream.write(bytes(7 * MiB))
    raise ConnectionResetError("the source, and the network with it")


def unguarded(place: S3Place, through: Any, abandoned: list[Any]) -> None:
    with writer(place, through) as stream:
        abandoned.append(stream)
        write_until_the_source_breaks(stream)


def guarded_writer(place: S3Place, through: Any, abandoned: list[Any]) -> None:
    with guarded(writer(place, through)) as stream:
        abandoned.append(stream)
        write_until_the_source_breaks(stream)


@pytest.mark.parametrize(
    ("write", "published"),
    [(unguarded, {"package.imscc"}), (guarded_writer, set())],
    ids=["smart_open", "guarded"],
)
def test_the_bare_writer_publishes_a_truncated_object_when_its_abort_fails_and_the_guarded_one_does_not(
    faulty_s3: Faulty, write: Callable[[S3Place, Any, list[Any]], None], published: set[str]
) -> None:
    place, proxy = faulty_s3
    network_is_down = [True]
    shared = client(proxy.endpoint)
    proxy.rule = lambda verb, _: 500 if verb == "DELETE" and network_is_down[0] else None
    abandoned: list[Any] = []
    with pytest.raises((ConnectionResetError, ClientError)):
        write(place, shared, abandoned)
    network_is_down[0] = False
    for stream in abandoned:
        stream.close()  # as the finalizer of every Python stream does; of an armed writer it commits
    assert place.objects() == published


def forget(error: BaseException | None) -> None:
    """Let go of everything the frames of an error hold, as the end of a task does."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
    gc.collect()  # an error and its frames may hold each other


def test_a_guarded_writer_that_ends_well_commits(faulty_s3: Faulty) -> None:
    place, proxy = faulty_s3
    with guarded(writer(place, client(proxy.endpoint))) as stream:
        stream.write(bytes(7 * MiB))
    assert place.objects() == {"package.imscc"}
    assert place.leftovers() == []


def test_a_commit_that_fails_is_never_made_up_for_later(faulty_s3: Faulty) -> None:
    place, proxy = faulty_s3
    down = [True]
    shared = client(proxy.endpoint)
    proxy.rule = lambda verb, target: 400 if "uploadId" in target and verb != "PUT" and down[0] else None
    with pytest.raises(ClientError, match="400") as raised, guarded(writer(place, shared)) as stream:
        stream.write(bytes(7 * MiB))
    down[0] = False
    forget(raised.value)
    assert place.objects() == set()
