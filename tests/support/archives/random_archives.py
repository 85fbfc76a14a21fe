"""Archives of any age and shape: copies of courses laid on a shelf in memory, some locked, some held, some broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st
from tests.support.archives.holdings import manifest

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.layout import manifest_key, package_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.store import Block, ObjectInfo, Store, not_found
from canvas_exports.errors import LockedError

NOW = datetime(2027, 2, 1, 12, tzinfo=timezone.utc)
FAR = datetime(2030, 1, 1, tzinfo=timezone.utc)
LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)  # by the store's clock: old enough to be swept


class Shelf(Store):
    """A store in memory. ``order`` sorts its listings within a folder; ``before`` is called ahead of every operation."""

    uri = "memory://shelf"

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.locks: dict[str, datetime] = {}
        self.hidden_locks: set[str] = set()
        self.order: Callable[[str], Any] = lambda key: key
        self.before: Callable[[str, str], None] = lambda *_: None
        self.deleted: list[str] = []

    def lay(self, key: str, data: bytes) -> None:
        self.objects[key] = (data, LONG_AGO)

    def put(self, key: str, blocks: Iterable[Block]) -> None:
        self.lay(key, b"".join(blocks))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self.objects.setdefault(key, (data, NOW))
        return self.objects[key][0] is data

    def replace(self, key: str, data: bytes) -> None:
        self.before("replace", key)
        self.objects[key] = (data, datetime.now(timezone.utc))

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        self.before("read", key)
        if key not in self.objects:
            raise not_found(key)
        data = self.objects[key][0]
        return data[start:] if length is None else data[start : start + length]

    def blocks(self, key: str) -> Iterator[Block]:
        yield self.read(key)

    def stat(self, key: str) -> ObjectInfo | None:
        self.before("stat", key)
        found = self.objects.get(key)
        return None if found is None else ObjectInfo(key, len(found[0]), found[1])

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        self.before("list", prefix)

        def place(key: str) -> tuple[list[str], Any]:
            return key.split("/")[:2], self.order(key)

        for key in sorted((key for key in self.objects if key.startswith(prefix)), key=place):
            data, modified = self.objects[key]
            yield ObjectInfo(key, len(data), modified)

    def lock_of(self, key: str) -> datetime | None:
        self.before("lock_of", key)
        return self.locks.get(key)

    def delete(self, key: str) -> None:
        self.before("delete", key)
        if key in self.locks or key in self.hidden_locks:
            raise LockedError("it is locked", key=key, until=self.locks.get(key))
        if self.objects.pop(key, None) is not None:
            self.deleted.append(key)

    def sweep(self, older_than: timedelta, owns: Callable[[str], bool] = bool) -> Any:  # noqa: ARG002 - no uploads here
        return []

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Spec:
    """A copy to be laid: ``shares`` says how many places before it among those of its course and type lies its package."""

    at: datetime
    course: int = 101
    export_type: str = "common_cartridge"
    verdict: Verdict = Verdict.WHOLE
    verified: str | None = None
    shares: int = 0
    dag_id: str | None = "nightly"
    term: str | None = "Fall 2026"
    sis_id: str | None = "BIO-101"
    tag: str | None = None
    lock: str | None = None
    vanished: bool = False
    select: str | None = None


def document(spec: Spec, export_id: int) -> Manifest:
    made = manifest(
        f"course:{spec.course}", export_id=export_id, export_type=spec.export_type, verdict=spec.verdict
    )
    suffix = ".imscc" if spec.export_type == "common_cartridge" else ".zip"
    key = package_key(
        "course",
        spec.course,
        export_type=spec.export_type,
        export_id=export_id,
        created=spec.at,
        suffix=suffix,
    )
    return replace(
        made,
        context=replace(made.context, term=spec.term, sis_id=spec.sis_id),
        export=replace(
            made.export, created_at=spec.at, select={"pages": [spec.select]} if spec.select else None
        ),
        package=replace(made.package, key=key),
        run=replace(made.run, dag_id=spec.dag_id),
    )


def laid(specs: Iterable[Spec], shelf: Shelf | None = None, first_id: int = 1) -> Shelf:
    """A shelf with these copies."""
    shelf = shelf or Shelf()
    earlier: dict[tuple[int, str], list[Manifest]] = {}
    for number, spec in enumerate(specs):
        made = document(spec, first_id + number)
        key = manifest_key(made.package.key)
        before = earlier.setdefault((spec.course, spec.export_type), [])
        if spec.shares and len(before) >= spec.shares:
            made = replace(made, package=before[-spec.shares].package)
        else:
            shelf.lay(made.package.key, b"a package")
        before.append(made)
        shelf.lay(key, made.to_json())
        if spec.vanished:
            shelf.objects.pop(made.package.key, None)
        about = manifest_key(made.package.key)
        if spec.verified:
            shelf.lay(RecordName(about, RecordKind.VERIFY, spec.at, "full", spec.verified).key, b"{}")
        if spec.tag:
            shelf.lay(RecordName(about, RecordKind.HOLD, spec.at, spec.tag, "set").key, b"{}")
        if spec.lock:
            shelf.locks[key if spec.lock == "manifest" else made.package.key] = FAR
    return shelf


def copies(specs: Iterable[Spec]) -> list[Copy]:
    """The same as copies, without a store; ``shares`` is heeded, records are not."""
    made: list[Copy] = []
    for number, spec in enumerate(specs):
        one = document(spec, number + 1)
        key = manifest_key(one.package.key)
        if spec.shares and len(made) >= spec.shares:
            one = replace(one, package=made[-spec.shares].package)
        made.append(Copy.of(key, one))
    return made


#: Around a change of the clocks in Chicago, in London, and around the turn of a year.
_CORNERS = (
    datetime(2026, 3, 8, 8, tzinfo=timezone.utc),
    datetime(2026, 3, 29, 1, tzinfo=timezone.utc),
    datetime(2026, 11, 1, 7, tzinfo=timezone.utc),
    datetime(2026, 1, 1, 0, tzinfo=timezone.utc),
    datetime(2027, 1, 1, 0, tzinfo=timezone.utc),
    datetime(2024, 2, 29, 23, tzinfo=timezone.utc),
)
MOMENTS = st.one_of(
    st.builds(
        lambda corner, minutes: corner + timedelta(minutes=minutes),
        st.sampled_from(_CORNERS),
        st.integers(-4 * 1440, 4 * 1440),
    ),
    st.integers(0, 5 * 365 * 24).map(lambda hours: NOW - timedelta(hours=hours)),
)
SPECS = st.builds(
    Spec,
    at=MOMENTS,
    course=st.sampled_from([101, 101, 102]),
    export_type=st.sampled_from(["common_cartridge", "common_cartridge", "zip"]),
    verdict=st.sampled_from([Verdict.WHOLE, Verdict.WHOLE, Verdict.INCOMPLETE, Verdict.EMPTY]),
    verified=st.sampled_from([None, None, "intact", "damaged", "vanished"]),
    shares=st.sampled_from([0, 0, 1, 2]),
    dag_id=st.sampled_from(["nightly", "nightly", "nightly", "weekly", None]),
    term=st.sampled_from(["Fall 2026", "Spring 2026", None]),
    tag=st.sampled_from([None, None, None, None, "legal"]),
    lock=st.sampled_from([None, None, None, None, "manifest", "package"]),
    vanished=st.sampled_from([False, False, False, False, True]),
    select=st.sampled_from([None, None, None, "4"]),
)
ARCHIVES = st.lists(SPECS, max_size=18)
ZONES = st.sampled_from(["UTC", "America/Chicago", "Europe/London", "Asia/Kathmandu", "Pacific/Apia"])
