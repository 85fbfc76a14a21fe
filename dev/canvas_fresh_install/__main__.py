"""``python -m canvas_fresh_install``: from an Airflow of some day to a first night."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from canvas_fresh_install.environments import build_wheel, install_here, install_released
from canvas_fresh_install.first_night import FirstNightError, run_first_night


def main() -> int:
    """Install the wheel and run a first night; return 0 if every step did what the documentation says."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="canvas-fresh-install-") as name:
        folder = Path(name)
        wheel = build_wheel(folder / "wheel")
        if options.airflow:
            _print_line(f"Installing {wheel.name} and Airflow {options.airflow} as of {options.before}")
            installed = install_released(
                folder / "environment",
                wheel,
                airflow=options.airflow,
                before=options.before,
                python=options.python,
            )
        else:
            _print_line(f"Installing {wheel.name} beside the packages of this environment")
            installed = install_here(folder / "environment", wheel)
        project = folder / "project"
        try:
            run_first_night(installed, project, _print_line)
        except FirstNightError as error:
            _print_line(str(error))
            return 1
    _print_line("Every course has a proven copy.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="canvas_fresh_install", description=__doc__)
    parser.add_argument(
        "--airflow", metavar="VERSION", help="this Airflow; by default, that of this environment"
    )
    parser.add_argument("--before", metavar="DAY", help="with --airflow: packages as they were on this day")
    parser.add_argument(
        "--python",
        metavar="PYTHON",
        default=sys.executable,
        help="with --airflow: version or path of a Python (this one)",
    )
    return parser


def _print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
