"""The progress of a run in the terminal, from the checkpoints in Airflow's task state store."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TextIO

from canvas_demo.airflow.airflow_stack import AirflowStack

_EVERY = 2.0  # seconds between two polls
_LINE_EVERY = 10.0  # seconds between two lines without a terminal
_STATES = ("planned", "intended", "requested", "ready", "done")
_WORDS = {"planned": "to do", "requested": "Canvas is building", "ready": "moving", "done": "finished"}
_WIDTH = 40


def follow(airflow: AirflowStack, dag_id: str, run_id: str, total: int, *, out: TextIO = sys.stdout) -> str:
    """Show the progress of a run until it has ended, and return its state."""
    started = time.monotonic()
    live = out.isatty()
    last_line = float("-inf")
    while True:
        airflow.programs.check()
        state = airflow.run_state(dag_id, run_id)
        line = f"{time.monotonic() - started:5.0f} s  {_bar(_count(airflow, dag_id, run_id), total)}"
        if live:
            out.write(f"\r\x1b[K{line}")
        elif time.monotonic() - last_line >= _LINE_EVERY or state in ("success", "failed"):
            last_line = time.monotonic()
            out.write(line + "\n")
        out.flush()
        if state in ("success", "failed"):
            out.write("\n" if live else "")
            return state
        time.sleep(_EVERY)


def _count(airflow: AirflowStack, dag_id: str, run_id: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for instance in airflow.task_instances(dag_id, run_id):
        if instance["task_id"] != "export":
            continue
        checkpoint = airflow.state_store(dag_id, run_id, "export", instance["map_index"], "canvas_exports")
        for item in (checkpoint or {}).get("items", ()):
            state = item.get("state", "planned")
            counts["requested" if state == "intended" else state] += 1
    return counts


def _bar(counts: Counter[str], total: int) -> str:
    done = counts["done"]
    filled = _WIDTH * done // max(total, 1)
    running = _WIDTH * (counts["requested"] + counts["ready"]) // max(total, 1)
    bar = "#" * filled + "-" * running + "." * (_WIDTH - filled - running)
    counts["planned"] = total - sum(counts[state] for state in _STATES if state != "planned")
    words = ", ".join(f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state])
    return f"[{bar}] {words}"
