"""Describe a running export as it was last seen, in a form that other releases can read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

COMPLETE = 100.0  # per cent
VERSION = 1
_MAX_PROBLEM = 120  # characters; a trigger's event holds up to 200 of them
_COLUMNS_BEFORE_VERSIONS = (
    "context",
    "export_id",
    "progress_id",
    "created_at",
    "changed_at",
    "completion",
    "running_since",
    "seen_at",
)


@dataclass(frozen=True)
class RunningExport:
    """One observation of an export that Canvas has not finished.

    Times are seconds since the epoch. Holds ids, codes and times: never a URL, never a name.

    Attributes:
        context: what is exported, such as ``course:101``.
        export_id: Canvas's id of the content export.
        progress_id: Canvas's id of its Progress, if it has one.
        created_at: when Canvas created the export.
        changed_at: when its completion last changed.
        completion: per cent, as Canvas last said.
        running_since: when Canvas began to work on it, as far as known; ``None`` while it is queued.
        seen_at: when it was last seen, or when Canvas answered but did not show it; ``None`` if never.
        problem: what Canvas answered to the last poll instead of showing the export.
    """

    context: str
    export_id: int
    progress_id: int | None
    created_at: float
    changed_at: float
    completion: float | None = None
    running_since: float | None = None
    seen_at: float | None = None
    problem: str | None = None

    def seen(self, at: float, *, started: bool) -> RunningExport:
        """Return the observation after a poll at ``at``.

        An export that has started did so since the last poll, so about half-way back.
        """
        since = self.running_since
        if started and since is None:
            since = at if self.seen_at is None else (self.seen_at + at) / 2
        return replace(self, running_since=since, seen_at=at)


_COLUMNS = tuple(field.name for field in fields(RunningExport))
_TYPES: Mapping[str, type[Any]] = {
    name: {"context": str, "problem": str, "export_id": int, "progress_id": int}.get(name, float)
    for name in _COLUMNS
}


def to_table(exports: Iterable[RunningExport]) -> dict[str, Any]:
    """Return exports as a JSON value: the column names once, then a row for each, as a trigger holds up to 200."""
    rows = []
    for export in exports:
        problem = None if export.problem is None else export.problem[:_MAX_PROBLEM]
        rows.append([*(getattr(export, name) for name in _COLUMNS[:-1]), problem])
    return {"version": VERSION, "columns": list(_COLUMNS), "rows": rows}


def from_table(document: Any) -> list[RunningExport]:
    """Read the inverse of ``to_table``, or the rows without column names that earlier releases stored.

    Ignores columns that a later release has added.

    Raises:
        ValueError: it is neither.
    """
    try:
        if not isinstance(document, Mapping):
            return [_from_row(_COLUMNS_BEFORE_VERSIONS, row) for row in document]
        if document["version"] != VERSION:
            raise ValueError(f"version {document['version']!r} of running exports is not known")
        return [_from_row(document["columns"], row) for row in document["rows"]]
    except (TypeError, KeyError, OverflowError) as error:
        raise ValueError(f"not a list of running exports: {error!r}") from None


def _from_row(columns: Sequence[str], row: Sequence[Any]) -> RunningExport:
    if isinstance(row, (str, Mapping)):
        raise TypeError("not a row")
    values = {name: value for name, value in zip(columns, row) if value is not None}  # noqa: B905 - of another release
    return RunningExport(
        **{
            "progress_id": None,
            **{name: _TYPES[name](values[name]) for name in values.keys() & _TYPES.keys()},
        }
    )
