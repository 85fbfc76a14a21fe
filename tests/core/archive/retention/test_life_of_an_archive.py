"""The life of an archive: backups, kills, rot, verifications, retention and sweeps in any order."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.support.archives.publishing import Canvas, store_package
from tests.support.packages.build import COURSE, PAGE, cartridge, draft

from canvas_exports.core.archive.catalog.copies import Copy, newest
from canvas_exports.core.archive.catalog.newest_copy import newest_copy
from canvas_exports.core.archive.catalog.read import Holding, copies_of
from canvas_exports.core.archive.manifest import ManifestDraft
from canvas_exports.core.archive.retention.apply import apply_plan
from canvas_exports.core.archive.retention.plan import make_plan
from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.archive.sweep import sweep
from canvas_exports.core.archive.verification.verify_archive import VerificationBudget, verify_archive
from canvas_exports.core.export.baseline import newest_proven
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.storage.local import FileStore

BEGAN = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=400)
AT_ONCE = timedelta(seconds=-5)


class Killed(BaseException):
    """The process is gone."""


class Mortal(FileStore):
    """A folder whose user dies before the change that is chosen."""

    changes_left: int | None = None

    def _one_more(self) -> None:
        if self.changes_left is not None:
            if self.changes_left == 0:
                raise Killed
            self.changes_left -= 1

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self._one_more()
        return super().put_if_absent(key, data)

    def delete(self, key: str) -> None:
        self._one_more()
        super().delete(key)


class Life:
    """One course in one archive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Mortal(folder.as_uri(), folder)
        self.nights = 0

    @property
    def holding(self) -> Holding:
        return copies_of(self.store, "course", COURSE)

    def night(self, content: int, whole: bool, dies_after: int | None) -> None:
        """A backup that may be killed, and is then retried."""
        self.nights += 1
        tonight = self._draft()
        data = cartridge(
            {PAGE: b"p" * content},
            day=f"2026-11-{self.nights % 28 + 1:02}",
            missing=() if whole else ("lost.pdf",),
        )
        self.store.changes_left = dies_after
        with suppress(Killed):
            self._publish(tonight, data)
        self.store.changes_left = None
        self._publish(tonight, data)
        last = newest(self.holding.copies)
        assert last is not None
        assert (last.export.id, last.is_present, last.is_proven) == (tonight.export.id, True, whole)

    def night_that_never_ends(self, content: int) -> None:
        """A package without a manifest is left."""
        self.nights += 1
        self.store.changes_left = 0
        with suppress(Killed):
            self._publish(self._draft(), cartridge({PAGE: b"p" * content}))
        self.store.changes_left = None

    def decay(self, which: int, gone: bool) -> None:
        packages = sorted(self.folder.rglob("*.imscc"))
        if packages:
            path = packages[which % len(packages)]
            if gone:
                path.unlink()
            else:
                data = path.read_bytes()
                path.write_bytes(bytes([*data[:40], data[40] ^ 1, *data[41:]]))

    def verified(self, level: ProofLevel) -> None:
        found = verify_archive(
            self.store, level=level, budget=VerificationBudget(), run=RunFacts("canvas_exports 1")
        )
        assert found.left == 0
        by_package = {record.key: record.outcome for record in found.rows}
        for copy in self.holding.copies:
            if by_package[copy.package.key] != "intact":
                assert copy.is_damaged

    def forgotten(self, last: int, proven: int, dies_after: int | None) -> None:
        before = self.holding.copies
        plan = make_plan(self.store, Policy(last=last, proven=proven), now=datetime.now(timezone.utc))
        self.store.changes_left = dies_after
        with suppress(Killed):
            apply_plan(self.store, plan)
        self.store.changes_left = None
        self._nothing_good_is_lost(before)

    def swept(self) -> None:
        before = self.holding.copies
        assert sweep(self.store, grace=AT_ONCE).problem is None
        after = self.holding.copies
        assert [copy.key for copy in after] == [copy.key for copy in before]
        self._nothing_good_is_lost(before)
        named = {copy.package.key for copy in after}
        for path in self.folder.rglob("*.imscc"):
            assert path.relative_to(self.folder).as_posix() in named

    def both_readers_agree(self) -> None:
        last = newest(self.holding.copies)
        found = newest_copy(self.store, "course", COURSE, lambda _: True)
        assert (found and found[0]) == last

    def nothing_is_unreadable(self) -> None:
        assert self.holding.unreadable == ()

    def _nothing_good_is_lost(self, before: tuple[Copy, ...]) -> None:
        after = {copy.key: copy for copy in self.holding.copies}
        for copy in before:
            if copy.key in after:
                assert after[copy.key].is_present == copy.is_present
        best = newest(copy for copy in before if copy.is_proven)
        if best is not None:
            assert after[best.key] == best

    def _publish(self, tonight: ManifestDraft, data: bytes) -> None:
        baseline = newest_proven(self.store, tonight, ProofLevel.DIRECTORY)
        store_package(self.store, Canvas(data), draft=tonight, baseline=baseline)

    def _draft(self) -> ManifestDraft:
        created = BEGAN + timedelta(days=self.nights)
        drafted = draft(500 + self.nights)
        key = drafted.key.replace(drafted.key.split("/")[2].partition("-")[0], f"{created:%Y%m%dT%H%M%SZ}")
        return replace(drafted, key=key, export=replace(drafted.export, created_at=created))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_nothing_good_is_lost_and_the_next_backup_is_good(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a life that can be lived again, no secret
    life = Life(tmp_path)

    def death() -> int | None:
        return chance.choice([None, None, 0, 1, 2])

    for _ in range(30):
        match chance.choice(
            ["night"] * 6 + ["killed", "decay", "verified", "forgotten", "forgotten", "swept"]
        ):
            case "night":
                life.night(chance.choice([1, 1, 1, 1, 2]), chance.random() < 0.8, death())
            case "killed":
                life.night_that_never_ends(chance.choice([1, 2]))
            case "decay":
                life.decay(chance.randrange(10), chance.random() < 0.5)
            case "verified":
                life.verified(chance.choice(list(ProofLevel)))
            case "forgotten":
                life.forgotten(chance.choice([1, 1, 2]), chance.choice([1, 1, 2]), death())
            case _:
                life.swept()
        life.both_readers_agree()
        life.nothing_is_unreadable()
