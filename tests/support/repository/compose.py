"""docker-compose.yaml as data, and what its variables are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
FILE = ROOT / "docker-compose.yaml"
TEXT = FILE.read_text(encoding="utf-8")
DATA: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = DATA["services"]

#: ``$$`` is a dollar sign that is left to the container.
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")

#: Services that are told what to do with words for ``airflow``.
AIRFLOW = {name: service for name, service in SERVICES.items() if "AIRFLOW__CORE__EXECUTOR" in str(service)}


def settings(text: str) -> dict[str, str]:
    """Lines of an environment file."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


VALUES: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "deploy" / "values.yaml").read_text())
