"""Several processes and tools share one bucket, and know of each other only what Canvas reports."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from tests.support.canvas.shared_rate_limit import Foreigner, Process, Simulation

from canvas_exports.core.canvas.http.rate_limiter import RateLimits
from canvas_sandbox import Sandbox, Switches

TWO_MINUTES = 120
COSTS = [(0.05, 0.01), (0.05, 0.05), (0.05, 0.5), (1.0, 0.1), (5.0, 0.2)]
"""What a request costs, and seconds that Canvas works on it."""

HALVES = {
    "six requests always under way": {"at_once": 6, "cost": 0.05, "work": 0.5},
    "the same, short ones": {"at_once": 6, "cost": 0.05, "work": 0.05},
    "half of what leaks": {"at_once": 1, "cost": 2.5, "work": 0.5},
    "six at once, every two seconds": {"at_once": 6, "cost": 1.0, "work": 0.3, "every": 2.0},
    "five costly ones, every twenty": {"at_once": 5, "cost": 20.0, "work": 0.3, "every": 20.0},
}


@pytest.mark.parametrize(("cost", "work"), COSTS)
@pytest.mark.parametrize("half", HALVES)
def test_a_tool_that_takes_half_of_the_bucket_never_has_us_refused(
    half: str, cost: float, work: float
) -> None:
    simulation = Simulation(seed=7)
    Foreigner(simulation, **HALVES[half])  # type: ignore[arg-type] # ints are floats
    ours = Process(simulation, cost=cost, work=work)
    simulation.run(TWO_MINUTES)
    assert ours.refused == 0
    assert ours.answered > 50  # and it was not for want of asking


@pytest.mark.parametrize(("cost", "work"), COSTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_four_processes_share_evenly_and_are_hardly_ever_refused(cost: float, work: float, seed: int) -> None:
    simulation = Simulation(seed)
    ours = [Process(simulation, cost=cost, work=work) for _ in range(4)]
    simulation.run(TWO_MINUTES)
    answered = [process.answered for process in ours]
    fair = sum(answered) / 4
    assert fair / 2 <= min(answered)
    assert max(answered) <= 2 * fair
    assert sum(process.refused for process in ours) <= sum(answered) / 1000


def test_one_that_comes_late_gets_its_share_from_one_that_had_it_all() -> None:
    simulation = Simulation(seed=3)
    first = Process(simulation)
    simulation.run(60)
    alone = first.answered
    second = Process(simulation)
    simulation.run(60)
    assert first.refused == second.refused == 0
    assert second.answered > (first.answered - alone) / 2


def test_what_the_others_leave_is_taken_up_again_once_they_are_gone() -> None:
    simulation = Simulation(seed=4)
    process = Process(simulation)
    simulation.run(60)
    alone = process.answered
    crowd = [Process(simulation) for _ in range(3)]
    simulation.run(60)
    among = process.answered - alone
    for other in crowd:
        other.leave()
    simulation.run(60)
    assert process.answered - alone - among > 1.5 * among
    assert process.answered - alone - among > 0.9 * alone


def test_costly_requests_use_all_that_leaks_and_no_more() -> None:
    simulation = Simulation(seed=5)
    process = Process(simulation, cost=5.0)
    simulation.run(TWO_MINUTES)
    leaked = 10.0 * TWO_MINUTES
    assert process.refused == 0
    assert 0.95 * leaked <= 5.0 * process.answered <= leaked + 600


def test_the_largest_window_that_can_be_set_is_still_polite_to_another_like_it() -> None:
    simulation = Simulation(seed=6)
    ours = [Process(simulation, work=0.5, limits=RateLimits(max_in_flight=10)) for _ in range(2)]
    simulation.run(TWO_MINUTES)
    assert sum(process.refused for process in ours) == 0


@contextmanager
def pollers(canvas: Sandbox, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that ask as fast as they may, all beginning at the same moment."""
    command = [sys.executable, "-m", "tests.support.canvas.poller", canvas.url, canvas.token]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for _ in range(count)
        ]
        for process in started:
            stack.callback(process.kill)
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        yield started


def test_four_real_processes_share_one_bucket_evenly_without_a_storm_of_refusals() -> None:
    enough = 1_500
    with Sandbox(switches=Switches(latency=0.03)) as canvas, pollers(canvas, 4) as processes:
        while len(canvas.requests) < enough:
            assert all(process.poll() is None for process in processes)
            time.sleep(0.1)
        answered = [int(process.communicate()[0]) for process in processes]
        statuses = Counter(record.status for record in canvas.requests)
    fair = sum(answered) / 4
    assert fair / 2 <= min(answered)
    assert max(answered) <= 2 * fair
    assert statuses[429] <= enough / 100
    assert set(statuses) <= {200, 429}
