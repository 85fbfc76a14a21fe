"""Both workers are killed, at the moments that matter; what they did is taken up by those that come after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from tests.survival.support.canvas_proxy import Gate, Hold
from tests.survival.support.cluster import OpenScene, Scene, eventually

from canvas_cluster.cluster import Cluster
from canvas_sandbox import Course

pytestmark = pytest.mark.survival

COUNT = 6
BIG = 20 * 1024 * 1024  # several parts of an upload
POST = r"/courses/{}/content_exports$"


@dataclass(frozen=True)
class Moment:
    """Where a request stands when the worker that sent it is killed."""

    storage: bool
    verb: str
    target: str
    answered: bool = False
    conf: Mapping[str, int] | None = None

    def hold(self, scene: Scene) -> Hold:
        gate: Gate = scene.storage if self.storage else scene.canvas
        return gate.hold(self.verb, self.target, answered=self.answered)


MOMENTS = {
    "before_a_post": Moment(storage=False, verb="POST", target=POST.format(101)),
    "between_a_post_and_its_answer": Moment(
        storage=False, verb="POST", target=POST.format(102), answered=True
    ),
    "after_a_post": Moment(storage=False, verb="POST", target=POST.format(104)),
    "in_mid_download": Moment(storage=True, verb="PUT", target=r"/courses/103/.*partNumber=2"),
    "between_package_and_manifest": Moment(storage=True, verb="PUT", target=r"/courses/102/.*\.json"),
    "with_its_state_in_the_archive": Moment(
        storage=False, verb="POST", target=POST.format(103), answered=True, conf={"state_in_archive": True}
    ),
    "while_refilling": Moment(
        storage=False, verb="POST", target=POST.format(105), answered=True, conf={"max_in_flight": 2}
    ),
}


def courses() -> list[Course]:
    return [Course(id=100 + number, size=BIG if number == 3 else 20_000) for number in range(1, COUNT + 1)]


@pytest.fixture(scope="module")
def killed(cluster: Cluster, open_scene: OpenScene) -> dict[str, Scene]:
    """A run for each moment; once every one stands where it should, the workers are killed and new ones started."""
    scenes = {name: open_scene(name, courses()) for name in MOMENTS}
    holds = {}
    for name, scene in scenes.items():
        holds[name] = MOMENTS[name].hold(scene)
        scene.start(**(MOMENTS[name].conf or {}))
    frozen: dict[str, str] = {}

    def all_stand() -> bool:
        for name in holds.keys() - frozen.keys():
            if holds[name].is_reached:
                frozen[name] = scenes[name].freeze_task()
        return len(frozen) == len(holds)

    eventually(all_stand, "every run at its moment")
    for worker in set(frozen.values()):
        cluster.kill(worker)
    assert scenes["in_mid_download"].place.leftovers(), "the upload was under way"
    for hold in holds.values():
        hold.release()
    cluster.restore()
    return scenes


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_killed_at_any_moment_neither_loses_nor_doubles(
    killed: dict[str, Scene], moment: str
) -> None:
    scene = killed[moment]
    scene.end()
    scene.check()
    assert [row["try_number"] > 1 for row in scene.exports()] == [True], "the batch was begun again"


def test_an_upload_that_died_with_its_worker_was_never_visible(killed: dict[str, Scene]) -> None:
    scene = killed["in_mid_download"]
    scene.end()
    packages = [key for key in scene.place.objects() if key.startswith("courses/103/")]
    assert sorted(key.rpartition(".")[2] for key in packages) == ["imscc", "json"]


def test_a_package_without_its_manifest_is_not_fetched_again(killed: dict[str, Scene]) -> None:
    scene = killed["between_package_and_manifest"]
    scene.end()
    (export,) = [export for export in scene.sandbox.exports if export.context == "course:102"]
    fetched = [request.path for request in scene.sandbox.requests if request.listener == "storage"]
    assert len([path for path in fetched if f"/attachments/{export.attachment}/" in path]) == 1
