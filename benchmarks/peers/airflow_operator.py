"""Airflow's own HttpToS3Operator: ``python -m benchmarks.peers.airflow_operator``.

The order on standard input is JSON: ``{"url", "endpoint", "verify"}``. Connections come from the environment, as an
operator in a task finds them. It reads the whole package into memory before it sends it.
"""

from __future__ import annotations

import json
import os
import sys
from urllib.parse import urlsplit

_QUIET = {"AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}


def main() -> None:
    """Carry out the order."""
    order = json.loads(sys.stdin.read())
    parts = urlsplit(order["url"])
    http = {"conn_type": "http", "host": f"{parts.scheme}://{parts.netloc}"}
    s3 = {
        "conn_type": "aws",
        "login": "any",
        "password": "any",
        "extra": {"endpoint_url": order["endpoint"], "region_name": "us-east-1"},
    }
    os.environ.update(
        _QUIET,
        AIRFLOW_CONN_HTTP_DEFAULT=json.dumps(http),
        AIRFLOW_CONN_AWS_DEFAULT=json.dumps(s3),
    )
    out = os.dup(1)
    os.dup2(2, 1)  # what Airflow prints is not the answer
    from airflow.providers.amazon.aws.transfers.http_to_s3 import HttpToS3Operator  # noqa: PLC0415 - after its settings

    from benchmarks.reading import Reading, forget_peak, used  # noqa: PLC0415 - imports of Airflow's first

    operator = HttpToS3Operator(
        task_id="copy",
        endpoint=f"{parts.path}?{parts.query}",
        s3_bucket="sink",
        s3_key="peers/operator.imscc",
        replace=True,
        verify=order.get("verify"),
    )
    forget_peak()
    before = Reading.take()
    operator.execute({})
    os.write(out, (json.dumps(used(before, order["bytes"])) + "\n").encode())


if __name__ == "__main__":
    main()
