"""Find PostgreSQL and Redis on this machine, and say which of them is missing."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

_DEBIAN = Path("/usr/lib/postgresql")
_UNPRIVILEGED = ("postgres", "nobody")


def postgres_bin() -> Path | None:
    """Return the folder with ``postgres`` and ``initdb``; Debian keeps them off the path."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parents[1].name))
    return versions[-1].parent if versions else None


def redis_server() -> str | None:
    """Return the program ``redis-server``, or the compatible ``valkey-server``."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def unprivileged_user() -> str | None:
    """Return the user for PostgreSQL, which refuses to run as root; ``None`` for the current user."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in _UNPRIVILEGED if name in known), None)


def missing() -> str | None:
    """Return why a cluster cannot start on this machine, as a sentence; ``None`` if it can."""
    lacks = []
    if postgres_bin() is None:
        lacks.append("PostgreSQL (Debian: apt-get install postgresql)")
    if redis_server() is None:
        lacks.append("Redis (Debian: apt-get install redis-server)")
    if os.geteuid() == 0 and unprivileged_user() is None:
        lacks.append("a user postgres or nobody, as PostgreSQL does not run as root")
    return f"this machine lacks {' and '.join(lacks)}" if lacks else None
