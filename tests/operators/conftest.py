"""One sandbox for each test, and waits that a test can afford."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from tests.support.airflow.short_waits import no_long_waits  # noqa: F401 - used by each test
from tests.support.airflow.task_runner import HAS_STATE_STORE, Supervisor

from canvas_sandbox import Course, Fault, Sandbox, Switches
from canvas_sandbox.faults import LimitedFault

COURSES: dict[int, Sequence[Fault | LimitedFault]] = {
    100: (),
    101: (),
    102: (Fault.INCOMPLETE,),
    103: (Fault.DELETED,),
    104: (Fault.FORBIDDEN,),
    105: (Fault.EXPORT_FAILS,),
    106: (Fault.EMPTY,),
    107: (Fault.WRONG_COURSE,),
    108: (Fault.STUCK_EXPORTING,),
    109: (Fault.EXPORT_FAILS.times(1),),
}


@pytest.fixture(params=["airflow", "archive"])
def state_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where tasks keep their state. Airflow has a place for it from 3.3 on."""
    home: str = request.param
    if home == "airflow" and not HAS_STATE_STORE:
        pytest.skip("this Airflow keeps no state of tasks")
    monkeypatch.setattr(Supervisor, "has_state_store", home == "airflow")
    return home


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    courses = [
        Course(
            id=number,
            name=f"Biology {number}",
            course_code=f"BIO-{number}",
            sis_course_id=f"BIO/{number}",
            size=20_000,
            faults=faults,
        )
        for number, faults in COURSES.items()
    ]
    with Sandbox(courses, switches=Switches(job_workers=20, duration=0.6, throttle=False)) as sandbox:
        yield sandbox
