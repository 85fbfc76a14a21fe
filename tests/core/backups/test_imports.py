from __future__ import annotations

import subprocess
import sys


def test_the_loader_knows_no_airflow_and_nothing_that_speaks_to_a_network() -> None:
    code = "import canvas_exports.core.backups, canvas_exports.core.backups.summary, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded.isdisjoint({"airflow", "smart_open", "obstore", "boto3", "botocore", "requests", "aiohttp"})
