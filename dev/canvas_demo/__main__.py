"""``python -m canvas_demo``: watch Airflow back up a Canvas of 40 courses. ``make demo`` runs it.

Each of its processes may be killed at any moment and is restarted. A demo that was killed, interrupted or finished
continues when it is started again. Nothing in it is removed without ``--fresh``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from canvas_demo.terminal import INTERRUPTED, listen, own_foreground

REPOSITORY = Path(__file__).parents[2]


def main() -> int:
    """Run the demo and return the exit status.

    0: every outcome is as expected, or a person has ended the demo. 1: an outcome is not. 2: the demo could not run. 130:
    it was ended before the outcomes, with ``--once``.
    """
    options = _options()
    listen()
    try:
        with own_foreground():
            from canvas_demo.run_demo import run  # noqa: PLC0415  it takes a while, and Ctrl-C is handled already

            ports = (options.port, options.canvas_port)
            return run(options.folder, ports, once=options.once, fresh=options.fresh)
    except KeyboardInterrupt:
        return INTERRUPTED if options.once else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m canvas_demo", description=__doc__)
    parser.add_argument(
        "--once",
        action="store_true",
        help="end after the run; the exit status says whether all outcomes are as expected",
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="remove the earlier demo of the folder, and start a new one",
    )
    parser.add_argument("--port", type=int, default=8080, help="of the Airflow UI (default: 8080)")
    parser.add_argument("--canvas-port", type=int, default=8800, help="of the sandbox (default: 8800)")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / ".demo", help="folder of all data")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
