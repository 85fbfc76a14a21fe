"""Memory does not grow with what flows, shown on a smaller budget than the benchmark's gigabytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.store_servers.sink_server import SinkServer

from canvas_exports.core.storage.buffers import MiB

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = SinkServer()
    yield server.endpoint
    server.close()


def grown(uri: str, endpoint: str, *, packages: int, megabytes: int) -> int:
    """By how many bytes a process grew that stored so many packages at once."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.archives.streaming_child", uri, str(packages), str(megabytes)],
        capture_output=True,
        check=True,
        text=True,
        cwd=REPOSITORY,
        env=os.environ
        | {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "plugins"), str(REPOSITORY)]),
        },
    )
    told = json.loads(done.stdout)
    assert told["stored"] > packages * megabytes * MiB
    return int(told["grown"])


pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux tells a process how large it was"
)


@pytest.mark.parametrize("kind", ["file", "s3"])
def test_one_large_package_grows_the_process_by_a_few_blocks(
    tmp_path: Path, endpoint: str, kind: str
) -> None:
    uri = f"file://{tmp_path}" if kind == "file" else "s3://sink/one"
    assert grown(uri, endpoint, packages=1, megabytes=300) < 100 * MiB


def test_sixteen_packages_at_once_share_one_budget(endpoint: str) -> None:
    assert grown("s3://sink/sixteen", endpoint, packages=16, megabytes=40) < 256 * MiB
