"""The services of ``docker-compose.yaml`` as plain processes."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[?-])(?P<text>[^}]*))?\}")
#: Programs that the image's entry point starts as they are; anything else is an argument of ``airflow``.
_PROGRAMS = frozenset({"bash", "python", "airflow"})
#: Left out: settings that an administrator makes elsewhere, and the store of the Compose file.
_ENTERED = re.compile(r"AIRFLOW_(CONN|VAR)_.*|AWS_.*")


@dataclass(frozen=True)
class Service:
    """One service: its command line, and its settings without hosts, ports, secrets and paths."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


def read_services(compose: Path, ours: Mapping[str, str]) -> dict[str, Service]:
    """Read Airflow's services from a Compose file.

    Args:
        compose: the file.
        ours: settings that replace those of the file.

    Raises:
        KeyError: the file requires a variable for a setting that is not in ``ours``.
    """
    written: dict[str, Any] = yaml.safe_load(compose.read_text())["services"]
    return {
        name: Service(
            command=_command(service["command"]),
            environment={
                **{
                    key: _filled(key, str(value))
                    for key, value in service["environment"].items()
                    if key not in ours and not _ENTERED.fullmatch(key)
                },
                **ours,
            },
        )
        for name, service in written.items()
        if "AIRFLOW__CORE__EXECUTOR" in (service.get("environment") or {})
    }


def _command(words: list[str]) -> tuple[str, ...]:
    """Return a container's command line for this Python environment; Airflow's image puts ``airflow`` first."""
    program, *arguments = words if words[0] in _PROGRAMS else ["airflow", *words]
    known = {"airflow": (sys.executable, "-m", "airflow"), "python": (sys.executable,)}
    return (*known.get(program, (program,)), *arguments)


def _filled(key: str, value: str) -> str:
    """Return a setting with the defaults of its variables."""

    def fill(found: re.Match[str]) -> str:
        if found["kind"] != "-":
            raise KeyError(f"{key} of the Compose file needs {found['name']}")
        return found["text"]

    return _VARIABLE.sub(fill, value)
