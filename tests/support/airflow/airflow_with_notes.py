"""Runs DAGs in a database of their own and prints the note of each run: for the tests, in a process of its own.

The DAGs are those in ``noted/``.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from airflow.models.dagbag import DBDagBag
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from airflow.utils.sqlalchemy import prohibit_commit
from airflow.utils.state import DagRunState
from sqlalchemy import select
from sqlalchemy.orm import Session
from tests.support.airflow.dag_bag import read_dags


def run_of(session: Session, dag_id: str) -> DagRun:
    """The only run of a DAG."""
    return session.scalars(select(DagRun).where(DagRun.dag_id == dag_id)).one()


def end(dag_id: str) -> list[str | None]:
    """Let a run whose tasks have ended end as the scheduler does: under its guard against commits; state and note."""
    with create_session() as session, prohibit_commit(session) as guard:
        run = run_of(session, dag_id)
        run.state = DagRunState.RUNNING
        run.dag = DBDagBag().get_dag_for_run(run, session=session)
        run.update_state(session=session, execute_callbacks=False)
        guard.commit()
    with create_session() as session:
        run = run_of(session, dag_id)
        return [str(run.state), run.note]


def again(text: str) -> str | None:
    """What becomes of the note of the run of ``told`` that a person has written to, as the run ends once more."""
    with create_session() as session:
        run_of(session, "told").note = text
    return end("told")[1]


def main() -> None:
    """Database, DAGs, a run of each."""
    bag = read_dags(Path(__file__).with_name("noted"))
    told: dict[str, Any] = dict(bag.import_errors)
    for dag in bag.dags.values():
        dag.test(logical_date=datetime(2026, 11, 23, 2, tzinfo=timezone.utc))
        told[dag.dag_id] = end(dag.dag_id)
    told["again"] = [again("Asked Vera, she says it is fine.\n2 of 2 good"), again("y" * 990)]
    sys.stdout.write("\nNOTES " + json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
