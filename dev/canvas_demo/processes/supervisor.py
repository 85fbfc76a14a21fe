"""Programs that are started again when somebody kills them."""

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
"""How often one program is started again; what ends more often than that is broken, not killed."""


@dataclass(frozen=True)
class Pool:
    """Workers of a program that take turns at a lock.

    One that is killed while it has the lock takes it along, and all the others wait for ever, those that are begun in its
    place, too. So a program that begins more of them than its pool has room for is better started again.

    Attributes:
        begun: what its log says whenever one of them begins.
        size: how many there are.
    """

    begun: bytes
    size: int


class TendedPrograms(Programs):
    """Programs of which each is started again when it has ended, and which end with whoever started them.

    A program goes with all of its session: a new one beside the children of the old would do their work twice.

    Args:
        logs: folder for their output, and for their numbers, by which the next demo finds what a killed one left.
        environment: of all of them.
        say: tells the person.
        pools: the programs among them that have a `Pool`, by name.
    """

    def __init__(
        self,
        logs: Path,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        pools: Mapping[str, Pool] | None = None,
    ) -> None:
        super().__init__(logs, environment, _begin)
        self._say = say
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
        """Start a program that goes on, whatever happens to it."""
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
        """Between its fork and its own session, a new process would hear the interrupt in our place."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def check(self) -> None:
        """Start again what has ended.

        Raises:
            ProgramDiedError: it has ended too often; with the end of its log.
        """
        for program in self.running:
            if not program.is_running:
                self._again(program, f"ended ({_ending(program)})")
            elif self._has_lost_a_worker(program):
                self._again(program, "lost one of its workers")

    def _again(self, program: Program, what: str) -> None:
        name = program.name
        self._restarts[name] = self._restarts.get(name, 0) + 1
        if self._restarts[name] > MOST_RESTARTS:
            raise ProgramDiedError(f"{name} {what} for the {MOST_RESTARTS + 1}th time:\n{program.tail()}")
        self._say(f"     {name} {what}; starting it again")
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
    """In a new process, which has its own session by now: what was meant for us is forgotten."""
    for number in _INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
    cleanup.end_with_parent()


def _ending(program: Program) -> str:
    status = program.process.returncode
    return f"signal {-status}" if status < 0 else f"status {status}"
