"""Write the ``.env`` of docker-compose.yaml: a copy of .env.example in which every empty value is a new secret.

It needs Python only: ``make env``, or ``python3 dev/canvas_demo/write_env.py`` without make.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import sys
from pathlib import Path

_EMPTY = re.compile(r"^(?P<name>[A-Z_]+)=$", re.MULTILINE)


def main(folder: Path) -> int:
    """Write the file, readable by its owner only, and return the exit status. An existing file is never changed."""
    target = folder / ".env"
    text = _EMPTY.sub(_filled, (folder / ".env.example").read_text(encoding="utf-8"))
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.stderr.write(
            f"{target} is there already: its secrets belong to what is stored, so it stays as it is\n"
        )
        return 1
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    sys.stdout.write(
        f"{target} has fresh secrets. Next, put the address and the token of your Canvas there.\n"
    )
    return 0


def _filled(match: re.Match[str]) -> str:
    name = match["name"]
    if name == "FERNET_KEY":
        return f"{name}={base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}"
    return f"{name}={secrets.token_hex(64 if name == 'JWT_SECRET' else 24)}"


if __name__ == "__main__":
    sys.exit(main(Path(__file__).parents[2]))
