"""Canvas fails in every way it knows, in several nights at once; each ends as if it had not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from tests.survival.support.cluster import DAG_ID, LONGEST, OpenScene, Scene, eventually

from canvas_sandbox import Course, Effect, Fault, LimitedFault, RequestFault, Switches

pytestmark = pytest.mark.survival

COUNT = 5
QUICK = Switches(duration=0.3, job_workers=10)
CREATE = r"/courses/\d+/content_exports$"
PROGRESS = r"/progress/\d+$"
SHOW = r"/content_exports/\d+$"
REDIRECT = r"/files/\d+/download$"
STORAGE = r"^/canvas-sandbox/"


def courses(*faults: Fault | LimitedFault, size: int = 60_000) -> list[Course]:
    return [Course(id=100 + number, size=size, faults=faults) for number in range(1, COUNT + 1)]


def nothing(_: Scene) -> None:
    """The trouble is in the courses, or in the switches."""


@dataclass
class Night:
    """One night, and what goes wrong in it.

    Attributes:
        courses: what Canvas holds.
        switches: how Canvas behaves.
        requests: which requests fail, from the start.
        meanwhile: trouble made while it runs, in a thread of its own.
        expected: outcomes other than ``stored``.
        more_exports: of courses that Canvas had to be asked for again.
        fail_on: when the run fails.
    """

    courses: Callable[[], list[Course]] = courses
    switches: Switches = QUICK
    requests: Callable[[], list[RequestFault]] = list
    meanwhile: Callable[[Scene], None] = nothing
    expected: Mapping[str, str] = field(default_factory=dict)
    more_exports: Mapping[str, int] = field(default_factory=dict)
    fail_on: str = "any"


def bursts(effect: Effect) -> list[RequestFault]:
    """Three in a row, then a few that pass, three times."""
    return [RequestFault(effect, path="/api/v1/", skip=skip, times=3) for skip in (1, 4, 7)]


def every_stage(effect: Effect) -> list[RequestFault]:
    """Once at each step of an export, for different exports."""
    return [
        RequestFault(effect, method="GET" if path != CREATE else "POST", path=path, skip=number, times=2)
        for number, path in enumerate((CREATE, PROGRESS, SHOW, REDIRECT, STORAGE))
    ]


def finished(scene: Scene) -> list[int]:
    return [export.id for export in scene.sandbox.exports if export.state == "exported"]


def maintenance(scene: Scene, seconds: float) -> None:
    """A page instead of every answer, but from storage, which is another house."""
    page = RequestFault(Effect.MAINTENANCE, path="^(?!/canvas-sandbox/)", times=None)
    scene.sandbox.inject(page)
    time.sleep(seconds)
    page.times = 0


def maintenance_at_night(scene: Scene) -> None:
    """Two minutes of it while Canvas works on the exports."""
    eventually(lambda: len(scene.sandbox.exports) == COUNT, "all exports")
    maintenance(scene, 120.0)


def maintenance_at_first(scene: Scene) -> None:
    """From the first request on. The client rides out 8 s of it; the rest is Airflow's retries.

    Those of a real backup come after a minute each, so four attempts outlast two minutes. Here they come after two
    seconds, so it is shorter in proportion.
    """
    maintenance(scene, 30.0)


def revoked(scene: Scene) -> None:
    """Revoked while exports run; a person enters a new token and clears the tasks."""
    eventually(lambda: len(scene.sandbox.exports) == COUNT, "all exports")
    scene.sandbox.revoke(scene.sandbox.token)
    assert scene.cluster.wait_for_end(DAG_ID, scene.run_id, LONGEST) == "failed"
    name = f"canvas_{scene.name}"
    token = scene.sandbox.issue_token(scene.sandbox.token)
    repaired = {"connection_id": name, "conn_type": "canvas", "host": scene.canvas.url, "password": token}
    scene.cluster.api("PATCH", f"/connections/{name}", repaired)
    scene.cluster.clear(DAG_ID, scene.run_id, "export", "report")


def deleted(scene: Scene) -> None:
    """A person deletes one export as soon as it has finished, and all there are while the first is fetched."""
    hold = scene.canvas.hold("GET", r"/files/\d+/download")
    scene.sandbox.delete_export(eventually(lambda: finished(scene), "a finished export")[0])
    hold.wait()
    for export_id in finished(scene):
        scene.sandbox.delete_export(export_id)
    hold.release()


def reset(scene: Scene) -> None:
    """A teacher resets a course while its export runs: its id is gone, an empty course has its SIS id."""
    eventually(lambda: len(scene.sandbox.exports) == COUNT, "all exports")
    scene.sandbox.reset_course(101)


NIGHTS = {
    "bursts_of_500": Night(requests=lambda: bursts(Effect.SERVER_ERROR)),
    "throttled_with_429": Night(requests=lambda: bursts(Effect.THROTTLED)),
    "throttled_with_403": Night(
        switches=Switches(duration=0.3, job_workers=10, throttle_status=403),
        requests=lambda: bursts(Effect.THROTTLED),
    ),
    "resets_before_every_stage": Night(requests=lambda: every_stage(Effect.REFUSED)),
    "resets_after_every_stage": Night(requests=lambda: every_stage(Effect.LOST_ANSWER)),
    "resets_in_every_body": Night(requests=lambda: every_stage(Effect.CUT)),
    "slow_drip": Night(
        courses=lambda: courses(Fault.SLOW.times(1), size=200_000),
        switches=Switches(duration=0.3, job_workers=10, slow_rate=20_000.0),
    ),
    "lost_answers": Night(courses=lambda: courses(Fault.LOST_ANSWER.times(1))),
    "token_revoked": Night(switches=Switches(duration=20, job_workers=10), meanwhile=revoked),
    "maintenance_at_night": Night(
        switches=Switches(duration=15, job_workers=10), meanwhile=maintenance_at_night
    ),
    "maintenance_at_first": Night(meanwhile=maintenance_at_first),
    "clock_five_minutes_ahead": Night(
        courses=lambda: courses(Fault.LOST_ANSWER.times(1)),
        switches=Switches(duration=0.3, job_workers=10, clock_ahead=300),
    ),
    "clock_five_minutes_behind": Night(
        courses=lambda: courses(Fault.LOST_ANSWER.times(1)),
        switches=Switches(duration=0.3, job_workers=10, clock_ahead=-300),
    ),
    "fails_once": Night(courses=lambda: courses(Fault.EXPORT_FAILS.times(1))),
    "export_deleted": Night(
        meanwhile=deleted,
        more_exports={f"course:{100 + number}": 2 for number in range(1, COUNT + 1)},
    ),
    "course_reset": Night(
        switches=Switches(duration=15, job_workers=10),
        meanwhile=reset,
        expected={"course:101": "gone"},
        fail_on="never",
    ),
}


@dataclass(frozen=True)
class Running:
    """A night under way, and the thread that disturbs it."""

    scene: Scene
    disturbed: Future[None]


@pytest.fixture(scope="module")
def running(open_scene: OpenScene) -> Iterator[dict[str, Running]]:
    """All of them, at once: none disturbs another."""
    with ThreadPoolExecutor(len(NIGHTS)) as pool:
        nights = {}
        for name, night in NIGHTS.items():
            scene = open_scene(name, night.courses(), night.switches)
            for fault in night.requests():
                scene.sandbox.inject(fault)
            scene.start(fail_on=night.fail_on)
            nights[name] = Running(scene, pool.submit(night.meanwhile, scene))
        yield nights


@pytest.mark.parametrize("name", NIGHTS)
def test_whatever_canvas_does_nothing_is_lost_or_doubled(running: dict[str, Running], name: str) -> None:
    scene, night = running[name].scene, NIGHTS[name]
    running[name].disturbed.result()
    scene.end()
    scene.check(
        {**{course.label: "stored" for course in scene.courses}, **night.expected},
        more_exports=night.more_exports,
    )
    for course in scene.courses:
        left = [
            fault
            for fault in course.faults
            if isinstance(fault, LimitedFault) and fault.fault in course.active_faults
        ]
        assert left == [], "every trouble has come"
