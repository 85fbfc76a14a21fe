"""What do more courses cost? ``python -m benchmarks.growth``: 100, 1,000 and 5,000 on a real Airflow, 200,000 in a list.

On a real Airflow (PostgreSQL, LocalExecutor) one backup after the other exports its courses from a sandbox that takes a
tenth of a second over each, and everything that is left in Airflow's database is counted. A list of 200,000 goes through
the steps that see all of it at once, each in a process of its own: listing, reporting, sweeping. 1 if anything grows
faster than the number of courses.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from benchmarks.real_airflow import RealAirflow, real_airflow
from benchmarks.report import RESULTS, ROOT, Column, Report
from benchmarks.servers import server
from canvas_exports.core.export.options import MAX_EXPORTS

COUNTS = (100, 1_000, 5_000)
SMALL_COUNTS = (10, 40)
LIST, SMALL_LIST = 200_000, 20_000
ALLOWED = 1.10  # growth over the growth of the number of courses
PATIENCE = 900  # seconds for one run
GROWING = (
    "instances",
    "executions",
    "deferrals",
    "rows",
    "xcom",
    "checkpoints",
    "scheduler_cpu",
)

_COLUMNS = (
    Column("case", "case"),
    Column("batches", "batches", ",d"),
    Column("instances", "tasks", ",d"),
    Column("executions", "executions", ",d"),
    Column("deferrals", "deferrals", ",d"),
    Column("rows", "rows", ",d"),
    Column("xcom", "XCom B", ",d"),
    Column("checkpoints", "checkpoints B", ",d"),
    Column("scheduler_cpu", "scheduler CPU s", ".1f"),
    Column("seconds", "seconds", ".0f"),
    Column("verdict", ""),
)
_LIST_COLUMNS = (
    Column("case", "case"),
    Column("batches", "batches", ",d"),
    Column("xcom", "XCom B", ",d"),
    Column("document", "document B", ",d"),
    Column("growth_mib", "peak MiB", ".0f"),
    Column("bytes_each", "B/course", ",d"),
    Column("cpu", "CPU s", ".1f"),
    Column("seconds", "seconds", ".0f"),
    Column("verdict", ""),
)
_MOST_BYTES_EACH = 2048  # of a course, at the peak of any step

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'bench_history'"
_XCOM = "SELECT coalesce(sum(octet_length(value::text)), 0) FROM xcom WHERE dag_id = %s"
_CHECKPOINTS = """
SELECT coalesce(sum(octet_length(value::text)), 0), coalesce(max(octet_length(value::text)), 0)
FROM task_state_store WHERE dag_id = %s
"""


def main(arguments: list[str] | None = None) -> int:
    """Measure both, print two tables, write the results as JSON. 1 if a goal is missed."""
    options = _parser().parse_args(arguments)
    options.scratch.mkdir(parents=True, exist_ok=True)
    runs = Report("growth", _COLUMNS, title=f"Batches of {options.batch_size}, on a real Airflow")
    lists = Report("growth-lists", _LIST_COLUMNS, title="\nThe steps that see a whole list at once")
    for row in _runs(SMALL_COUNTS if options.small else tuple(options.courses), options):
        before = runs.rows[-1] if runs.rows else None
        runs.add({**row, "verdict": _verdict(row, before)})
    for row in _lists(SMALL_LIST if options.small else LIST, options.scratch):
        lists.add({**row, "verdict": "ok" if row["bytes_each"] <= _MOST_BYTES_EACH else "OVER"})
    goals = {"growth": ALLOWED, "bytes_each": _MOST_BYTES_EACH}
    for report in (runs, lists):
        report.write(options.results, batch_size=options.batch_size, goals=goals)
    return int(any(row["verdict"] not in ("", "ok") for row in (*runs.rows, *lists.rows)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--small", action="store_true", help="10 and 40 courses, and a list of 20,000")
    parser.add_argument(
        "--courses", type=int, nargs="+", default=COUNTS, help="of each run (default: 100 1000 5000)"
    )
    parser.add_argument(
        "--batch-size", type=int, default=MAX_EXPORTS, help=f"courses in a batch (default: {MAX_EXPORTS})"
    )
    parser.add_argument("--scratch", type=Path, default=ROOT / ".bench", help="folder for what is made")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    return parser


def _verdict(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """Empty for the first row; then ``ok``, or what grew faster than the number of courses."""
    if before is None:
        return ""
    times = row["courses"] / before["courses"] * ALLOWED
    return ", ".join(name for name in GROWING if row[name] > times * before[name]) or "ok"


def _runs(counts: tuple[int, ...], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A run of each size, one after the other, on one Airflow."""
    with (
        _folder(options.scratch) as home,
        server("benchmarks.sandbox_server", str(max(counts)), "20000") as canvas,
    ):
        include, dags = home / "include", home / "dags"
        for folder in (include / "backups", include / "courses", dags):
            folder.mkdir(parents=True)
        shutil.copy(ROOT / "dags" / "canvas_backups.py", dags)
        for count in counts:
            _write_backup(include, home, canvas["courses"][:count], options.batch_size)
        with real_airflow(home / "airflow", include, dags) as airflow:
            airflow.stack.add_canvas(canvas["url"], canvas["token"])
            for count in counts:
                yield _run(airflow, count, options.batch_size, home)


def _write_backup(include: Path, home: Path, numbers: list[int], batch_size: int) -> None:
    name = f"growth_{len(numbers)}"
    (include / "courses" / f"{name}.txt").write_text("".join(f"{number}\n" for number in numbers))
    backup = {
        "name": name,
        "schedule": None,
        "courses": {"list": f"{name}.txt"},
        "archive": (home / name).as_uri(),
        "batch_size": batch_size,
        "max_in_flight": batch_size,
    }
    (include / "backups" / f"{name}.yaml").write_text(yaml.safe_dump(backup))


def _run(airflow: RealAirflow, count: int, batch_size: int, home: Path) -> dict[str, Any]:
    dag_id = f"canvas_backup_growth_{count}"
    airflow.stack.wait_for_dag(dag_id)
    before, cpu, began = _rows(airflow), _scheduler_cpu(airflow), time.monotonic()
    run_id = airflow.stack.trigger(dag_id)
    state = airflow.stack.wait_for_end(dag_id, run_id, PATIENCE)
    seconds = time.monotonic() - began
    (path,) = (home / f"growth_{count}").glob("runs/*/*/*/report.json")
    if state != "success" or json.loads(path.read_text())["totals"]["outcomes"] != {"stored": count}:
        raise SystemExit(f"the run of {count} courses ended as {state}")
    spent = airflow.spent(dag_id, run_id)
    tables = {name: rows - before[name] for name, rows in _rows(airflow).items()}
    ((checkpoints, largest),) = airflow.query(_CHECKPOINTS, dag_id)
    ((xcom,),) = airflow.query(_XCOM, dag_id)
    return {
        "case": f"{count:,} courses",
        "courses": count,
        "batches": -(-count // batch_size),
        "instances": spent.instances,
        "executions": spent.executions,
        "deferrals": spent.deferrals,
        "rows": sum(rows for rows in tables.values() if rows > 0),
        "tables": {name: rows for name, rows in tables.items() if rows},
        "xcom": int(xcom),
        "checkpoints": int(checkpoints),
        "largest_checkpoint": int(largest),
        "scheduler_cpu": _scheduler_cpu(airflow) - cpu,
        "seconds": seconds,
    }


def _rows(airflow: RealAirflow) -> dict[str, int]:
    """Rows in each of Airflow's tables."""
    names = [name for (name,) in airflow.query(_TABLES)]
    counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in names)  # noqa: S608 - its own names
    return dict(airflow.query(counts))


def _scheduler_cpu(airflow: RealAirflow) -> float:
    """Seconds of processor time of the scheduler alone; its children are the tasks."""
    (scheduler,) = (program for program in airflow.stack.programs.running if program.name == "scheduler")
    times = scheduler.tree()[0].cpu_times()
    return float(times.user + times.system)


def _lists(count: int, scratch: Path) -> Iterator[dict[str, Any]]:
    """Every step over a list of that length."""
    with server("benchmarks.long_list_server", str(count)) as canvas:
        for step, title in (("list", "listed"), ("report", "reported"), ("sweep", "looked through")):
            with _folder(scratch) as folder:
                done = subprocess.run(  # noqa: S603 - our own module
                    [sys.executable, "-m", "benchmarks.long_list", step, str(count), canvas["url"], folder],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                    timeout=PATIENCE,
                )
            yield {**json.loads(done.stdout), "case": f"{count:,} courses {title}"}


@contextmanager
def _folder(scratch: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="growth-", dir=scratch))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
