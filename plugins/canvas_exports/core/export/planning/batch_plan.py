"""Store a run's plan: which contexts each of its batches holds. A plan is written once and never changed.

A list of many thousands of contexts is too much for Airflow's database, which every mapped task asks for the whole of
it at every stretch. So the list is written into the archive, below the run's folder, and each task gets a reference to
its batch::

    runs/2026-11-23/nightly/manual__2026-11-23/plan/0.jsonl
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, count, repeat
from typing import Any

from canvas_exports.core.archive.json_documents import MAX_PLAN_BYTES, parse, read_bytes
from canvas_exports.core.archive.layout import run_folder
from canvas_exports.core.export.changes.probe import Reading
from canvas_exports.core.export.planning.batching import cut
from canvas_exports.core.export.planning.course_facts import CourseFacts, PlannedFacts
from canvas_exports.core.export.planning.course_names import Names
from canvas_exports.core.export.planning.plan_readings import (
    Span,
    read_facts,
    read_readings,
    stored_spans,
    write_readings,
)
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError, ObjectNotFoundError, UnreadableDocumentError

SCHEMA = "urn:canvas-exports:plan:1"

_LONGEST_NAME = 80


@dataclass(frozen=True)
class BatchReference:
    """Refer to the stored contexts of one batch: some 200 bytes for any size of the batch.

    Attributes:
        plan: key of the document.
        batch: number of the batch in the run, from 0.
        start: offset of its line in the document, in bytes.
        length: of its line, in bytes.
        name: for people: ``course:101 and 49 more``.
        readings: where the line of its readings is, if the plan has some; see ``plan_readings``.
    """

    plan: str
    batch: int
    start: int
    length: int
    name: str
    readings: Span | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a small JSON value, for an XCom."""
        readings = {} if self.readings is None else {"readings": list(self.readings)}
        return {name: value for name, value in asdict(self).items() if name != "readings"} | readings

    @classmethod
    def from_json(cls, document: Mapping[str, Any], *, field: str = "courses") -> BatchReference:
        """Read a reference back.

        Raises:
            InputError: it is none.
        """
        try:
            return cls(
                plan=str(document["plan"]),
                batch=int(document["batch"]),
                start=int(document["start"]),
                length=int(document["length"]),
                name=str(document["name"]),
                readings=_read_span(document.get("readings")),
            )
        except (KeyError, TypeError, ValueError):
            raise InputError(
                field,
                "this is not a reference to a batch",
                accepted="a list of courses, or a batch as CanvasListCoursesOperator returns it",
            ) from None


def write_plan(
    store: Store,
    run: RunInfo,
    contexts: Iterable[Context],
    size: int,
    *,
    exports_each: int = 1,
    names: Names | None = None,
    readings: Mapping[str, Reading] | None = None,
    facts: CourseFacts | None = None,
) -> list[BatchReference]:
    """Store a run's batches, and return references to them.

    A run has one plan, and what it says holds for good. If the run has one already, because its list is made a second
    time, every batch keeps its number and its contexts, and contexts that are new come after them in batches of their own:
    so no batch under way, or with a checkpoint, is ever about something else. Nothing is taken off a plan.

    Args:
        store: the archive.
        run: the run.
        contexts: in order, each once.
        size: contexts in a batch.
        exports_each: export types of each context.
        names: what the courses are called, for people; see ``planned_names``.
        readings: when the courses were last updated, by context; see ``read_planned_readings``.
        facts: what manifests state of the courses; see ``read_planned_facts``.

    Raises:
        InputError: the size is out of range, or there are more contexts than one run can carry.
        ArchiveError: the archive cannot be read or written.
    """
    folder = plan_folder(run)
    wanted = list(map(str, contexts))
    references: list[BatchReference] = []
    known: set[str] = set()
    part = 0
    while True:
        key = f"{folder}{part}.jsonl"
        part += 1
        try:
            earlier = read_bytes(store, key, MAX_PLAN_BYTES)
        except ObjectNotFoundError:
            new = [text for text in wanted if text not in known] if known else wanted
            batches = cut(new, size, exports_each=exports_each, carried=len(references))
            if not batches:
                return references
            spans = write_readings(store, key, batches, readings or {}, facts or CourseFacts())
            document, found = _written(key, batches, len(references), names or Names())
            if store.put_if_absent(key, document):
                return [*references, *_with_readings(found, spans)]
            # Another attempt of this task was quicker, and its word counts.
            earlier = read_bytes(store, key, MAX_PLAN_BYTES)
        batches_before = list(_read(key, earlier))
        references += _with_readings([each for each, _ in batches_before], stored_spans(store, key))
        known.update(chain.from_iterable(listed for _, listed in batches_before))


def plan_folder(run: RunInfo) -> str:
    """Return the folder of a run's plan."""
    return f"{run_folder(run.date, run.dag_id, run.run_id)}plan/"


def read_batch(store: Store, reference: BatchReference) -> list[str]:
    """Return the contexts of one batch, with one small request.

    Raises:
        InputError: the plan is not in this archive.
        ArchiveError: it is damaged, or the archive cannot be reached.
    """
    try:
        line = store.read(reference.plan, reference.start, min(reference.length, MAX_PLAN_BYTES))
    except (ObjectNotFoundError, ValueError):
        raise _absent(reference) from None
    return _parse_batch(reference.plan, line)


def read_planned_readings(store: Store, reference: BatchReference) -> dict[str, Reading]:
    """Return when the courses of one batch were last updated, as far as their list said, with one small request.

    Without readings, or where they cannot be read, there are none: then the batch asks Canvas itself.
    """
    return {} if reference.readings is None else read_readings(store, reference.plan, reference.readings)


def read_planned_facts(store: Store, reference: BatchReference) -> PlannedFacts | None:
    """Return what Canvas said of the courses of one batch when they were listed, with one small request.

    ``None`` where the plan has no facts, or they cannot be read: then the batch asks Canvas itself.
    """
    return None if reference.readings is None else read_facts(store, reference.plan, reference.readings)


def planned(store: Store, batches: Iterable[Any]) -> Iterator[str]:
    """Return every context of the batches; see ``planned_batches``."""
    for _, listed in planned_batches(store, batches):
        yield from listed


def planned_batches(store: Store, batches: Iterable[Any]) -> Iterator[tuple[str, list[str]]]:
    """Return the name and the contexts of each batch; batches are references or lists. Read each plan once.

    Raises:
        InputError: a plan is not in this archive, or a batch is neither.
        ArchiveError: a plan is damaged, or the archive cannot be reached.
    """
    plan, document = "", memoryview(b"")
    for batch in batches:
        if not isinstance(batch, Mapping):
            listed = list(map(str, [batch] if isinstance(batch, (str, int)) else batch))
            yield batch_name(listed), listed
            continue
        reference = BatchReference.from_json(batch, field="batches")
        if reference.plan != plan:
            try:
                plan, document = reference.plan, memoryview(read_bytes(store, reference.plan, MAX_PLAN_BYTES))
            except (ObjectNotFoundError, ValueError):
                raise _absent(reference) from None
        line = bytes(document[reference.start : reference.start + reference.length])
        yield reference.name, _parse_batch(plan, line)


def planned_names(store: Store, run: RunInfo) -> Names:
    """Return the names of courses in the plan of a run: none without a plan, or where one of its documents is damaged.

    Raises:
        ArchiveError: the archive cannot be reached.
    """
    names = Names()
    for part in count():
        key = f"{plan_folder(run)}{part}.jsonl"
        try:
            head, _, _ = read_bytes(store, key, MAX_PLAN_BYTES).partition(b"\n")
            document = parse(head, "plan", key=key)
        except ObjectNotFoundError:
            break
        except UnreadableDocumentError:
            continue
        names.add_json(document if isinstance(document, dict) else {})
    return names


def batch_name(contexts: Sequence[object]) -> str:
    """Return a batch's name for people, its first course and the number of the others: ``course:101 and 49 more``.

    It goes through Airflow's database. So it has no code and no title: they may hold the name of a person.
    """
    first = str(contexts[0]) if contexts else "nothing"
    short = first if len(first) <= _LONGEST_NAME else f"{first[: _LONGEST_NAME - 1]}…"
    return f"{short} and {len(contexts) - 1:,} more" if len(contexts) > 1 else short


def _written(
    key: str, batches: list[list[str]], number: int, names: Names
) -> tuple[bytes, list[BatchReference]]:
    """Return the document of some batches, and where in it each of them is. Its first line says what is true of all of it."""
    head = {"schema": SCHEMA, "first": number, **names.to_json(chain.from_iterable(batches))}
    document = bytearray(json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    references = []
    for at, batch in enumerate(batches, start=number):
        line = json.dumps(batch, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        references.append(BatchReference(key, at, len(document), len(line), batch_name(batch)))
        document += line + b"\n"
    return bytes(document), references


def _with_readings(references: list[BatchReference], spans: list[Span]) -> list[BatchReference]:
    padded = chain(spans, repeat(None))
    return [replace(each, readings=span) for each, span in zip(references, padded, strict=False)]


def _read_span(value: Any) -> Span | None:
    is_span = isinstance(value, list | tuple) and len(value) == 2 and all(type(each) is int for each in value)  # noqa: PLR2004 - offset, length
    return (value[0], value[1]) if is_span and min(value) >= 0 else None


def _read(key: str, document: bytes) -> Iterator[tuple[BatchReference, list[str]]]:
    """Return the inverse of ``_written``."""
    if not document:
        raise _damaged(key)
    start, number = 0, 0
    for line in document.splitlines(keepends=True):
        if start == 0:
            number = _first(key, line)
        else:
            listed = _parse_batch(key, line)
            yield (
                BatchReference(key, number, start, len(line.rstrip(b"\n")), batch_name(listed)),
                listed,
            )
            number += 1
        start += len(line)


def _first(key: str, header: bytes) -> int:
    try:
        document = parse(header, "plan", key=key)
    except UnreadableDocumentError:
        raise _damaged(key) from None
    first = document.get("first") if isinstance(document, dict) and document.get("schema") == SCHEMA else None
    if not isinstance(first, int):
        raise _damaged(key)
    return first


def _parse_batch(key: str, line: bytes) -> list[str]:
    try:
        batch = parse(line, "plan", key=key)
    except UnreadableDocumentError:
        batch = None
    if not isinstance(batch, list) or not all(isinstance(text, str) for text in batch):
        raise _damaged(key)
    return batch


def _damaged(key: str) -> UnreadableDocumentError:
    return UnreadableDocumentError(
        "it is not a plan: delete it, and clear the task that lists the courses", key=key
    )


def _absent(reference: BatchReference) -> InputError:
    return InputError(
        "archive",
        f"it does not hold the plan {reference.plan}",
        accepted="the archive that the courses were listed for, or a new list",
    )


def plan_size(store: Store, key: str) -> tuple[int, int]:
    """Return how many batches and how many contexts one document of a plan has.

    Raises:
        ObjectNotFoundError: it is absent (permanent).
        ArchiveError: it is damaged, or the archive cannot be reached.
    """
    sizes = [len(listed) for _, listed in _read(key, read_bytes(store, key, MAX_PLAN_BYTES))]
    return len(sizes), sum(sizes)
