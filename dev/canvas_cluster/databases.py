"""PostgreSQL and Redis of the cluster: on the loopback interface, without passwords, with their data in one folder."""

from __future__ import annotations

import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path

from canvas_cluster.installed_programs import postgres_bin, redis_server, unprivileged_user
from canvas_demo.processes.ports import any_free
from canvas_demo.processes.programs import Program, Programs

_START = 60.0  # seconds either may take to listen
#: The data is removed with the cluster, so it need not be synced to the disk.
_NO_SYNC = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Postgres:
    """A PostgreSQL server with one empty database.

    For root it runs as an unprivileged user, with its data in a temporary folder, since that user cannot read root's
    folders.
    """

    def __init__(self, folder: Path, programs: Programs) -> None:
        self.port = any_free()
        self._programs = programs
        self._user = unprivileged_user()
        self._folder = folder

    @property
    def address(self) -> str:
        """User, host, port and database, in the form of SQLAlchemy's URLs."""
        return f"airflow@127.0.0.1:{self.port}/postgres"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def create(self) -> None:
        """Create the data folder. Raises `ProgramDiedError`."""
        if self._user is not None:
            self._folder = Path(tempfile.mkdtemp(prefix="canvas-postgres-"))
            shutil.chown(self._folder, self._user)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._programs.run(
            "initdb",
            [
                self._program("initdb"),
                f"--pgdata={self._data}",
                "--username=airflow",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
            ],
            user=self._user,
        )

    def start(self) -> Program:
        """Start the server and wait until it listens. Raises `ProgramDiedError`."""
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            "unix_socket_directories=",
            "max_connections=200",
            *_NO_SYNC,
        ]
        command = [self._program("postgres"), "-D", str(self._data)]
        program = self._programs.start(
            "postgres", [*command, *(part for value in settings for part in ("-c", value))], user=self._user
        )
        wait_until_listening(program, self.port)
        return program

    def stop(self, program: Program) -> None:
        """Stop the server at once: it breaks every connection and loses nothing."""
        program.process.send_signal(signal.SIGINT)
        program.process.wait()

    def remove(self) -> None:
        """Remove the data."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _program(self, name: str) -> str:
        folder = postgres_bin()
        assert folder is not None, "call installed_programs.missing() first"
        return str(folder / name)


class Redis:
    """A Redis server without data on disk."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self.port = any_free()
        self._folder = folder
        self._programs = programs

    @property
    def url(self) -> str:
        """Return the URL of the broker."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Program:
        """Start the server and wait until it listens. Raises `ProgramDiedError`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        server = redis_server()
        assert server is not None, "call installed_programs.missing() first"
        options = {
            "--bind": "127.0.0.1",
            "--port": str(self.port),
            "--save": "",
            "--appendonly": "no",
            "--dir": str(self._folder),
        }
        program = self._programs.start(
            "redis", [server, *(part for pair in options.items() for part in pair)]
        )
        wait_until_listening(program, self.port)
        return program


def wait_until_listening(program: Program, port: int) -> None:
    """Wait until a program accepts connections. Raises `ProgramDiedError` if it ends, else `TimeoutError`."""
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        program.check()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{program.name} does not listen:\n{program.tail()}")
