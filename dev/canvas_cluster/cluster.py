"""The cluster: PostgreSQL, Redis and every Airflow service, each with a process tree of its own."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, final

import psutil

from canvas_cluster import hostname
from canvas_cluster.compose_services import read_services
from canvas_cluster.databases import Postgres, Redis
from canvas_demo.airflow.airflow_api import AirflowApi
from canvas_demo.processes.ports import any_free
from canvas_demo.processes.programs import Program, Programs

_START = 300.0  # seconds that a dozen processes may take to come up on a busy machine

#: Settings with which Airflow notices a dead component within seconds instead of minutes. Nothing else is changed.
FAST_DETECTION: Mapping[str, str] = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "12",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "12",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
}


@final
class Cluster(AirflowApi):
    """A distributed Airflow on the loopback interface, for tests and benchmarks. Every user is an administrator.

    CeleryExecutor on PostgreSQL and Redis; an API server, a scheduler, a DAG processor, Celery workers and triggerers.
    Command lines and settings are those of ``docker-compose.yaml``, except for hosts, ports, folders, secrets, connections
    and the archive. Services are named ``postgres``, ``redis``, ``api-server``, ``scheduler``, ``dag-processor``,
    ``worker-1``, ... and ``triggerer-1``, ...; Airflow takes these names for host names.

    Args:
        folder: for data, logs and configuration. The log of each service is ``programs/<name>.log``.
        repository: the checkout whose ``plugins/`` it runs.
        dags: the DAG folder; the checkout's ``dags/`` by default.
        settings: further environment variables; `FAST_DETECTION` by default.
        workers: number of Celery workers.
        triggerers: number of triggerers.
        slots: concurrent tasks of each worker.
    """

    def __init__(
        self,
        folder: Path,
        repository: Path,
        *,
        dags: Path | None = None,
        settings: Mapping[str, str] = FAST_DETECTION,
        workers: int = 2,
        triggerers: int = 2,
        slots: int = 2,
    ) -> None:
        self._port = any_free()
        super().__init__(f"http://127.0.0.1:{self._port}")
        self.folder = folder
        self.programs = Programs(folder / "programs", _inherited())
        self._postgres = Postgres(folder / "postgres", self.programs)
        self._redis = Redis(folder / "redis", self.programs)
        self._slots = slots
        self._repository = repository
        self._services = read_services(
            repository / "docker-compose.yaml",
            {**self._environment(repository, dags or repository / "dags"), **settings},
        )
        self.workers = [f"worker-{number}" for number in range(1, workers + 1)]
        self.triggerers = [f"triggerer-{number}" for number in range(1, triggerers + 1)]
        self._airflow_names = ["api-server", "scheduler", "dag-processor", *self.workers, *self.triggerers]
        self._running: dict[str, Program] = {}
        self._down: set[str] = set()
        self._up = False
        #: Services that ended by themselves and were started again, in that order.
        self.revived: list[str] = []

    def _environment(self, repository: Path, dags: Path) -> dict[str, str]:
        return {
            "NO_PROXY": "127.0.0.1,localhost",
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(repository / "plugins"),
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": f"{hostname.__name__}.own",
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.folder / "passwords.json"),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self._port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{self._postgres.address}",
            "AIRFLOW__CELERY__BROKER_URL": self._redis.url,
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql+psycopg2://{self._postgres.address}",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(self._slots),
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.folder / "logs"),
        }

    def __enter__(self) -> Cluster:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything, and wait until all report healthy.

        Raises:
            AirflowError: a component did not come up in time.
            ProgramDiedError: a service ended.
        """
        self._postgres.create()
        for name in ("postgres", "redis"):
            self.launch(name)
        self.programs.run(
            "airflow-init",
            self._services["airflow-init"].command,
            self._own("airflow-init"),
            folder=self._repository,
        )
        for name in self._airflow_names:
            self.launch(name)
        self.wait_until_healthy(_START)
        self.log_in()
        self._up = True

    def stop(self) -> None:
        """Kill everything and remove the database. The folder stays."""
        for program in self._running.values():
            program.kill()
        self.programs.stop()
        self._postgres.remove()

    def check(self) -> None:
        """Restart services that ended by themselves; while the cluster comes up, that is an error.

        Raises:
            ProgramDiedError: a service did not come up.
        """
        if not self._up:
            self.programs.check()
        else:
            self.revived += self.revive()

    def launch(self, name: str) -> None:
        """Start one service that is not running, and wait until PostgreSQL or Redis listens."""
        self._down.discard(name)
        if name == "postgres":
            self._running[name] = self._postgres.start()
        elif name == "redis":
            self._running[name] = self._redis.start()
        else:
            self._running[name] = self.programs.start(name, self._service_command(name), self._own(name))

    def kill(self, name: str) -> None:
        """Kill a service and all its children (SIGKILL). It stays down until `launch`."""
        self._down.add(name)
        self._running[name].kill()

    def terminate(self, name: str, grace: float = 60.0) -> None:
        """Ask a service to stop (SIGTERM), as a deployment does, and kill it after ``grace`` seconds. It stays down."""
        self._down.add(name)
        if name == "postgres":
            self._postgres.stop(self._running[name])
        else:
            self._running[name].end(grace)

    def freeze(self, name: str) -> None:
        """Stop a service and all its children (SIGSTOP)."""
        self._running[name].freeze()

    def thaw(self, name: str) -> None:
        """Continue a frozen service (SIGCONT)."""
        self._running[name].thaw()

    def is_running(self, name: str) -> bool:
        """Return whether a service has been started and has not ended."""
        return name in self._running and self._running[name].is_running

    def revive(self) -> list[str]:
        """Restart every service that ended by itself, as Compose's ``restart:`` does, and return their names."""
        ended = [name for name in self._running if name not in self._down and not self.is_running(name)]
        for name in ended:
            self.launch(name)
        return ended

    def restore(self) -> None:
        """Continue every frozen service and start every one that is down."""
        for name, program in list(self._running.items()):
            program.thaw()
            if not program.is_running:
                self.launch(name)

    def triggerer_of(self, instance: Mapping[str, Any]) -> str | None:
        """Return the triggerer of a deferred task instance; ``None`` while it has none."""
        job_id = (instance["trigger"] or {}).get("triggerer_id")
        jobs = self.api("GET", "/jobs", job_type="TriggererJob", limit=1000)["jobs"]
        return next((str(job["hostname"]) for job in jobs if job["id"] == job_id), None)

    def memory(self) -> int:
        """Return the bytes that all services use, shared pages counted once (PSS)."""
        return sum(_pss(process) for program in self._running.values() for process in program.tree())

    def _service_command(self, name: str) -> list[str]:
        kind = _kind(name)
        command = list(self._services[kind].command)
        if kind == "worker":  # in containers each has a host name of its own
            command += ["--celery-hostname", f"{name}@127.0.0.1"]
        return command

    def _own(self, name: str) -> dict[str, str]:
        """Return the variables of one service, with a home and ports of its own as in a container."""
        home = self.folder / "homes" / name
        home.mkdir(parents=True, exist_ok=True)
        return {
            **self._services[_kind(name)].environment,
            hostname.VARIABLE: name,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(any_free()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(any_free()),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(any_free()),
        }


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def _inherited() -> dict[str, str]:
    """Return our environment without what changes Airflow or Python."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH"):
        ours.pop(name, None)
    # The commands of the Compose file mean this environment's programs.
    return {**ours, "PATH": f"{Path(sys.executable).parent}:{ours['PATH']}"}


def _kind(name: str) -> str:
    """Return ``worker`` for ``worker-2``."""
    return name.rstrip("-0123456789")
