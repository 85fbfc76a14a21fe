"""requests and smart_open, as their documentation shows them: ``python -m benchmarks.peers.smart_open_copy``.

The order on standard input is JSON: ``{"url", "endpoint", "count", "threads", "verify"}``. A session of its own for each
thread, one S3 client for all (a new one for each file, which is the default, takes 150 ms of processor each), pieces of
8 MiB, with which it is fastest. It digests nothing and proves nothing.
"""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import requests
from botocore.config import Config
from smart_open import open as smart_open

from benchmarks.reading import Reading, forget_peak, used

_PIECE = 8 * 1024 * 1024


def main() -> None:
    """Carry out the order."""
    order = json.loads(sys.stdin.read())
    threads = order.get("threads", 1)
    client = boto3.client(
        "s3",
        endpoint_url=order["endpoint"],
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",  # noqa: S106 - the sink asks for none
        verify=order.get("verify"),
        config=Config(max_pool_connections=max(10, threads), retries={"total_max_attempts": 1}),
    )
    own = threading.local()

    def copy(number: int) -> int:
        if not hasattr(own, "session"):
            own.session = requests.Session()
            own.session.verify = order.get("verify") or True
        moved = 0
        with own.session.get(order["url"], stream=True, timeout=60) as response:
            response.raise_for_status()
            with smart_open(
                f"s3://sink/peers/smart_open-{number}.imscc", "wb", transport_params={"client": client}
            ) as target:
                for piece in response.iter_content(_PIECE):
                    target.write(piece)
                    moved += len(piece)
        return moved

    with ThreadPoolExecutor(threads) as pool:
        forget_peak()
        before = Reading.take()
        moved = list(pool.map(copy, range(order.get("count", 1))))
        sys.stdout.write(json.dumps(used(before, sum(moved), len(moved))) + "\n")


if __name__ == "__main__":
    main()
