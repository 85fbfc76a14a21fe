"""Programs that are restarted when they end."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from canvas_demo.processes import cleanup
from canvas_demo.processes.programs import Program, ProgramDiedError, Programs

_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
MOST_RESTARTS = 5
"""Restarts of one program. One that ends more often is broken, not killed."""


@dataclass(frozen=True)
class Pool:
    """Workers of a program that take turns at a lock.

    A worker that is killed while it has the lock never releases it, and all others wait forever, new ones included. So a
    program that starts more workers than its pool has is restarted.

    Attributes:
        begun: the text in its log for each worker that starts.
        size: number of workers.
    """

    begun: bytes
    size: int


class SupervisedPrograms(Programs):
    """Programs that are restarted when they end, and that end with this process.

    The whole session of a program is killed before a restart: descendants of the old one would do the work twice.

    Args:
        logs: folder for their output and process ids, by which the next demo finds what a killed one left.
        environment: of all of them.
        print_line: prints a text.
        pools: the programs that have a `Pool`, by name.
    """

    def __init__(
        self,
        logs: Path,
        environment: Mapping[str, str],
        print_line: Callable[[str], None],
        pools: Mapping[str, Pool] | None = None,
    ) -> None:
        super().__init__(logs, environment, _begin)
        self._print_line = print_line
        self._pools = pools or {}
        self._log_begins: dict[str, int] = {}
        self._commands: dict[str, tuple[Sequence[str], Mapping[str, str] | None, str | None]] = {}
        self._restarts: dict[str, int] = {}
        self._began: dict[int, float] = {}

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> Program:
        """Start a program that is restarted whenever it ends."""
        self._commands[name] = command, environment, user
        log = self._logs / f"{name}.log"
        self._log_begins[name] = log.stat().st_size if log.exists() else 0
        program = super().start(name, command, environment, user)
        cleanup.note(self._logs, name, program.process.pid)
        with contextlib.suppress(psutil.NoSuchProcess):
            self._began[program.process.pid] = psutil.Process(program.process.pid).create_time()
        return program

    @contextlib.contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Block interrupts, which a new process would receive between its fork and its own session."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def check(self) -> None:
        """Restart programs that have ended.

        Raises:
            ProgramDiedError: one has ended too often; with the end of its log.
        """
        for program in self.running:
            if not program.is_running:
                self._restart(program, f"ended ({_ending(program)})")
            elif self._has_lost_a_worker(program):
                self._restart(program, "lost one of its workers")

    def _restart(self, program: Program, what: str) -> None:
        name = program.name
        self._restarts[name] = self._restarts.get(name, 0) + 1
        if self._restarts[name] > MOST_RESTARTS:
            raise ProgramDiedError(f"{name} {what} for the {MOST_RESTARTS + 1}th time:\n{program.tail()}")
        self._print_line(f"     {name} {what}; restarting it")
        pid = program.process.pid
        cleanup.remove(pid, self._began.get(pid, 0.0))
        program.process.wait()
        self.start(name, *self._commands[name])

    def _has_lost_a_worker(self, program: Program) -> bool:
        pool = self._pools.get(program.name)
        if pool is None:
            return False
        with program.log.open("rb") as log:
            log.seek(self._log_begins[program.name])
            return log.read().count(pool.begun) > pool.size


def _begin() -> None:
    """Reset the signals of a new process, and make it end with this one."""
    for number in _INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
    cleanup.end_with_parent()


def _ending(program: Program) -> str:
    status = program.process.returncode
    return f"signal {-status}" if status < 0 else f"status {status}"
