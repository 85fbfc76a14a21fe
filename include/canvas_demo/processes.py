"""Start programs, keep their output, and stop every one of them whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_GRACE = 15.0  # seconds between asking a program to stop and ending it


class ProgramDiedError(RuntimeError):
    """A program that should have gone on has ended."""


@dataclass
class Program:
    """A running program with its own process group and log file."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def check(self) -> None:
        """Raise if it has ended.

        Raises:
            ProgramDiedError: with the end of its log.
        """
        if self.process.poll() is not None:
            raise ProgramDiedError(f"{self.name} ended with status {self.process.returncode}:\n{self.tail()}")

    def signal(self, number: int) -> None:
        """Send a signal to the program and its children."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return


class Programs:
    """A set of programs that live and die together."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs = logs
        self._environment = dict(environment)
        self._running: list[Program] = []
        logs.mkdir(parents=True, exist_ok=True)

    def run(self, name: str, command: Sequence[str]) -> None:
        """Run a program to its end.

        Raises:
            ProgramDiedError: it failed.
        """
        program = self._spawn(name, command)
        if program.process.wait() != 0:
            program.check()

    def start(self, name: str, command: Sequence[str]) -> Program:
        """Start a program that goes on."""
        program = self._spawn(name, command)
        self._running.append(program)
        return program

    def check(self) -> None:
        """Raise if any has ended."""
        for program in self._running:
            program.check()

    def stop(self) -> None:
        """Stop all, the last started first; those that do not listen are killed."""
        for program in reversed(self._running):
            program.signal(signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        for program in self._running:
            try:
                program.process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                program.signal(signal.SIGKILL)
                program.process.wait()
            program.signal(signal.SIGKILL)  # children that outlived it
        self._running.clear()

    def _spawn(self, name: str, command: Sequence[str]) -> Program:
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
        return Program(name, log, process)
