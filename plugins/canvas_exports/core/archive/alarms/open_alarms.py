"""List the alarms of courses whose copies are held, and release them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby

from canvas_exports.core.archive.catalog.copies import Copy, newest_first
from canvas_exports.core.archive.json_documents import conform, parse, read_bytes
from canvas_exports.core.archive.layout import CONTEXT_FOLDERS, context_of
from canvas_exports.core.archive.records import RecordKind, RecordName, read_record_name
from canvas_exports.core.archive.retention.holds import ALARM, LIFTED, put_tag
from canvas_exports.core.model.alarm import Alarm, AlarmScope
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.errors import ArchiveDeniedError, ObjectNotFoundError, UnreadableDocumentError

#: Read of one course: the newest records.
MOST_RECORDS = 50
_MOST_BYTES = MiB // 4  # of a record, which has a few alarms of some kilobytes
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class OpenAlarm:
    """An alarm of a course that no person has released.

    Attributes:
        context: the course, group or user.
        at: when the hold was set.
        alarm: see there.
        records: keys of the holds that say so.
    """

    context: str
    at: datetime
    alarm: Alarm
    records: tuple[str, ...]


def open_alarms(store: Store) -> Generator[OpenAlarm, None, None]:
    """Yield the open alarms of an archive, in the order of the listing.

    Lists the three folders (a request for each thousand objects), and reads the records of open alarms alone.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    listed = chain.from_iterable(store.list(folder) for folder in CONTEXT_FOLDERS)
    for context, objects in groupby(listed, key=lambda info: context_of(info.key)):
        records = _alarm_records(objects)
        if context is not None and records:
            yield from open_alarms_of(store, "{}:{}".format(*context), records)


def open_alarms_of(store: Store, context: str, records: Iterable[RecordName]) -> list[OpenAlarm]:
    """Return the open alarms of one context, newest first. A record that cannot be read is an alarm without evidence.

    Args:
        store: the archive.
        context: such as ``course:101``.
        records: of its packages; others than holds of alarms are left out.

    Raises:
        ArchiveUnavailableError: the store failed (retryable).
    """
    found: dict[tuple[str, str], OpenAlarm] = {}
    for record in newest_first(_open(records))[:MOST_RECORDS]:
        for alarm in _read(store, context, record):
            about = (alarm.code, str(alarm.evidence.get("after_copy", record.key)))
            known = found.get(about)
            records_of = (record.key,) if known is None else (*known.records, record.key)
            found[about] = OpenAlarm(context, record.at, alarm, records_of)
    return list(found.values())


def release(store: Store, copies: Iterable[Copy], *, at: datetime) -> tuple[str, ...]:
    """Lift the holds of alarms from copies, and return the keys of the records that say so. Other holds stay.

    Raises:
        ArchiveDeniedError: no right to write (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    return put_tag(store, copies, ALARM, at=at, lift=True)


def _alarm_records(objects: Iterable[ObjectInfo]) -> list[RecordName]:
    """Return the records of alarms; of a context without any, nothing is kept."""
    names = (read_record_name(info.key) for info in objects if f"-{ALARM}-" in info.key)
    return [name for name in names if name is not None]


def _open(records: Iterable[RecordName]) -> Iterator[RecordName]:
    """Yield the records that set the tag of a package after it was last lifted."""
    by_package: dict[str, list[RecordName]] = {}
    for record in records:
        if record.kind is RecordKind.HOLD and record.detail == ALARM:
            by_package.setdefault(record.manifest, []).append(record)
    for each in by_package.values():
        lifted = max((record.at for record in each if record.result == LIFTED), default=None)
        # Of two in one second, the one that sets the tag counts, as in ``holds.tags_on``.
        yield from (
            record for record in each if record.result != LIFTED and (lifted is None or record.at >= lifted)
        )


def _read(store: Store, context: str, record: RecordName) -> Sequence[Alarm]:
    try:
        data = parse(read_bytes(store, record.key, _MOST_BYTES), "hold", key=record.key)
        listed = conform(data, "hold-1", key=record.key).get("alarms") or ()
    except ObjectNotFoundError:
        return ()  # deleted since it was listed
    except (UnreadableDocumentError, ArchiveDeniedError) as error:
        return (
            _without_evidence(
                context, f"A copy is held for an alarm whose record cannot be read: {error.message}."
            ),
        )
    alarms = [Alarm.from_json(each) for each in listed]
    return alarms or (_without_evidence(context, "A person holds a copy with the tag alarm."),)


def _without_evidence(context: str, sentence: str) -> Alarm:
    return Alarm(
        _UNKNOWN,
        AlarmScope.COURSE.value,
        sentence,
        "Compare the held copy with the newest one, then release it: canvas-archive release COURSE.",
        context=context,
    )
