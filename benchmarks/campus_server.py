"""The Canvas of a night, in a process of its own: ``python -m benchmarks.campus_server CAMPUS`` (JSON of a ``Campus``).

Requests cost what they cost a Canvas that is not idle: a tenth of a unit, and more to make an export or to list a page of
courses. ``SECOND`` is what the second client asks for, at one unit each, so that it uses up half of what leaks out of the
token's bucket.
"""

from __future__ import annotations

import json
import sys

from benchmarks.campus import Campus
from canvas_sandbox import Course, Sandbox, Switches

SECOND = "/api/v1/accounts"
SECOND_PER_SECOND = 5.0  # of the 10 units that leak out
COSTS = {
    rf"^GET {SECOND}$": 1.0,
    r"^GET /api/v1/accounts/\w+/courses": 1.0,
    r"^POST /api/v1/courses/\d+/content_exports$": 0.2,
}


def main(campus: Campus) -> None:
    """Print address and token as one line of JSON, and serve until the standard input ends."""
    courses = [
        Course(id=number, name=f"Course {number}", size=campus.size, duration=seconds)
        for number, seconds in campus.durations().items()
    ]
    switches = Switches(
        job_workers=campus.workers, latency=campus.latency, request_cost=0.1, request_costs=COSTS
    )
    with Sandbox(courses, switches=switches) as sandbox:
        sys.stdout.write(json.dumps({"url": sandbox.url, "token": sandbox.token}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(Campus(**json.loads(sys.argv[1])))
