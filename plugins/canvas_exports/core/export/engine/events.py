"""Events of an export. Each names the item and, where there is one, Canvas's export.

An event about another export than the item's present one is out of date and changes nothing, and so does an event that comes
a second time. So a moved trigger and a repeated task are harmless.
"""

from __future__ import annotations

from dataclasses import dataclass

from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.model.outcomes import Outcome


@dataclass(frozen=True)
class Resolved:
    """Canvas returned the numeric id of the context."""

    item: str
    canvas_id: int


@dataclass(frozen=True)
class Intended:
    """A POST is about to be sent. ``at`` is Canvas's clock: an export created later than this may be adopted."""

    item: str
    at: float


@dataclass(frozen=True)
class Created:
    """Canvas answered the POST, or the export of a lost response was found and adopted."""

    item: str
    export_id: int
    progress_id: int | None
    created_at: float
    at: float


@dataclass(frozen=True)
class NotCreated:
    """The POST certainly had no effect: Canvas refused it, or the export was looked up and not found."""

    item: str


@dataclass(frozen=True)
class Refused:
    """Canvas gave no valid response about this context: an error page, a 5xx, nothing. It costs the export a turn.

    ``refusal`` is the number of refusals before this one. ``undone`` says that nothing was created for certain; where a
    POST may have taken effect, or could not be looked up, the export stays intended.
    """

    item: str
    refusal: int
    reason: str
    undone: bool


@dataclass(frozen=True)
class GivenUp:
    """Canvas has refused it, and another turn in this attempt is of no use."""

    item: str


@dataclass(frozen=True)
class Polled:
    """Canvas is still building the export; this is what polling has seen of it."""

    item: str
    export: RunningExport

    @property
    def export_id(self) -> int:
        """Return Canvas's id of the export."""
        return self.export.export_id


@dataclass(frozen=True)
class Ready:
    """Exported, with an attachment."""

    item: str
    export_id: int


@dataclass(frozen=True)
class NotReady:
    """It looked ready, but has no package yet: polling goes on."""

    item: str
    export_id: int


@dataclass(frozen=True)
class ExportFailed:
    """This export will never have a package; another one may."""

    item: str
    export_id: int
    reason: str


@dataclass(frozen=True)
class FetchFailed:
    """The package could not be moved.

    ``fetch`` is the number of failed fetches before this one. ``spoiled`` says that the package itself is bad or lost, so
    that another export is worth a try; otherwise the way to it was. ``at_once`` says that the same package can be fetched
    again from its start, and that waiting gains nothing. ``by_source`` says that Canvas or its storage did not deliver it,
    not that an archive did not take it.
    """

    item: str
    export_id: int
    fetch: int
    reason: str
    spoiled: bool
    at_once: bool = False
    by_source: bool = False


@dataclass(frozen=True)
class Stored:
    """Package and manifest are in the archive."""

    item: str
    export_id: int
    outcome: Outcome
    reason: str | None
    key: str
    size: int
    findings: int
    label: str | None = None
    at: float | None = None


@dataclass(frozen=True)
class Ended:
    """The context has its outcome, whatever is tried."""

    item: str
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


Event = (
    Resolved
    | Intended
    | Created
    | NotCreated
    | Refused
    | GivenUp
    | Polled
    | Ready
    | NotReady
    | ExportFailed
    | FetchFailed
    | Stored
    | Ended
    | QueueMoved
    | Tick
)
