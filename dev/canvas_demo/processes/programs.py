"""Start programs, keep their output, and stop all of them in every case."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import psutil

_GONE = 10.0  # seconds that killed processes may take to be gone
_GRACE = 15.0  # seconds between asking a program to stop and ending it


class ProgramDiedError(RuntimeError):
    """A program ended that should run on."""


@dataclass
class Program:
    """A running program with its own process group and log file."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def tail(self, lines: int = 15) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def check(self) -> None:
        """Raise if the program has ended.

        Raises:
            ProgramDiedError: with the end of its log.
        """
        if self.process.poll() is not None:
            raise ProgramDiedError(f"{self.name} ended with status {self.process.returncode}:\n{self.tail()}")

    @property
    def is_running(self) -> bool:
        """Return whether the program has not ended."""
        return self.process.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal to the program and those of its children that are in its process group."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    def tree(self) -> list[psutil.Process]:
        """Return the program and all its descendants, in any process group."""
        try:
            parent = psutil.Process(self.process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def freeze(self) -> None:
        """Stop the whole tree (SIGSTOP), parents first, so that none starts another."""
        self._signal_tree(signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue a frozen tree (SIGCONT)."""
        self._signal_tree(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the whole tree (SIGKILL), as a power failure or the kernel's OOM killer would."""
        self.freeze()
        tree = self.tree()
        self._signal_tree(signal.SIGKILL)
        self.process.wait()
        psutil.wait_procs(tree, _GONE)

    def end(self, grace: float = _GRACE) -> None:
        """Ask the program to stop (SIGTERM) and kill it after ``grace`` seconds. Nothing of its tree is left."""
        _end([self], self.process.terminate, grace)

    def wait_or_kill(self, grace: float) -> None:
        """Wait until the program has ended, and kill it after ``grace`` seconds."""
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()

    def _signal_tree(self, number: int) -> None:
        for process in self.tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)


class Programs:
    """A set of programs that are stopped together."""

    def __init__(
        self,
        logs: Path,
        environment: Mapping[str, str],
        first: Callable[[], None] | None = None,
    ) -> None:
        """Start no program; ``first`` is called in each new process before its program."""
        self._logs = logs
        self._environment = dict(environment)
        self._first = first
        self._running: list[Program] = []
        logs.mkdir(parents=True, exist_ok=True)

    @property
    def running(self) -> Sequence[Program]:
        """Return the programs that `start` started, the oldest first."""
        return tuple(self._running)

    def run(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        folder: Path | None = None,
    ) -> None:
        """Run a program to its end. The arguments are those of `start`, and the folder it runs in.

        Raises:
            ProgramDiedError: it failed.
        """
        program: Program | None = None
        try:
            with self._undisturbed():
                program = self._spawn(name, command, environment, user, folder)
            status = program.process.wait()
        except BaseException:
            if program is not None:  # interrupted: no program is left running
                program.kill()
            raise
        if status != 0:
            program.check()

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> Program:
        """Start a program that runs on.

        Args:
            name: of the program and its log; it replaces a program of that name that has ended.
            command: program and arguments.
            environment: variables beside those of all programs.
            user: the user it runs as; the current one by default.
        """
        with self._undisturbed():
            program = self._spawn(name, command, environment, user)
            self._running = [other for other in self._running if other.name != name or other.is_running]
            self._running.append(program)
        return program

    def _undisturbed(self) -> AbstractContextManager[object]:
        """Defer interrupts until a program that is being started is registered."""
        return contextlib.nullcontext()

    def check(self) -> None:
        """Raise `ProgramDiedError` if any program has ended."""
        for program in self._running:
            program.check()

    def stop(self) -> None:
        """Stop all programs, the last started first, and kill those that do not end in time."""

        def ask() -> None:
            for program in reversed(self._running):
                program.signal(signal.SIGTERM)

        _end(self._running, ask, _GRACE)
        self._running.clear()

    def _spawn(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None,
        user: str | None,
        folder: Path | None = None,
    ) -> Program:
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                env={**self._environment, **(environment or {})},
                cwd=folder,
                start_new_session=True,
                preexec_fn=self._first,  # noqa: PLW1509  one system call, which takes no lock
                user=user,
                extra_groups=None if user is None else (),
            )
        return Program(name, log, process)


def _end(programs: Sequence[Program], ask: Callable[[], None], grace: float) -> None:
    """Ask programs to end, then kill what is left of them and their descendants."""
    trees = [process for program in programs for process in program.tree()]
    ask()
    deadline = time.monotonic() + grace
    for program in programs:
        program.wait_or_kill(max(deadline - time.monotonic(), 0.1))
    for process in trees:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(trees, _GONE)
