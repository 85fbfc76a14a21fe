"""The process that is measured: ``python -m benchmarks.prover FOLDER KEY WAY`` checks one stored package.

The way is ``full``, ``testzip``, ``testzip+sha256`` or ``unzip``. Prints what that took as one line of JSON.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.reading import Reading, forget_peak, used
from canvas_exports.core.packages.digests import LABELS
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.packages.prove_stored import prove_stored
from canvas_exports.core.storage.open_store import open_store


def main() -> None:
    """Check it, and tell what it took."""
    folder, key, way = sys.argv[1:]
    path = Path(folder) / key
    with open_store(path.parent.as_uri()) as store:
        forget_peak()
        before = Reading.take()
        if way == "full":
            proof = prove_stored(store, key, Expectation("zip"), algorithms=LABELS)  # as a verification
            assert proof.is_complete
        else:
            WAYS[way](path)
        sys.stdout.write(json.dumps(used(before, path.stat().st_size)) + "\n")


def _testzip(path: Path) -> None:
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None


def _testzip_and_digest(path: Path) -> None:
    _testzip(path)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)


def _unzip(path: Path) -> None:
    subprocess.run(["unzip", "-tqq", path], check=True)  # noqa: S603, S607 - the one that is installed


WAYS: Mapping[str, Callable[[Path], None]] = {
    "testzip": _testzip,
    "testzip+sha256": _testzip_and_digest,
    "unzip": _unzip,
}


if __name__ == "__main__":
    main()
