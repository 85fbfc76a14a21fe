"""What the doctor finds in an Airflow, with a real metadata database, a Canvas and an archive."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from canvas_exports.cli.main import main
from canvas_exports.cli.project.doctor import airflow_facts
from canvas_exports.core.doctor.facts import Fact, Status
from canvas_sandbox import Course, Sandbox

PREPARE = """
from datetime import timedelta
from airflow._shared.timezones import timezone
from airflow.jobs.job import Job
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dag import DagModel
from airflow.models.pool import Pool
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import JobState
initdb()
now = timezone.utcnow()
with create_session() as session:
    session.add(DagBundleModel(name="dags"))
    session.flush()
    for name, paused in (("nightly", False), ("pilot", True)):
        session.add(DagModel(dag_id=f"canvas_backup_{name}", bundle_name="dags", is_paused=paused, is_stale=False))
    for kind, seen in (("SchedulerJob", now), ("TriggererJob", now - timedelta(hours=2))):
        job = Job(heartrate=5)
        job.job_type, job.state, job.latest_heartbeat = kind, JobState.RUNNING, seen
        session.add(job)
    session.add(Pool(pool="canvas", slots=8, include_deferred=True))
    session.add(Pool(pool="plain", slots=4, include_deferred=False))
"""

PAUSE = """
from airflow.models.dag import DagModel
from airflow.utils.session import create_session
with create_session() as session:
    session.query(DagModel).update({DagModel.is_paused: True})
"""


@pytest.fixture(scope="module")
def canvas() -> Iterator[Sandbox]:
    with Sandbox([Course(id=101)]) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def environment(canvas: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an Airflow with a project, connections, a Variable and a database."""
    home = tmp_path_factory.mktemp("airflow")
    main(["init", str(home)])
    backups = home / "include" / "backups"
    for name, pool in (("nightly", "canvas"), ("pilot", "plain"), ("end_of_term_archive", "nowhere")):
        path = backups / f"{name}.yaml"
        path.write_text(path.read_text() + f"\npool: {pool}\n")
    found = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW_CONN_CANVAS_DEFAULT": f'{{"conn_type": "canvas", "host": "{canvas.url}", "password": "{canvas.token}"}}',
        "AIRFLOW_CONN_CAMPUS_ARCHIVE": f'{{"conn_type": "canvas_archive", "host": "{(home / "archive").as_uri()}"}}',
        "AIRFLOW_VAR_CANVAS_ARCHIVE": "campus_archive",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "3600",  # the machine may be slow
    }
    subprocess.run([sys.executable, "-c", PREPARE], check=True, env={**os.environ, **found})
    return found


def facts(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> dict[str, list[Fact]]:
    """Return the facts by their subject."""
    monkeypatch.delenv("CANVAS_EXPORTS_INCLUDE", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found: dict[str, list[Fact]] = {}
    for fact in airflow_facts():
        found.setdefault(fact.subject, []).append(fact)
    return found


def test_every_part_has_its_facts(
    canvas: Sandbox, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = facts(monkeypatch, environment)
    states = {subject: [fact.status.value for fact in listed] for subject, listed in found.items()}
    assert states == {
        "airflow": ["ok"],
        "provider": ["ok"],
        "include": ["ok"],
        "scheduler": ["ok"],
        "dag-processor": ["problem"],
        "triggerer": ["problem"],
        "canvas_backup_end_of_term_archive": ["problem"],
        "dags": ["ok"],
        "pool canvas": ["ok"],
        "pool nowhere": ["problem"],
        "pool plain": ["warning"],
        "canvas_default": ["ok", "ok", "ok"],
        "campus_archive": ["ok", "ok"],
    }
    assert found["dag-processor"][0].fact == "The dag-processor has never run."
    assert found["triggerer"][0].fact.startswith("The triggerer was last seen at ")
    assert found["triggerer"][0].next_step == "airflow triggerer"
    assert found["dags"][0].fact == "These backups are on: canvas_backup_nightly."
    assert found["canvas_default"][0].fact == f"{canvas.url} answers; the token belongs to user 1."
    said = repr(found)
    assert canvas.token not in said
    assert "Ada" not in said


def test_what_is_missing_is_a_problem_with_the_command_that_adds_it(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {
        name: value
        for name, value in environment.items()
        if not name.startswith(("AIRFLOW_CONN", "AIRFLOW_VAR"))
    }
    given["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{tmp_path}/none.db"
    found = facts(monkeypatch, given)
    missing = {
        subject: fact.next_step for subject, (fact, *_) in found.items() if fact.status is Status.PROBLEM
    }
    assert "airflow db migrate" in missing.pop("database")
    assert missing.pop("canvas_default").startswith(
        "airflow connections add canvas_default --conn-type canvas "
    )
    assert missing.pop("Variable canvas_archive") == "airflow variables set canvas_archive campus_archive"
    assert missing == {}


def test_the_first_backup_to_switch_on_is_the_pilot(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run([sys.executable, "-c", PAUSE], check=True, env={**os.environ, **environment})
    (fact,) = facts(monkeypatch, environment)["dags"]
    assert fact.status is Status.WARNING
    assert fact.next_step.endswith(": airflow dags unpause canvas_backup_pilot")
