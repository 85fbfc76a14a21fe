"""The Compose file as commands and settings of plain processes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from canvas_cluster import installed_programs
from canvas_cluster.cluster import Cluster
from canvas_cluster.compose_services import read_services

REPOSITORY = Path(__file__).parents[3]
COMPOSE = """
x-airflow: &airflow
  environment: &environment
    AIRFLOW__CORE__EXECUTOR: CeleryExecutor
    AIRFLOW__CORE__FERNET_KEY: ${FERNET_KEY:?run "make env"}
    AIRFLOW__CELERY__WORKER_CONCURRENCY: ${WORKER_CONCURRENCY:-4}
    AIRFLOW_CONN_CANVAS_DEFAULT: '{"host": "${CANVAS_URL:?in .env}"}'
services:
  redis:
    image: redis
  init:
    <<: *airflow
    command: [bash, -ec, "airflow db migrate"]
  worker:
    <<: *airflow
    command: [celery, worker]
    environment:
      <<: *environment
      DUMB_INIT_SETSID: "0"
"""


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    path = tmp_path / "compose.yaml"
    path.write_text(COMPOSE)
    return path


def test_only_airflows_own_services_are_read(compose: Path) -> None:
    assert set(read_services(compose, {"AIRFLOW__CORE__FERNET_KEY": "ours"})) == {"init", "worker"}


def test_a_command_runs_in_this_environment(compose: Path) -> None:
    services = read_services(compose, {"AIRFLOW__CORE__FERNET_KEY": "ours"})
    assert services["worker"].command == (sys.executable, "-m", "airflow", "celery", "worker")
    assert services["init"].command == ("bash", "-ec", "airflow db migrate")


def test_settings_are_the_files_but_for_ours_and_what_is_entered_by_hand(compose: Path) -> None:
    services = read_services(compose, {"AIRFLOW__CORE__FERNET_KEY": "ours"})
    assert services["worker"].environment == {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CORE__FERNET_KEY": "ours",
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": "4",
        "DUMB_INIT_SETSID": "0",
    }


def test_a_missing_secret_is_named(compose: Path) -> None:
    with pytest.raises(KeyError, match=r"AIRFLOW__CORE__FERNET_KEY .* needs FERNET_KEY"):
        read_services(compose, {})


def test_the_cluster_has_a_value_for_everything_that_our_compose_file_wants(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, REPOSITORY)
    assert cluster.workers == ["worker-1", "worker-2"]
    assert cluster.triggerers == ["triggerer-1", "triggerer-2"]


def test_what_is_missing_is_said_with_the_packages_that_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_programs, "postgres_bin", lambda: None)
    monkeypatch.setattr(installed_programs, "redis_server", lambda: None)
    assert installed_programs.missing() == (
        "this machine lacks PostgreSQL (Debian: apt-get install postgresql) "
        "and Redis (Debian: apt-get install redis-server)"
    )
