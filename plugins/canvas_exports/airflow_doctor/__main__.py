"""Print the facts of this Airflow as one line of JSON, after ``PREFIX``."""

from __future__ import annotations

import json
import os
import sys

#: Airflow's configuration of logs may print other lines.
PREFIX = "canvas-archive doctor: "


def main() -> int:
    """Gather the facts and print them; return 0."""
    # As `airflow connections test` does: connections and Variables in the database are found, too.
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    from canvas_exports.airflow_doctor.airflow_facts import gather  # noqa: PLC0415 - Airflow reads the line above

    sys.stdout.write(f"{PREFIX}{json.dumps([fact.to_json() for fact in gather()])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
