"""One connection with a refresh token, four processes, Airflow's own variables, and tokens that hardly last."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex

import pytest

from canvas_sandbox import Course, DeveloperKey, Sandbox, Switches

COURSES = 10
"""For each process."""
LIFETIME = 2.0
KEY = DeveloperKey(31, "the-secret-of-a-developer-key", lifetime=LIFETIME)


@pytest.fixture
def execution_api(tmp_path: Path) -> Iterator[str]:
    """Airflow's execution API."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "AIRFLOW__API_AUTH__JWT_SECRET": token_hex(32),  # before 3.2, the API makes none up
    }
    address = tmp_path / "address"
    command = [sys.executable, "-m", "tests.support.airflow.execution_api", str(address)]
    with (
        (tmp_path / "api.log").open("w") as log,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
        ) as process,
    ):
        while not address.exists():
            assert process.poll() is None, (tmp_path / "api.log").read_text()
            time.sleep(0.05)
        yield address.read_text()
        process.communicate()


def test_four_processes_share_a_refresh_token_and_nothing_is_lost(execution_api: str, tmp_path: Path) -> None:
    courses = [Course(id=100 + number) for number in range(4 * COURSES)]
    with (
        Sandbox(
            courses, developer_keys=[KEY], switches=Switches(duration=8.0, job_workers=4 * COURSES)
        ) as canvas,
        ExitStack() as stack,
    ):
        refresh_token = canvas.grant(KEY)
        extra = {"client_id": "31", "client_secret": KEY.secret, "refresh_token": refresh_token}
        connection = {"conn_type": "canvas", "host": canvas.url, "extra": extra}
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "AIRFLOW_CONN_CANVAS_DEFAULT": json.dumps(connection),
        }
        processes, logs = [], []
        for number, kind in enumerate(("worker", "worker", "triggerer", "triggerer")):
            labels = [course.label for course in courses[number::4]]
            logs.append(tmp_path / f"{number}.log")
            processes.append(
                stack.enter_context(
                    subprocess.Popen(
                        [
                            sys.executable,
                            "-m",
                            "tests.support.airflow.export_process",
                            execution_api,
                            kind,
                            *labels,
                        ],
                        env=environment,
                        stdout=stack.enter_context(logs[-1].open("w")),
                        stderr=subprocess.STDOUT,
                    )
                )
            )
            stack.callback(processes[-1].kill)
        statuses = [process.wait() for process in processes]
        said = [log.read_text() for log in logs]
        made, requests, refreshes = canvas.exports, canvas.requests, canvas.refreshes
        secrets = [KEY.secret, refresh_token, *canvas.world.tokens]

    assert statuses == [0] * 4, said
    exported = {
        label: number
        for output in said
        for line in output.splitlines()
        if line.startswith('{"course:')
        for label, number in json.loads(line).items()
    }
    assert exported == {record.context: record.id for record in made}
    assert len(made) == len(courses), "each course was asked for once"

    asked = [record for record in requests if record.path.startswith("/api/")]
    lasted = asked[-1].time - asked[0].time
    lives = lasted / LIFETIME
    assert lives > 2, "tokens did expire"
    assert 2 <= refreshes <= 1.5 * lives + 2, "about one for each life, not one for each process"
    assert len([record for record in requests if record.status == 401]) <= 4 * 6 * refreshes
    assert {record.status for record in requests} <= {200, 401, 429}
    assert not [secret for secret in secrets for text in said if secret in text]
