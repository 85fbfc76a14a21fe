"""A process that is really killed in the middle of an upload, and what the next sweep finds."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.support.store_servers.s3 import ACCESS_KEY, SECRET_KEY
from tests.support.store_servers.stores import Place, S3Place

from canvas_exports.core.archive.sweep import sweep

KEY = "courses/101/20261123T020000Z-common_cartridge-501.imscc"
# Writes until it is told to wait for ever, half-way.
WRITER = """
import sys, time
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.core.storage.open_store import open_store
uri, key, endpoint, access_key, secret_key = sys.argv[1:]
options = StoreOptions(endpoint=endpoint, region="us-east-1", access_key=access_key, secret_key=secret_key)
def blocks():
    for _ in range(3):
        yield bytes(8 * 1024 * 1024)
    print("half-way", flush=True)
    time.sleep(600)
with open_store(uri, options if endpoint else None) as store:
    store.put(key, blocks())
"""


@pytest.mark.parametrize("kind", ["file", "s3-rclone"])
def test_what_a_killed_process_left_is_invisible_and_swept(
    open_place: Callable[[str], Place], kind: str
) -> None:
    place = open_place(kind)
    endpoint = place.client.meta.endpoint_url if isinstance(place, S3Place) else ""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, place.store.uri, KEY, endpoint, ACCESS_KEY, SECRET_KEY],
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "half-way\n"
        writer.send_signal(signal.SIGKILL)
    assert place.objects() == set()
    assert len(place.leftovers()) == 1
    assert sweep(place.store).keys == [], "it is young"
    assert sweep(place.store, grace=timedelta(seconds=-2)).keys == [KEY]
    assert place.leftovers() == []
