"""A sandbox with large courses, in a process of its own: ``python -m benchmarks.sandbox_server COUNT BYTES``.

Packages are virtual: their bytes are read from a pool of one MiB, so that serving them costs next to nothing.
"""

from __future__ import annotations

import json
import sys

from canvas_sandbox import Course, Sandbox, Switches

FIRST = 101


def main(count: int, size: int) -> None:
    """Print address, token and course numbers as one line of JSON, and serve until the standard input ends."""
    numbers = range(FIRST, FIRST + count)
    courses = [Course(id=number, size=size, duration=0.1) for number in numbers]
    with Sandbox(courses, switches=Switches(throttle=False, job_workers=count)) as sandbox:
        document = {"url": sandbox.url, "token": sandbox.token, "courses": list(numbers)}
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
