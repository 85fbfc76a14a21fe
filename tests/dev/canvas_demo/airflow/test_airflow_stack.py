"""Every component of a demo's Airflow uses the same database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from canvas_demo.airflow.airflow_stack import AirflowStack
from canvas_demo.processes.programs import Programs

DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


class Recorded(Programs):
    """Programs that are not started: their databases."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(folder, environment)
        self.shared = environment
        self.databases: dict[str, str] = {}

    def start(self, name: str, _command: Any, environment: Mapping[str, str] | None = None, *_: Any) -> Any:
        """Record the database of a program, whose environment is that of all programs and its own."""
        self.databases[name] = {**self.shared, **(environment or {})}[DATABASE]


@pytest.mark.parametrize("other", [None, "postgresql://127.0.0.1/airflow"])
def test_every_component_uses_the_database_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str | None
) -> None:
    for name in ("wait_until_healthy", "log_in"):
        monkeypatch.setattr(AirflowStack, name, lambda _: None)
    stack = AirflowStack(tmp_path, tmp_path, 8080, {} if other is None else {DATABASE: other}, Recorded)
    assert isinstance(stack.programs, Recorded)
    stack.launch()
    assert set(stack.programs.databases) == {"api-server", "scheduler", "dag-processor", "triggerer"}
    places = {database.partition("?")[0] for database in stack.programs.databases.values()}
    assert places == {other or f"sqlite:///{tmp_path}/airflow.db"}
