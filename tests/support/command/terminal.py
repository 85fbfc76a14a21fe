"""Run a program whose output, or a part of it, is a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


def at_a_terminal(
    command: Sequence[str | Path], *, piped: Path | None = None, environment: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Return the status of a program and what a terminal showed.

    Args:
        command: the program and its arguments.
        piped: file that gets standard output; by default the terminal shows it, too.
        environment: variables that are added.
    """
    ours, theirs = pty.openpty()
    variables = {**os.environ, "TERM": "xterm", "COLUMNS": "200", **(environment or {})}
    variables = {name: value for name, value in variables.items() if value}
    stdout = theirs if piped is None else os.open(piped, os.O_WRONLY | os.O_CREAT)
    shown = b""
    with subprocess.Popen(command, stdin=theirs, stdout=stdout, stderr=theirs, env=variables) as running:
        os.close(theirs)
        if piped is not None:
            os.close(stdout)
        with suppress(OSError):  # Linux's way to say that the program has closed its end
            while data := os.read(ours, 4096):
                shown += data
    os.close(ours)
    return running.returncode, shown.decode()
