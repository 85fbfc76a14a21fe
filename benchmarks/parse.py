"""What does parsing DAGs cost? ``python -m benchmarks.parse`` measures it in processes forked as Airflow's DAG processor forks them.

Each case runs in a child of a process that has loaded Airflow's DAG processor and nothing of this project.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import runpy
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.report import RESULTS, ROOT, Column, Report

MOST_SECONDS = 0.1  # over as many DAGs of Airflow's own operator
_COLUMNS = (
    Column("case", "what is parsed"),
    Column("seconds", "CPU s", ".3f"),
    Column("over", "over Airflow's own", ".3f"),
    Column("libraries", "libraries"),
    Column("modules", "our modules"),
    Column("verdict", ""),
)
_OWN = "{} of Airflow's own operator"
_MANY = 20
_DAG = """
from airflow.sdk import DAG, BaseOperator, Param
for number in range({count}):
    texts = {{"title": "Field", "description": "What it means.", "section": "Settings", "examples": ["one", "two"]}}
    fields = {{f"field_{{at}}": Param("one", type=["string", "null"], minLength=1, **texts) for at in range(10)}}
    with DAG(f"own_{{number}}", schedule="@daily", params=fields):
        for task in range(5):
            BaseOperator(task_id=f"task_{{task}}")
"""


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, write the results as JSON. 1 if a goal is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.parse", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=9, help="rounds; a row holds medians (default: 9)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON documents")
    options = parser.parse_args(arguments)
    _load_airflow()
    report = Report("parse", _COLUMNS)
    with TemporaryDirectory() as scratch:
        cases = _cases(Path(scratch))
        rounds = [{case: _in_child(work) for case, work in cases.items()} for _ in range(options.rounds + 1)]
    # The first round writes bytecode.
    medians = {case: median(each[case][0] for each in rounds[1:]) for case in cases}
    for case, seconds in medians.items():
        own = medians[_OWN.format(f"{_MANY} DAGs" if case.startswith(f"{_MANY} ") else "a DAG")]
        _, libraries, modules = rounds[-1][case]
        good = seconds - own <= MOST_SECONDS and not libraries
        report.add(
            {
                "case": case,
                "seconds": seconds,
                "over": seconds - own,
                "libraries": len(libraries),
                "named": libraries,
                "modules": modules,
                "verdict": "ok" if good else "MISSED",
            }
        )
    report.write(options.results, goals={"seconds": MOST_SECONDS, "libraries": 0})
    return int(any(row["verdict"] == "MISSED" for row in report.rows))


def _load_airflow() -> None:
    """Load what every DAG processor has loaded, and what every DAG loads."""
    importlib.import_module("airflow.dag_processing.processor")
    sdk = importlib.import_module("airflow.sdk")
    for name in (
        "DAG",
        "BaseOperator",
        "BaseHook",
        "BaseOperatorLink",
        "BaseNotifier",
        "Connection",
        "Param",
    ):
        getattr(sdk, name)
    # As Airflow's manager does before it forks: a child does not collect what its parent allocated.
    gc.collect()
    gc.freeze()


def _cases(scratch: Path) -> dict[str, Callable[[], object]]:
    """Return what to parse, by its name in the table."""
    cases: dict[str, Callable[[], object]] = {
        _OWN.format("a DAG"): _own(scratch / "own.py", 1),
        _OWN.format(f"{_MANY} DAGs"): _own(scratch / "own_many.py", _MANY),
        "plugin and provider": _plugin,
        "all operators": _operators,
        "one backup": _backups(scratch / "one", 1),
        f"{_MANY} backups": _backups(scratch / "many", _MANY),
    }
    for path in sorted((ROOT / "dags").glob("*.py")):
        if not path.name.startswith("canvas_backups"):
            cases[f"dags/{path.name}"] = lambda path=path: runpy.run_path(str(path))  # type: ignore[misc]
    return cases


def _own(path: Path, count: int) -> Callable[[], object]:
    """Return the parse of DAGs with a form and five tasks each, as a backup has."""
    path.write_text(_DAG.format(count=count))
    return lambda: runpy.run_path(str(path))


def _plugin() -> None:
    importlib.import_module("canvas_exports.plugin")
    importlib.import_module("canvas_exports.provider").get_provider_info()


def _operators() -> None:
    info = importlib.import_module("canvas_exports.provider").get_provider_info()
    for row in info["operators"]:
        for name in row["python-modules"]:
            importlib.import_module(name)


def _backups(project: Path, count: int) -> Callable[[], object]:
    """Return the parse of a project's file of backups."""
    folder, dags = project / "include" / "backups", project / "dags"
    folder.mkdir(parents=True)
    dags.mkdir()
    shutil.copy(ROOT / "dags" / "canvas_backups.py", dags)
    text = (ROOT / "include" / "backups" / "nightly.yaml").read_text("utf-8")
    for number in range(count):
        (folder / f"nightly_{number}.yaml").write_text(
            text.replace("name: nightly", f"name: nightly_{number}", 1), "utf-8"
        )

    def parse() -> None:
        found = runpy.run_path(str(dags / "canvas_backups.py"))
        if sum(name.startswith("canvas_backup_") for name in found) != count:
            raise RuntimeError("a backup was not parsed")

    return parse


def _in_child(work: Callable[[], object]) -> tuple[float, list[str], int]:
    """Do it in a forked process; return its seconds, the libraries that it loaded, and how many of our modules."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        before = set(sys.modules)
        begun = time.process_time()
        work()
        seconds = time.process_time() - begun
        new = set(sys.modules) - before
        packages = {name.partition(".")[0] for name in new}
        libraries = sorted(packages - sys.stdlib_module_names - {"airflow", "canvas_exports"})
        ours = sum(name.startswith("canvas_exports") for name in new)
        os.write(write, json.dumps([seconds, libraries, ours]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    seconds, libraries, ours = json.loads(text)
    return seconds, libraries, ours


if __name__ == "__main__":
    sys.exit(main())
