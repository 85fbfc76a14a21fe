"""docs/deploy/values.yaml, and the pools."""

from __future__ import annotations

import json
import re

from airflow.cli import cli_parser
from tests.support.repository.compose import ROOT, VALUES

from canvas_exports.core.storage.buffers import BLOCK_SIZE

MIB = 2**20


def test_two_triggerers_and_two_workers_may_lose_one() -> None:
    for part in (VALUES["triggerer"], VALUES["workers"]["celery"]):
        assert part["replicas"] == 2
        assert part["podDisruptionBudget"] == {"enabled": True, "config": {"maxUnavailable": 1}}


def test_the_auth_manager_is_in_the_image_that_the_page_builds() -> None:
    package = re.sub(
        r"^airflow\.providers\.(\w+)\..*",
        r"apache-airflow-providers-\1",
        VALUES["config"]["core"]["auth_manager"],
    )
    page = (ROOT / "docs" / "deploy-helm.md").read_text()
    assert f"docker build --build-arg EXTRA_PACKAGES={package} " in page
    assert "ARG EXTRA_PACKAGES" in (ROOT / "Dockerfile").read_text()


def test_every_secret_is_named_and_none_is_written() -> None:
    assert not re.search(r"(?i)password|token|secretKey:", (ROOT / "docs/deploy/values.yaml").read_text())
    assert VALUES["data"].keys() == {"metadataSecretName"}


def test_only_workers_and_triggerers_are_given_the_secret() -> None:
    given = {
        part: [one["name"] for one in VALUES[part].get("env", []) if "secretKeyRef" in str(one)]
        for part in VALUES
        if isinstance(VALUES[part], dict)
    }
    assert {part: names for part, names in given.items() if names} == {
        "triggerer": ["AIRFLOW_CONN_CANVAS_DEFAULT"],
        "workers": ["AIRFLOW_CONN_CANVAS_DEFAULT", "AIRFLOW_CONN_CAMPUS_S3"],
    }
    assert not {"env", "extraEnv", "extraEnvFrom", "secret"} & VALUES.keys()


def test_a_worker_has_room_for_the_blocks_of_all_its_tasks() -> None:
    tasks = VALUES["config"]["celery"]["worker_concurrency"]
    requested = VALUES["workers"]["celery"]["resources"]["requests"]["memory"]
    assert requested == "2Gi"
    assert tasks * 16 * BLOCK_SIZE <= 2 * 1024 * MIB / 2, "half of it is Python's and Airflow's"


def test_the_migration_job_runs_what_airflow_understands() -> None:
    bash, option, script = VALUES["migrateDatabaseJob"]["args"]
    assert (bash, option) == ("bash", "-c")
    for line in script.split(" && "):
        cli_parser.get_parser().parse_args(line.split()[1:])


def test_a_pool_counts_tasks_that_wait_in_the_triggerer() -> None:
    pools = json.loads((ROOT / "include" / "pools.json").read_text())
    assert pools.keys() == {"canvas"}
    assert pools["canvas"]["include_deferred"] is True
    assert pools["canvas"]["slots"] > 0
