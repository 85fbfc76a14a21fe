"""Run commands at the same time: print the whole output of each, in their order, then how each ended.

``python .ci/side_by_side.py "make test" "make survival"``. The status is that of the first command that failed. The last lines are
pytest's own, with the numbers of tests.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import IO

_RESULT = re.compile(rb"=+ .*\b(passed|failed|errors?|no tests ran)\b.* in [0-9.]+s.*=+\s*")


def main(commands: Sequence[str]) -> int:
    """Run them all to their ends, also if one fails."""
    # Where it is ignored, as in a background job of a shell, the tests of signals could not work.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with ExitStack() as logs:
        running = []
        for number, command in enumerate(commands):
            # The first is printed while it runs.
            log = logs.enter_context(tempfile.TemporaryFile()) if number else None
            output = subprocess.PIPE if log is None else log
            process = subprocess.Popen(
                shlex.split(command), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
            running.append((command, process, log))
        try:
            ended = [(command, *_print(command, process, log)) for command, process, log in running]
        except BaseException:
            for _, process, _ in running:
                if process.poll() is None:  # make hands no interrupt on, so that all of its group get it
                    os.killpg(process.pid, signal.SIGINT)
            for _, process, _ in running:
                process.wait()
            raise
    _write(b"\n")
    for command, status, _ in ended:
        _write(f"{command}: {f'FAILED with status {status}' if status else 'ended well'}\n".encode())
    for _, _, result in ended:
        _write(result)
    return next((status for _, status, _ in ended if status), 0)


def _print(command: str, process: subprocess.Popen[bytes], log: IO[bytes] | None) -> tuple[int, bytes]:
    """Print the output of a command until its end; return its status and pytest's last line."""
    _write(f"\n===> {command}\n".encode())
    if log is None:
        assert process.stdout is not None
        result = _copy(process.stdout)
        return process.wait(), result
    status = process.wait()
    log.seek(0)
    return status, _copy(log)


def _copy(lines: Iterable[bytes]) -> bytes:
    result = b""
    for line in lines:
        _write(line)
        if _RESULT.fullmatch(line):
            result = line
    return result


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
