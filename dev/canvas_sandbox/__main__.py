"""``python -m canvas_sandbox``: run a sandbox in the foreground, until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from canvas_sandbox.event_log import StateError
from canvas_sandbox.scenarios import SCENARIOS


def main(arguments: list[str] | None = None) -> int:
    """Start a sandbox, print its addresses and tokens, and wait for a signal. Returns the exit status."""
    options = _parser().parse_args(arguments)
    stop = threading.Event()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    scenario = SCENARIOS[options.scenario]()
    sandbox = scenario.sandbox(
        host=options.host,
        port=options.port,
        storage_port=options.storage_port,
        storage_host=options.storage_host,
        time_scale=options.time_scale,
        seed=options.seed,
        throttle=not options.no_throttle,
        state=options.state,
    )
    try:
        sandbox.start()
    except OSError as error:
        sys.stderr.write(f"canvas_sandbox: cannot listen on {options.host}: {error}\n")
        return 1
    except StateError as error:
        sys.stderr.write(f"canvas_sandbox: {error}\n")
        return 1
    if options.print_json:
        named = {
            name: [course.label for course in courses]
            for name, courses in (("drills", scenario.drills), ("concluded", scenario.concluded))
        }
        details = {
            "url": sandbox.url,
            "storage_url": sandbox.storage_url,
            "tokens": sandbox.tokens,
            "developer_keys": [
                {
                    "client_id": str(key.id),
                    "client_secret": key.secret,
                    "refresh_token": sandbox.grant(key),
                }
                for key in scenario.developer_keys
            ],
        }
        sys.stdout.write(json.dumps({**details, **named, "expected": scenario.expected}) + "\n")
    else:
        sys.stdout.write(
            f"Canvas sandbox, scenario {options.scenario} ({len(scenario.courses)} courses)\n"
            f"  Canvas   {sandbox.url}\n  storage  {sandbox.storage_url}\n  token    {sandbox.token}\n\n"
            f'  curl -H "Authorization: Bearer {sandbox.token}" "{sandbox.url}/api/v1/accounts/1/courses"\n\n'
            "Ctrl-C stops it.\n"
        )
    sys.stdout.flush()
    stop.wait()
    sandbox.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m canvas_sandbox", description="A small, faithful Canvas LMS."
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address of the Canvas host (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, default=0, help="its port (default: a free one)")
    parser.add_argument(
        "--storage-port", type=int, default=0, help="port of the storage host (default: a free one)"
    )
    parser.add_argument(
        "--storage-host", help="name that links to files and storage bear (default: localhost)"
    )
    parser.add_argument(
        "--scenario", choices=sorted(SCENARIOS), default="campus", help="default: %(default)s"
    )
    parser.add_argument(
        "--time-scale", type=float, default=1.0, help="factor on the length of exports (default: 1.0)"
    )
    parser.add_argument("--seed", type=int, default=1, help="everything random depends on it (default: 1)")
    parser.add_argument(
        "--print-json", action="store_true", help="print URLs, tokens and expectations as one JSON line"
    )
    parser.add_argument(
        "--no-throttle", action="store_true", help="switch the rate limit off, for benchmarks"
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FOLDER",
        help="state folder, from which a later sandbox continues (default: none)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
