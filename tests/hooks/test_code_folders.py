"""The folders from which this Airflow takes code are known, and are no archive for anybody."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import canvas_exports
from canvas_exports.airflow_compat import conf
from canvas_exports.errors import InputError
from canvas_exports.hooks.archive import open_archive
from canvas_exports.hooks.code_folders import code_folders


def refused(folder: Path | str) -> None:
    with pytest.raises(InputError, match="a folder from which Airflow runs or configures itself"):
        open_archive(Path(folder).as_uri())


def test_dags_plugins_configuration_and_this_package_are_no_archive() -> None:
    home = os.environ["AIRFLOW_HOME"]
    refused(conf.get("core", "dags_folder"))
    refused(Path(conf.get("core", "plugins_folder")) / "new")
    refused(str(canvas_exports.__path__[0]))
    refused(f"{home}/config/courses")
    refused(home)
    refused("/")
    with open_archive(Path(home, "archive").as_uri()) as store:
        assert store.uri.endswith("/archive")


def test_the_paths_of_every_bundle_are_no_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundles = [
        {"name": "team", "classpath": "x", "kwargs": {"path": str(tmp_path / "team")}},
        {"name": "git", "classpath": "y", "kwargs": {"repo_url": "z"}},
        {"name": "odd", "classpath": "y", "kwargs": None},
    ]
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(bundles))
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path / "bundles"))
    refused(tmp_path / "team" / "archive")
    refused(tmp_path / "bundles" / "git" / "tracking_repo")


def test_a_configuration_somewhere_else_is_no_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONFIG", str(tmp_path / "etc" / "airflow.cfg"))
    refused(tmp_path / "etc")
    assert tmp_path / "etc" in code_folders()
