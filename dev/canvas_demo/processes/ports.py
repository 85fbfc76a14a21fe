"""Free ports of the loopback interface."""

from __future__ import annotations

import socket


def is_free(port: int) -> bool:
    """Return whether no program listens on this port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def any_free() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_port(usual: int) -> tuple[int, str | None]:
    """Return the usual port, or another one with a message about it."""
    if is_free(usual):
        return usual, None
    other = any_free()
    return other, f"port {usual} is in use; using {other}"
