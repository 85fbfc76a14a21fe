"""The archive fails in every way it knows, in several nights at once; each ends as if it had not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.store_servers.s3 import HANG_UP
from tests.support.store_servers.stores import FolderPlace, MiB
from tests.survival.support.canvas_proxy import Trouble, When
from tests.survival.support.cluster import LONGEST, OpenScene, Scene, eventually

from canvas_exports.core.storage.open_store import open_store
from canvas_sandbox import Course

pytestmark = pytest.mark.survival

BIG = 20 * MiB  # several parts of an upload
EXPIRED = 400  # what S3 answers to keys that were good once
PACKAGE = r"/courses/.*\.imscc(\?|$)"
UPLOAD = r"/courses/.*[?&]upload"  # of a package in parts; what is written to see whether one can write is stored so, too


def courses() -> list[Course]:
    """One package that is sent in parts, and three that are sent at once."""
    return [Course(id=100 + number, size=BIG if number == 1 else 60_000) for number in range(1, 5)]


def nothing(_: Scene, __: list[Trouble]) -> None:
    """Nobody has to do anything."""


def renewed(scene: Scene, troubles: list[Trouble]) -> None:
    """The keys are renewed in Airflow's connection once they have failed for a while."""
    eventually(lambda: scene.exports()[0]["try_number"] > 1, "the first attempt to end", LONGEST)
    scene.enter_archive(again=True)
    for trouble in troubles:
        trouble.times = 0


@dataclass(frozen=True)
class Night:
    """One night: which requests to the archive fail, and what a person does about it."""

    troubles: tuple[Trouble, ...]
    meanwhile: Callable[[Scene, list[Trouble]], None] = nothing


NIGHTS = {
    "slow_down": Night(
        (
            Trouble("PUT", PACKAGE, 503, times=9),
            Trouble("PUT", r"\.json", 503, times=5),
            Trouble("POST", UPLOAD + "s", 503, times=2),
            Trouble("HEAD", "", 503, times=4),
            Trouble("GET", "", 503, times=2),
        )
    ),
    "reset_in_mid_part": Night((Trouble("PUT", r"/courses/.*partNumber=2", when=When.MIDWAY, times=9),)),
    "reset_in_the_middle_of_a_package": Night((Trouble("PUT", PACKAGE + "$", when=When.MIDWAY, times=9),)),
    "completed_but_answered_with_500": Night((Trouble("POST", UPLOAD + "Id", 500, When.AFTER),)),
    "completed_and_not_answered": Night((Trouble("POST", UPLOAD + "Id", HANG_UP, When.AFTER),)),
    "stored_but_answered_with_500": Night(
        (Trouble("PUT", r"/courses/.*\.imscc$", 500, When.AFTER, times=3),)
    ),
    "stored_and_not_answered": Night(
        (Trouble("PUT", r"/courses/.*\.(imscc|json)$", HANG_UP, When.AFTER, times=6),)
    ),
    "probe_stored_and_not_answered": Night(
        (
            Trouble("PUT", r"/\.canvas-exports-probe", HANG_UP, When.AFTER, times=4),
            Trouble("POST", r"/\.canvas-exports-probe.*uploadId", HANG_UP, When.AFTER),
        )
    ),
    "keys_expired_in_mid_upload": Night(
        (Trouble("PUT", r"/courses/.*partNumber=[23]", EXPIRED, times=10**9),), meanwhile=renewed
    ),
}


@dataclass(frozen=True)
class Running:
    """A night under way, its troubles, and the thread in which a person acts."""

    scene: Scene
    troubles: list[Trouble]
    acted: Future[None]


@pytest.fixture(scope="module")
def running(open_scene: OpenScene) -> Iterator[dict[str, Running]]:
    """All of them, at once: none disturbs another."""
    with ThreadPoolExecutor(len(NIGHTS)) as pool:
        nights = {}
        for name, night in NIGHTS.items():
            scene = open_scene(name, courses())
            troubles = list(night.troubles)
            scene.storage.trouble(*troubles)
            scene.start()
            nights[name] = Running(scene, troubles, pool.submit(night.meanwhile, scene, troubles))
        yield nights


@pytest.mark.parametrize("name", NIGHTS)
def test_whatever_storage_does_nothing_is_lost_or_doubled(running: dict[str, Running], name: str) -> None:
    night = running[name]
    night.acted.result()
    night.scene.end()
    night.scene.check()
    assert all(trouble.met >= min(trouble.times, 1) for trouble in night.troubles), "every trouble has come"


def test_an_upload_that_was_completed_is_not_fetched_again(running: dict[str, Running]) -> None:
    """Its answer was lost, so the package is looked for, and read back instead of asked of Canvas."""
    for name in ("completed_but_answered_with_500", "completed_and_not_answered"):
        scene = running[name].scene
        scene.end()
        (export,) = [export for export in scene.sandbox.exports if export.context == "course:101"]
        paths = [request.path for request in scene.sandbox.requests if request.listener == "storage"]
        (file,) = [
            file for file in scene.sandbox.world.exports.attachments.values() if file.export.id == export.id
        ]
        assert len([path for path in paths if f"/{file.id}/" in path]) == 1


class SmallDisk:
    """A file system of 24 MiB, until somebody makes room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def mount(self) -> str:
        """Why it cannot be made, or nothing."""
        return self._run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs")

    def make_room(self) -> None:
        assert self._run("mount", "-o", "remount,size=256m") == ""

    def unmount(self) -> None:
        assert self._run("umount", "--lazy") == ""

    def _run(self, program: str, *options: str) -> str:
        path = shutil.which(program)
        if path is None:
            return f"no program {program}"
        ran = subprocess.run([path, *options, self.folder], capture_output=True, text=True, check=False)
        return ran.stderr.strip()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root on Linux can make a small file system")
    disk = SmallDisk(tmp_path / "disk")
    if why := disk.mount():
        pytest.skip(f"no small file system can be made here: {why}")
    yield disk
    disk.unmount()


def test_a_full_disk_is_waited_for_and_holds_nothing_half(
    open_scene: OpenScene, small_disk: SmallDisk
) -> None:
    """Of three packages one fits; then somebody makes room."""
    scene = open_scene("disk_full", [Course(id=100 + number, size=BIG) for number in range(3)])
    root = small_disk.folder / "canvas"
    root.mkdir()
    with open_store(root.as_uri()) as store:
        scene.place = FolderPlace(store, BIG, True, root)
        scene.start(archive=root.as_uri(), archive_conn_id=None)
        eventually(lambda: scene.exports()[0]["try_number"] > 1, "the first attempt to end")
        whole = [key for key in scene.place.objects() if key.endswith(".imscc")]
        assert [len(store.read(key)) > BIG // 2 for key in whole] == [True] * len(whole)
        assert len(whole) < len(scene.courses)
        small_disk.make_room()
        scene.end()
        scene.check()
