"""docker-compose.yaml: what can be known of it without Docker."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from airflow.cli import cli_parser
from airflow.configuration import conf
from airflow.providers.celery.executors import celery_executor
from airflow.sdk import Connection
from tests.support.repository.compose import AIRFLOW, DATA, FILE, ROOT, SERVICES, TEXT, VARIABLE, settings

from canvas_exports.hooks.archive_location import ArchiveLocation
from canvas_sandbox import Course, Sandbox, Switches
from canvas_sandbox.__main__ import _parser

EXAMPLE = settings((ROOT / ".env.example").read_text(encoding="utf-8"))
every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def test_it_keeps_to_the_published_schema_of_compose() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    found = subprocess.run(check, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_every_part_of_a_distributed_airflow_is_there() -> None:
    assert set(SERVICES) == {
        "postgres",
        "redis",
        "store",
        "airflow-init",
        "api-server",
        "scheduler",
        "dag-processor",
        "worker",
        "triggerer",
        "canvas-sandbox",
    }
    assert {name: SERVICES[name]["deploy"]["replicas"] for name in ("worker", "triggerer")} == {
        "worker": 2,
        "triggerer": 2,
    }
    assert SERVICES["canvas-sandbox"]["profiles"] == ["sandbox"]
    assert not any("profiles" in service for name, service in SERVICES.items() if name != "canvas-sandbox")


@every_service
def test_every_image_is_pinned(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.]+)?", service["image"])


@every_service
def test_every_service_that_stays_is_restarted_and_says_whether_it_is_well(service: dict[str, Any]) -> None:
    if service.get("restart") == "no":
        assert "airflow db migrate" in service["command"][-1]
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@every_service
def test_a_service_waits_for_those_it_needs_until_they_are_well(service: dict[str, Any]) -> None:
    for name, how in service.get("depends_on", {}).items():
        stays = SERVICES[name].get("restart") != "no"
        assert how["condition"] == ("service_healthy" if stays else "service_completed_successfully")


@pytest.mark.parametrize("name", sorted(AIRFLOW.keys() - {"airflow-init"}))
def test_every_part_of_airflow_waits_for_the_database_to_be_migrated(name: str) -> None:
    assert {"postgres", "redis", "airflow-init"} <= SERVICES[name]["depends_on"].keys()


@every_service
def test_every_port_is_bound_to_the_loopback_address(service: dict[str, Any]) -> None:
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@every_service
def test_everything_that_is_mounted_is_there(service: dict[str, Any]) -> None:
    for mount in service.get("volumes", []):
        source, _, options = mount.partition(":")
        if source.startswith("./"):
            assert (ROOT / source).exists()
            assert options.endswith(":ro"), "nothing in a container writes into the checkout"
        else:
            assert source in DATA["volumes"]


def words(command: list[str]) -> list[list[str]]:
    """The ``airflow`` command lines of a service."""
    if command[:2] == ["bash", "-ec"]:
        return [part.split()[1:] for part in command[2].split(" && ")]
    return [command]


@pytest.mark.parametrize(
    "command", [line for service in AIRFLOW.values() for line in words(service["command"])], ids=" ".join
)
def test_airflow_understands_the_command(command: list[str]) -> None:
    cli_parser.get_parser().parse_args(command)


def test_the_sandbox_understands_its_command() -> None:
    service = SERVICES["canvas-sandbox"]
    assert service["command"][:3] == ["python", "-m", "canvas_sandbox"]
    options = _parser().parse_args(service["command"][3:])
    assert options.host == "canvas-sandbox", "links to files bear the name by which other containers know it"
    assert options.storage_host in service["networks"]["default"]["aliases"]
    assert EXAMPLE["CANVAS_URL"] == f"http://canvas-sandbox:{options.port}"
    assert EXAMPLE["CANVAS_TOKEN"] == Sandbox(seed=options.seed).token


def test_links_bear_the_name_by_which_other_containers_know_the_storage() -> None:
    with Sandbox(
        [Course(id=101)], switches=Switches(manual_clock=True), storage_host="canvas-sandbox-storage"
    ) as canvas:
        who = {"Authorization": f"Bearer {canvas.token}"}
        exports = f"{canvas.url}/api/v1/courses/101/content_exports"
        made = requests.post(exports, {"export_type": "common_cartridge"}, headers=who, timeout=10).json()
        canvas.advance(3600)
        ready = requests.get(f"{exports}/{made['id']}", headers=who, timeout=10).json()
        link = requests.get(ready["attachment"]["url"], headers=who, allow_redirects=False, timeout=10)
    assert urlsplit(link.headers["Location"]).hostname == "canvas-sandbox-storage"
    assert urlsplit(canvas.storage_url).hostname == "canvas-sandbox-storage"


def test_the_init_command_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"sqlite:///{tmp_path}/airflow.db")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    done = subprocess.run(
        SERVICES["airflow-init"]["command"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(tmp_path / "airflow.db")) as database:
        pools = database.execute("SELECT pool, slots, include_deferred FROM slot_pool").fetchall()
    assert ("canvas", 8, 1) in pools


class TestVariables:
    def test_every_variable_is_in_the_example_and_the_other_way_round(self) -> None:
        assert {found["name"] for found in VARIABLE.finditer(TEXT)} == set(EXAMPLE)

    def test_a_variable_without_a_default_says_what_to_do(self) -> None:
        assert all(found["kind"] for found in VARIABLE.finditer(TEXT))
        assert all(found["rest"] for found in VARIABLE.finditer(TEXT))

    def test_what_the_example_leaves_empty_has_no_default_here(self) -> None:
        for found in VARIABLE.finditer(TEXT):
            if not EXAMPLE[found["name"]]:
                assert found["kind"] == "?", f"{found['name']} is a secret"

    def test_a_default_is_what_the_example_says(self) -> None:
        for found in VARIABLE.finditer(TEXT):
            if found["kind"] == "-":
                assert found["rest"] == EXAMPLE[found["name"]]

    def test_no_secret_stands_in_the_file(self) -> None:
        for service in SERVICES.values():
            for name, value in (service.get("environment") or {}).items():
                if '"conn_type": "canvas_archive"' in value:
                    assert "password" not in value  # it names a place, and whose credentials open it
                elif re.search(r"SECRET|PASSWORD|KEY|AUTH$|_CONN(_|$)|BROKER_URL|RESULT_BACKEND", name):
                    assert re.search(r"\$\{\w+:\?|^/opt/airflow/auth/", value), f"{name} is written out"


class TestWhoHasWhichSecret:
    def test_only_who_speaks_to_canvas_has_its_token(self) -> None:
        holders = {name for name, service in SERVICES.items() if "CANVAS_TOKEN" in str(service)}
        assert holders == {"worker", "triggerer"}

    def test_only_workers_and_the_store_have_the_keys_of_the_archive(self) -> None:
        holders = {name for name, service in SERVICES.items() if "STORE_SECRET_KEY" in str(service)}
        assert holders == {"worker", "store"}

    def test_forms_find_the_archive_under_its_name(self) -> None:
        worker = AIRFLOW["worker"]["environment"]
        name = worker["AIRFLOW_VAR_CANVAS_ARCHIVE"]
        named = json.loads(VARIABLE.sub("s3://a/b", worker[f"AIRFLOW_CONN_{name.upper()}"]))
        connection = Connection(conn_id=name, conn_type=named["conn_type"], host=named["host"])
        assert ArchiveLocation.read(connection).uri == "s3://a/b"


class TestSettings:
    @pytest.mark.parametrize(
        "name",
        sorted({name for one in AIRFLOW.values() for name in one["environment"] if name.count("__") == 2}),
    )
    def test_airflow_knows_every_setting(self, name: str) -> None:
        _, section, key = name.lower().split("__")
        assert key in conf.configuration_description[section]["options"]

    def test_every_part_of_airflow_has_the_same_settings(self) -> None:
        common = AIRFLOW["scheduler"]["environment"]
        for name, service in AIRFLOW.items():
            assert common.items() <= service["environment"].items(), name

    def test_a_task_is_not_given_out_twice_while_its_worker_may_still_end_it(self) -> None:
        seconds = int(
            AIRFLOW["worker"]["environment"]["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"]
        )
        assert timedelta(seconds=seconds) >= timedelta(hours=24)
        assert re.fullmatch(r"\d+m", AIRFLOW["worker"]["stop_grace_period"])
        assert timedelta(minutes=int(AIRFLOW["worker"]["stop_grace_period"][:-1])) < timedelta(
            seconds=seconds
        )

    def test_the_health_check_of_workers_names_celerys_app(self) -> None:
        (module,) = re.findall(r"--app (\S+)\.app", AIRFLOW["worker"]["healthcheck"]["test"][1])
        assert module == celery_executor.__name__
        assert celery_executor.app is not None
