"""A benchmark's servers run in processes of their own, so that only the client is measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.report import ROOT


@contextmanager
def server(module: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """Start ``python -m module``, and give what it says about itself in its first line, a JSON document.

    The module is one of ours. It ends with its standard input, so that none is left when a benchmark is killed.
    """
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
