"""What every benchmark prints and keeps: a table, row by row as they come, and the same numbers as JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
_PACKAGES = ("aiohttp", "apache-airflow", "obstore", "requests", "smart-open", "urllib3")


@dataclass(frozen=True)
class Column:
    """A column of the printed table.

    Parameters:
        key: the row's key, and the name in the JSON document.
        title: the heading.
        form: how a value is printed, as in a format specification (``.2f``, ``,d``); a missing value is a dash.
    """

    key: str
    title: str
    form: str = ""

    def cell(self, row: Mapping[str, Any]) -> str:
        """One value of a row, as printed."""
        value = row.get(self.key)
        return "-" if value is None else format(value, self.form)


@dataclass
class Report:
    """A benchmark's rows: printed as they are added, written as JSON at the end.

    Parameters:
        name: the benchmark's name; its file is ``benchmarks/results/<name>-<moment>.json``.
        columns: what of each row is printed. Rows may hold more; all of it is written.
        title: a line above the table.
    """

    name: str
    columns: Sequence[Column]
    title: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: Mapping[str, Any]) -> None:
        """Print one row, and keep it."""
        if not self.rows:
            self._begin()
        self.rows.append(dict(row))
        self._line([column.cell(row) for column in self.columns])

    def write(self, folder: Path = RESULTS, **facts: Any) -> Path:
        """Write the rows, the machine and ``facts`` (parameters, goals) as JSON, and say where."""
        moment = datetime.now(timezone.utc)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}-{moment:%Y%m%dT%H%M%SZ}.json"
        document = {
            "benchmark": self.name,
            "at": moment.isoformat(),
            "machine": machine(),
            **facts,
            "rows": self.rows,
        }
        path.write_text(json.dumps(document, indent=1, default=str) + "\n")
        sys.stdout.write(f"\n{path}\n")
        return path

    def _begin(self) -> None:
        if self.title:
            sys.stdout.write(f"{self.title}\n\n")
        self._line([column.title for column in self.columns])

    def _line(self, cells: Iterable[str]) -> None:
        first, *others = cells
        widths = [max(len(column.title), 7) + 2 for column in self.columns[1:]]
        line = first.ljust(36) + "".join(
            cell.rjust(width) for cell, width in zip(others, widths, strict=True)
        )
        sys.stdout.write(line.rstrip() + "\n")
        sys.stdout.flush()


def machine() -> dict[str, Any]:
    """What the numbers depend on, without the machine's name."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }
