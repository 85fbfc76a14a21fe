"""Events of an export. Each names the item and, where there is one, Canvas's export.

An event about another export than the item's present one is out of date and changes nothing, and so does an event that comes
a second time. So a moved trigger and a repeated task are harmless.
"""

from __future__ import annotations

from dataclasses import dataclass

from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.model.causes import Cause
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.probes import ProbeFacts


@dataclass(frozen=True)
class ItemEvent:
    """An event of one item, by its name."""

    item: str


@dataclass(frozen=True)
class ExportEvent(ItemEvent):
    """An event of one export of an item."""

    export_id: int


@dataclass(frozen=True)
class Resolved(ItemEvent):
    """Canvas returned the numeric id of the context."""

    canvas_id: int


@dataclass(frozen=True)
class Probed(ItemEvent):
    """Canvas was asked whether the course has changed; ``None`` if it did not say, so that the course is exported."""

    probe: ProbeFacts | None


class Changed(ItemEvent):
    """The course is exported: its probe, its copies or an archive do not allow to skip it."""


@dataclass(frozen=True)
class Confirmed(ItemEvent):
    """The course has not changed since its newest copy, which every archive now holds as a copy of this run, too.

    ``confirmed_export`` is the export of that copy.
    """

    confirmed_export: int
    reason: str
    key: str
    findings: int
    label: str | None = None


@dataclass(frozen=True)
class Intended(ItemEvent):
    """A POST is about to be sent. ``at`` is Canvas's clock: an export created later than this may be adopted."""

    at: float


@dataclass(frozen=True)
class Created(ExportEvent):
    """Canvas answered the POST, or the export of a lost response was found and adopted."""

    progress_id: int | None
    created_at: float
    at: float


class NotCreated(ItemEvent):
    """The POST certainly had no effect: Canvas refused it, or the export was looked up and not found."""


@dataclass(frozen=True)
class Refused(ItemEvent):
    """Canvas gave no valid response about this context: an error page, a 5xx, nothing. It costs the export a turn.

    ``refusal`` is the number of refusals before this one. ``undone`` says that nothing was created for certain; where a
    POST may have taken effect, or could not be looked up, the export stays intended.
    """

    refusal: int
    reason: str
    undone: bool


class GivenUp(ItemEvent):
    """Canvas has refused it, and another turn in this attempt is of no use."""


@dataclass(frozen=True)
class Polled(ItemEvent):
    """Canvas is still building the export; this is what polling has seen of it."""

    export: RunningExport

    @property
    def export_id(self) -> int:
        """Return Canvas's id of the export."""
        return self.export.export_id


class Ready(ExportEvent):
    """Exported, with an attachment."""


class NotReady(ExportEvent):
    """It looked ready, but has no package yet: polling goes on."""


@dataclass(frozen=True)
class ExportFailed(ExportEvent):
    """This export will never have a package; another one may."""

    reason: str


@dataclass(frozen=True)
class TransferFailed(ExportEvent):
    """The package could not be moved.

    ``failed`` is the number of failed transfers before this one. ``spoiled`` says that the package itself is bad or lost, so
    that another export is worth a try; otherwise the way to it was. ``at_once`` says that the same package can be downloaded
    again from its start, and that waiting gains nothing. ``by_source`` says that Canvas or its storage did not deliver it,
    not that an archive did not take it. ``cause`` is what may have ended other transfers, too.
    """

    failed: int
    reason: str
    spoiled: bool
    at_once: bool = False
    by_source: bool = False
    cause: Cause | None = None


@dataclass(frozen=True)
class Stored(ExportEvent):
    """Package and manifest are in the archive. ``probe_result`` says whether the probe was right, where that was checked."""

    outcome: Outcome
    reason: str | None
    key: str
    size: int
    findings: int
    label: str | None = None
    at: float | None = None
    probe_result: str | None = None


@dataclass(frozen=True)
class Ended(ItemEvent):
    """The context has its outcome, whatever is tried."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class QueueMoved:
    """Canvas worked for this batch: queued exports wait for their turn and are not stuck."""

    at: float


@dataclass(frozen=True)
class Tick:
    """Time passed."""

    at: float


Event = ItemEvent | QueueMoved | Tick
