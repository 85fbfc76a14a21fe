"""Exactly what a killed run left goes, once it is old: nothing younger, nothing finished, nothing of anybody else's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.archives import holdings
from tests.support.archives.publishing import PACKAGE, Canvas, store_package
from tests.support.packages.build import draft

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.sweep import NAMED, sweep
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import ObjectInfo
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError

DAY = timedelta(days=1)
GRACE = 2 * DAY
OURS = "courses/101/20261123T080000Z-common_cartridge-501.imscc"


class Archive(FileStore):
    """A folder whose objects can be given an age, and whose clock can be wrong."""

    skew = timedelta(0)

    def __init__(self, root: Path) -> None:
        super().__init__(root.as_uri(), root)
        self.root = root
        self.listed = 0

    def lay(self, key: str, age: timedelta = 10 * DAY, data: bytes = b"bytes") -> str:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        moment = (datetime.now(timezone.utc) - age).timestamp()
        os.utime(path, (moment, moment))
        return key

    def files(self) -> set[str]:
        return {path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()}

    def stat(self, key: str) -> ObjectInfo | None:
        info = super().stat(key)
        return None if info is None else replace(info, modified=info.modified + self.skew)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        for info in super().list(prefix):
            self.listed += 1
            yield replace(info, modified=info.modified + self.skew)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def numbered(number: int) -> str:
    return f"courses/{number}/20261123T080000Z-common_cartridge-{number}.imscc"


class TestWhatGoes:
    def test_an_old_package_without_a_manifest(self, archive: Archive) -> None:
        archive.lay(OURS)
        swept = sweep(archive, grace=GRACE)
        assert archive.files() == set()
        assert (swept.packages, swept.bytes, swept.keys, swept.problem) == (1, 5, [OURS], None)

    def test_an_old_unfinished_upload(self, archive: Archive) -> None:
        archive.lay("courses/101/.20261123T080000Z-common_cartridge-501.imscc.0badf00d.part")
        archive.lay("runs/2026-11-23/nightly/run/.report.json.0badf00d.part")
        swept = sweep(archive, grace=GRACE)
        assert archive.files() == set()
        assert (swept.packages, swept.uploads) == (0, 2)
        assert sorted(swept.keys) == [OURS, "runs/2026-11-23/nightly/run/report.json"]

    def test_however_many_only_some_are_named(self, archive: Archive) -> None:
        for number in range(1, NAMED + 10):
            archive.lay(numbered(number))
        swept = sweep(archive, grace=GRACE)
        assert (swept.packages, len(swept.keys)) == (NAMED + 9, NAMED)


class TestWhatStays:
    @pytest.mark.parametrize(
        "key",
        [
            "courses/101/20261123T080000Z-common_cartridge-501-copy.imscc",
            "courses/101/syllabus.zip",
            "courses/101/.20261123T080000Z-common_cartridge-501.imscc.part",
            "courses/101/.syllabus.zip.0badf00d.part",
            ".0badf00d.part",
            "elsewhere/" + OURS,
        ],
    )
    def test_what_somebody_else_put_there(self, archive: Archive, key: str) -> None:
        archive.lay(key)
        assert sweep(archive, grace=GRACE).to_json()["keys"] == []
        assert archive.files() == {key}

    def test_a_package_with_its_manifest(self, archive: Archive) -> None:
        store_package(archive, Canvas(PACKAGE))
        key = draft().key
        for name in (key, manifest_key(key)):
            archive.lay(name, data=archive.read(name))
        sweep(archive, grace=GRACE)
        assert archive.files() == {key, manifest_key(key)}

    def test_a_package_whose_manifest_somebody_has_moved(self, archive: Archive) -> None:
        store_package(archive, Canvas(PACKAGE))
        key = draft().key
        moved = f"courses/{key.split('/')[1]}/kept.json"
        (archive.root / manifest_key(key)).rename(archive.root / moved)
        archive.lay(key, data=PACKAGE)
        archive.lay(f"courses/{key.split('/')[1]}/notes.json", data=b"no manifest at all")
        sweep(archive, grace=GRACE)
        assert key in archive.files()

    def test_what_another_template_named(self, archive: Archive) -> None:
        archive.lay(OURS)
        sweep(archive, grace=GRACE, template="{created}_{export_id}")
        assert archive.files() == {OURS}

    def test_everything_where_names_are_not_telling_and_nothing_is_listed_for_it(
        self, archive: Archive
    ) -> None:
        archive.lay("courses/101/7.zip")
        sweep(archive, grace=GRACE, template="{export_id}")
        assert archive.files() == {"courses/101/7.zip"}
        assert archive.listed == 0

    def test_a_package_that_somebody_takes_up_while_it_is_looked_at(self, archive: Archive) -> None:
        archive.lay(OURS)

        class Adopting(Archive):
            def stat(self, key: str) -> ObjectInfo | None:
                if key == OURS:  # between the listing and the last look, its manifest is written
                    self.lay(manifest_key(OURS), data=b"{}")
                return super().stat(key)

        assert sweep(Adopting(archive.root), grace=GRACE).packages == 0
        assert archive.files() == {OURS, manifest_key(OURS)}

    def test_a_package_that_is_stored_anew_while_it_is_looked_at(self, archive: Archive) -> None:
        archive.lay(OURS)

        class Storing(Archive):
            def stat(self, key: str) -> ObjectInfo | None:
                if key == OURS:
                    self.lay(OURS, age=timedelta(0))
                return super().stat(key)

        assert sweep(Storing(archive.root), grace=GRACE).packages == 0
        assert archive.files() == {OURS}


def test_a_manifest_that_comes_too_late_is_reported(archive: Archive) -> None:
    archive.lay(OURS)

    class Late(Archive):
        def delete(self, key: str) -> None:
            super().delete(key)
            if key == OURS:
                self.lay(manifest_key(OURS), data=b"{}")

    swept = sweep(Late(archive.root), grace=GRACE)
    assert manifest_key(OURS) in str(swept.problem)


class TestClocks:
    """Ages are measured by the store's clock: a wrong clock of the worker makes nothing old."""

    def test_a_worker_ahead_of_the_store_sweeps_nothing_young(self, archive: Archive) -> None:
        archive.skew = -30 * DAY
        archive.lay(OURS, age=DAY)
        assert sweep(archive, grace=GRACE).packages == 0
        archive.lay(OURS, age=3 * DAY)
        assert sweep(archive, grace=GRACE).packages == 1

    def test_a_worker_behind_the_store_waits_longer(self, archive: Archive) -> None:
        archive.skew = 5 * DAY
        archive.lay(OURS, age=3 * DAY)
        assert sweep(archive, grace=GRACE).packages == 0

    def test_a_store_that_does_not_tell_the_time_is_left_alone(self, archive: Archive) -> None:
        class Timeless(Archive):
            def stat(self, key: str) -> ObjectInfo | None:  # noqa: ARG002 - whatever is asked for
                return None

        archive.lay(OURS)
        assert "time" in str(sweep(Timeless(archive.root), grace=GRACE).problem)
        assert archive.files() == {OURS}


class TestTrouble:
    """It never raises: problems are reported, and what was removed counts."""

    def test_an_archive_that_forbids_deleting(self, archive: Archive) -> None:
        class Locked(Archive):
            def delete(self, key: str) -> None:
                raise ArchiveDeniedError("no right to delete", key=key)

        archive.lay(OURS)
        swept = sweep(Locked(archive.root), grace=GRACE)
        assert swept.packages == 0
        assert "no right to delete" in str(swept.problem)

    def test_without_the_right_to_see_uploads_packages_are_swept_all_the_same(self, archive: Archive) -> None:
        class Closed(Archive):
            def sweep(self, older_than: timedelta, owns: Any = None) -> Any:
                raise ArchiveDeniedError(f"no right to list uploads older than {older_than} ({owns})")

        archive.lay(OURS)
        swept = sweep(Closed(archive.root), grace=GRACE)
        assert (swept.packages, archive.files()) == (1, set())
        assert "no right to list uploads" in str(swept.problem)

    def test_an_archive_that_fails_in_the_middle(self, archive: Archive) -> None:
        class Failing(Archive):
            def delete(self, key: str) -> None:
                if key == numbered(2):
                    raise ArchiveUnavailableError("out of order", key=key)
                super().delete(key)

        for number in (1, 2):
            archive.lay(numbered(number))
        swept = sweep(Failing(archive.root), grace=GRACE)
        assert "out of order" in str(swept.problem)
        assert numbered(2) in archive.files()
        assert sweep(archive, grace=GRACE).problem is None
        assert archive.files() == set(), "a later run does the rest"

    def test_a_bad_template_is_a_mistake_of_the_backup_and_stops_nothing(self, archive: Archive) -> None:
        archive.lay(OURS)
        assert "key_template" in str(sweep(archive, grace=GRACE, template="{name}").problem)


class TestUnchanged:
    """A package whose first manifest retention has deleted, and which later manifests name."""

    def lay(self, archive: Archive, *, broken: bool = False) -> list[str]:
        first = holdings.lay(archive, holdings.manifest(export_id=501))
        marker = manifest_key(first.package.key)
        for day in (1, 2, 3):
            later = holdings.manifest(day=day, export_id=501 + day)
            holdings.lay(archive, later, names=first)
            if broken:
                archive.lay(manifest_key(later.package.key), data=b"{")
        archive.delete(marker)
        for key in archive.files():
            archive.lay(key, data=archive.read(key))
        return sorted(archive.files())

    def test_it_stays_and_the_newest_manifest_is_enough_to_know(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        laid = self.lay(archive)
        asked: list[str] = []

        def read(key: str) -> bytes:
            asked.append(key.rpartition("-")[2])
            return FileStore.read(archive, key)

        monkeypatch.setattr(archive, "read", read)
        assert sweep(archive, grace=GRACE).packages == 0
        assert sorted(archive.files()) == laid
        assert asked == ["504.json"]

    def test_it_stays_if_those_manifests_cannot_be_read(self, archive: Archive) -> None:
        laid = self.lay(archive, broken=True)
        assert sweep(archive, grace=GRACE).problem is None
        assert sorted(archive.files()) == laid


FOREIGN = ("report-{n}.zip", "20261123T080000Z-common_cartridge-{n}.imscc.old", "{n}.imscc", "{n}.json")
AGES = st.sampled_from(
    [timedelta(0), DAY, GRACE - timedelta(minutes=1), GRACE + timedelta(minutes=1), 9 * DAY]
)


@st.composite
def things(draw: st.DrawFn) -> tuple[str, timedelta, bool]:
    """A key, its age, and whether it is the name of a package."""
    course, number = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    name = draw(
        st.sampled_from(
            [
                f"20261123T080000Z-common_cartridge-{number}.imscc",
                f"20261123T080000Z-zip-{number}.zip",
                f".20261123T080000Z-zip-{number}.zip.0badf00d.part",
                f"20261123T080000Z-common_cartridge-{number}.json",
                *(pattern.format(n=number) for pattern in FOREIGN),
            ]
        )
    )
    ours = name.startswith(("20261123T", ".20261123T")) and not name.endswith((".old", ".json"))
    return f"courses/{course}/{name}", draw(AGES), ours


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(things(), max_size=25))
def test_exactly_what_is_ours_unfinished_and_old_goes(laid: list[tuple[str, timedelta, bool]]) -> None:
    with TemporaryDirectory() as folder:
        archive = Archive(Path(folder))
        latest = {key: (age, ours) for key, age, ours in laid}
        for key, (age, _) in latest.items():
            archive.lay(key, age)
        # What lies there as a manifest and cannot be read may name any package of its course.
        unclear = {
            key.rpartition("/")[0]
            for key in latest
            if key.endswith(".json") and not {key[:-4] + "imscc", key[:-4] + "zip"} & set(latest)
        }
        doomed = {
            key
            for key, (age, ours) in latest.items()
            if ours
            and age > GRACE
            and (
                key.endswith(".part")
                or (manifest_key(key) not in latest and key.rpartition("/")[0] not in unclear)
            )
        }
        swept = sweep(archive, grace=GRACE)
        assert archive.files() == set(latest) - doomed
        assert swept.packages + swept.uploads == len(doomed)
        assert swept.bytes == 5 * swept.packages
        assert sweep(archive, grace=GRACE).keys == []
