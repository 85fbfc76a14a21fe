"""Programs that are started again when somebody kills them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from canvas_demo import leftovers
from canvas_demo.processes import Program, ProgramDiedError, Programs

MOST_RESTARTS = 5
"""How often one program is started again; what ends more often than that is broken, not killed."""


class TendedPrograms(Programs):
    """Programs of which each is started again when it has ended, and which end with whoever started them.

    A program goes with all of its session: a new one beside the children of the old would do their work twice.

    Args:
        logs: folder for their output, and for their numbers, by which the next demo finds what a killed one left.
        environment: of all of them.
        say: tells the person.
        pools: names of those with a pool of children who share a lock. A child that is killed while it holds the lock
            takes it along, and the others wait for ever; so the whole program is started again instead. In their titles
            is the text that comes with the name.
    """

    def __init__(
        self,
        logs: Path,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        pools: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(logs, environment, leftovers.end_with_parent)
        self._say = say
        self._pools = pools or {}
        self._members: dict[str, set[int]] = {}
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
        program = super().start(name, command, environment, user)
        leftovers.note(self._logs, name, program.process.pid)
        with contextlib.suppress(psutil.NoSuchProcess):
            self._began[program.process.pid] = psutil.Process(program.process.pid).create_time()
        self._members[name] = set()
        return program

    def check(self) -> None:
        """Start again what has ended.

        Raises:
            ProgramDiedError: it has ended too often; with the end of its log.
        """
        for program in self.running:
            if not program.is_running:
                self._again(program, f"ended ({_ending(program)})")
            elif self._has_lost_a_child(program):
                self._again(program, "lost one of its workers")

    def _again(self, program: Program, what: str) -> None:
        name = program.name
        self._restarts[name] = self._restarts.get(name, 0) + 1
        if self._restarts[name] > MOST_RESTARTS:
            raise ProgramDiedError(f"{name} {what} for the {MOST_RESTARTS + 1}th time:\n{program.tail()}")
        self._say(f"     {name} {what}; starting it again")
        pid = program.process.pid
        leftovers.remove(pid, self._began.get(pid, 0.0))
        program.process.wait()
        self.start(name, *self._commands[name])

    def _has_lost_a_child(self, program: Program) -> bool:
        title = self._pools.get(program.name)
        if title is None:
            return False
        before = self._members[program.name]
        now = {child.pid for child in _children(program) if title in _title(child)}
        self._members[program.name] = before | now
        return not before <= now


def _children(program: Program) -> list[psutil.Process]:
    try:
        return psutil.Process(program.process.pid).children()
    except psutil.NoSuchProcess:
        return []


def _title(process: psutil.Process) -> str:
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _ending(program: Program) -> str:
    status = program.process.returncode
    return f"signal {-status}" if status < 0 else f"status {status}"
