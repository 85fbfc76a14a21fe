"""Hold one export of a batch and its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from canvas_exports.core.export.engine.probe_text import probe_from_text, probe_to_text
from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.model.causes import Cause
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.probes import ProbeFacts
from canvas_exports.foreign_text import harmless

_LONGEST_LABEL = 40  # characters of a course code
MAX_REASON = 240  # characters: a line or two in a report


def label_of(course_code: str | None) -> str | None:
    """Return a course code as a report shows it, short and printable; ``None`` without one."""
    return harmless(course_code or "", most=_LONGEST_LABEL) or None


class State(str, Enum):
    """``planned -> intended -> requested -> ready -> done``; failures lead back to ``planned`` or on to ``done``."""

    PLANNED = "planned"
    INTENDED = "intended"
    REQUESTED = "requested"
    READY = "ready"
    DONE = "done"


@dataclass
class Item:
    """One context under one export type.

    Times are seconds since the epoch; ``intended_at`` and ``created_at`` by Canvas's clock, the others by ours. For
    ``changed_at``, ``completion``, ``running_since`` and ``seen_at`` see ``RunningExport``. ``label`` is the course code.
    ``refusals`` counts the turns that Canvas has refused since its last valid response. ``reason`` says why the export ended,
    or what last went wrong; ``cause`` what ended the attempt for many exports, if it was that: the value of a ``Cause``. Holds
    ids, codes and times: never a URL, never a name.

    ``to_probe`` says that Canvas is to be asked whether the course has changed, before an export is. ``probe`` is what was read;
    it is stored with the copy. ``probe_result`` says what it has led to, one of ``SKIPPED``, ``EQUAL`` and ``MISS``.
    """

    context: str
    export_type: str
    state: State = State.PLANNED
    canvas_id: int | None = None
    export_id: int | None = None
    progress_id: int | None = None
    intended_at: float | None = None
    created_at: float | None = None
    changed_at: float | None = None
    completion: float | None = None
    running_since: float | None = None
    seen_at: float | None = None
    creations: int = 0
    fetches: int = 0  # failed transfers of this export; the name is stored in checkpoints
    refusals: int = 0
    outcome: Outcome | None = None
    reason: str | None = None
    size: int | None = None
    findings: int = 0
    key: str | None = None
    label: str | None = None
    seconds: float | None = None
    to_probe: bool = False
    probe: ProbeFacts | None = None
    probe_result: str | None = None
    cause: str | None = None

    @property
    def name(self) -> str:
        """Return the item's name, unique within a batch: ``course:101/common_cartridge``."""
        return f"{self.context}/{self.export_type}"

    @property
    def is_to_probe(self) -> bool:
        """Return whether a probe is to be read or compared before an export is asked for. Canvas is asked by its numeric id."""
        return self.state is State.PLANNED and self.to_probe and self.canvas_id is not None

    @property
    def is_in_flight(self) -> bool:
        """Return whether Canvas is, or may be, working on it."""
        return self.state in (State.INTENDED, State.REQUESTED)

    def running_export(self, *, now: float) -> RunningExport:
        """Return what is known of the item's export; ``now`` stands for a creation time that is not known."""
        kind = self.context.partition(":")[0]
        created_at = self.created_at or now
        return RunningExport(
            context=self.context if self.canvas_id is None else f"{kind}:{self.canvas_id}",
            export_id=self.export_id or 0,
            progress_id=self.progress_id,
            created_at=created_at,
            changed_at=created_at if self.changed_at is None else self.changed_at,
            completion=self.completion,
            running_since=self.running_since,
            seen_at=self.seen_at,
        )

    def plan(self) -> None:
        """Go back to the start: the present export, if any, is of no use."""
        self.state = State.PLANNED
        self.export_id = self.progress_id = None
        self.intended_at = self.created_at = self.changed_at = self.completion = None
        self.running_since = self.seen_at = self.reason = None
        self.fetches = 0

    def end(self, outcome: Outcome, reason: str | None = None) -> None:
        """Set the outcome; no other method does.

        A package that an earlier attempt stored in one of several archives is still there, so such an item is ``degraded``.
        """
        if self.key is not None and not outcome.has_package:
            outcome = Outcome.DEGRADED
        self.state = State.DONE
        self.outcome = outcome
        self.cause = None
        self.reason = reason[:MAX_REASON] if reason else None
        if outcome.has_package and outcome is not Outcome.DEGRADED:
            self.probe = None
        if outcome.has_package:  # the export is not polled again, and checkpoints should be small
            self.progress_id = self.created_at = self.changed_at = self.completion = None
            self.running_since = self.seen_at = None

    def break_off(self, reason: str, cause: Cause | None = None) -> None:
        """Set the outcome ``interrupted``: ended for this attempt, by a cause that ends others, too, if there is one."""
        self.end(Outcome.INTERRUPTED, reason)
        self.cause = None if cause is None else cause.value

    def reopen(self, *, cleared: bool = False) -> None:
        """Take an outcome back, but keep an export or an unanswered intention that may still be of use.

        ``cleared`` keeps an export only if Canvas was still building it, or if no transfer of it has failed.
        """
        degraded = self.outcome is Outcome.DEGRADED
        of_use = degraded or self.outcome is Outcome.STALLED or self.outcome is Outcome.INTERRUPTED
        used_up = cleared and self.export_id is not None and not (of_use and not self.fetches)
        self.outcome = self.reason = self.cause = None
        self.fetches = 0
        if used_up:
            self.plan()
        elif degraded and self.export_id is not None:
            self.state = State.READY
        elif self.export_id is not None:
            self.state = State.REQUESTED
        elif self.intended_at is not None:
            self.state = State.INTENDED
        else:
            self.plan()

    def to_json(self) -> dict[str, Any]:
        """Return the fields that differ from a fresh item, to keep checkpoints small."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        row = {
            name: value.value if isinstance(value, Enum) else value
            for name, value in values.items()
            if name in ("context", "export_type") or value != _FRESH[name]
        }
        if self.probe is not None:
            row["probe"] = probe_to_text(self.probe)
        return row

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Item:
        """Read the inverse of ``to_json``; ignore fields of a later version."""
        known = {name: document[name] for name in document.keys() & _FRESH.keys()}
        if "state" in known:
            known["state"] = State(known["state"])
        if known.get("outcome") is not None:
            known["outcome"] = Outcome(known["outcome"])
        if "probe" in known:
            known["probe"] = probe_from_text(known["probe"])
        return cls(**known)


_FRESH = {f.name: getattr(Item("", ""), f.name) for f in fields(Item)}
