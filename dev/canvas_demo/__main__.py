"""``python -m canvas_demo``: watch Airflow back up a Canvas of 40 courses. ``make demo`` runs it.

Each of its processes may be killed at any moment. What dies is started again; a demo that died itself goes on when it is
started again, and so does one whose night is over: nothing that a person has made in it is ever removed unasked.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from canvas_demo.terminal import INTERRUPTED, listen, own_foreground

REPOSITORY = Path(__file__).parents[2]


def main() -> int:
    """Run the demo.

    The exit status: 0 when every outcome is the expected one, or a person has ended the demo; 1 when one is not; 2 when it
    could not be run. With ``--once`` somebody waits for the outcomes, so an end before them is 130.
    """
    options = _options()
    listen()
    try:
        with own_foreground():
            from canvas_demo.run_demo import run  # noqa: PLC0415  it takes a while, and Ctrl-C is heard already

            ports = (options.port, options.canvas_port)
            return run(options.folder, ports, once=options.once, fresh=options.fresh)
    except KeyboardInterrupt:
        return INTERRUPTED if options.once else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m canvas_demo", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="end by itself; the exit status tells whether all went well"
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="begin anew, and remove what an earlier demo has left in the folder",
    )
    parser.add_argument("--port", type=int, default=8080, help="of the Airflow UI (default: 8080)")
    parser.add_argument("--canvas-port", type=int, default=8800, help="of the sandbox (default: 8800)")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / ".demo", help="everything lies there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
