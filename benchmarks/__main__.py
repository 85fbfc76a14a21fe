"""``python -m benchmarks`` runs every benchmark, or the ones that are named, one after the other."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

_HELPERS = {"__init__", "__main__", "report", "servers"}


def names() -> list[str]:
    """The benchmarks: modules of this folder that have a ``main`` and are not started by another one."""
    here = Path(__file__).parent
    found = sorted(path.stem for path in here.glob("*.py") if path.stem not in _HELPERS)
    return [name for name in found if "def main(arguments" in (here / f"{name}.py").read_text()]


def main() -> int:
    """Run them. 1 if a benchmark missed a goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").strip())
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names())}; all if none")
    chosen = parser.parse_args().names or names()
    if unknown := sorted(set(chosen) - set(names())):
        parser.error(f"unknown benchmark {', '.join(unknown)}; there are {', '.join(names())}")
    missed = []
    for name in chosen:
        sys.stdout.write(f"\n== {name}\n\n")
        sys.stdout.flush()
        if importlib.import_module(f"benchmarks.{name}").main([]):
            missed.append(name)
    if missed:
        sys.stdout.write(f"\nA goal was missed in: {', '.join(missed)}\n")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
