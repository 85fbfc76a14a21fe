"""Microsoft's own emulator of Azure Blob Storage, where ``make azurite`` has installed it."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient, generate_container_sas

ACCOUNT = "campusbackups"
ACCOUNT_KEY = base64.b64encode(b"not a secret, but as long as one" * 2).decode()
_PROGRAM = (
    Path(__file__).with_name("azurite") / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
)


def missing() -> str | None:
    """Why the emulator cannot be started here; ``None`` if it can."""
    if shutil.which("node") is None:
        return "Azurite needs Node.js, which is not installed"
    if not _PROGRAM.exists():
        return "Azurite is not installed: make azurite"
    return None


@contextmanager
def azurite(folder: Path, *switches: str) -> Iterator[str]:
    """A running emulator that keeps everything in memory; the URL of the account."""
    node = shutil.which("node")
    assert node is not None
    process = subprocess.Popen(
        [
            *(node, str(_PROGRAM), "--blobHost", "127.0.0.1", "--blobPort", "0"),
            *("--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck", *switches),
        ],
        cwd=folder,
        env={"AZURITE_ACCOUNTS": f"{ACCOUNT}:{ACCOUNT_KEY}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"listens on (http://\S+)", line):
                yield f"{found[1]}/{ACCOUNT}"
                return
        raise RuntimeError("Azurite ended before it listened")
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@lru_cache
def client(endpoint: str) -> Any:
    """Microsoft's own client: a look from outside, past the code under test."""
    return BlobServiceClient(
        endpoint, credential={"account_name": ACCOUNT, "account_key": ACCOUNT_KEY}, retry_total=0
    )


def signature(container: str) -> str:
    """A shared access signature by which everything may be done in a container."""
    return generate_container_sas(
        ACCOUNT,
        container,
        ACCOUNT_KEY,
        permission="racwdlt",
        expiry=datetime.now(timezone.utc) + timedelta(hours=1),
    )
