"""What can happen to an export. Each names the item and, where there is one, the export it is about.

An event about another export than the item's present one is out of date and changes nothing, and so does an event
that comes a second time: that is what makes a moved trigger and a repeated task harmless.
"""

from __future__ import annotations

from dataclasses import dataclass

from canvas_exports.export.outcome import Outcome


@dataclass(frozen=True)
class Resolved:
    """Canvas told the numeric id of the context."""

    item: str
    canvas_id: int


@dataclass(frozen=True)
class Intended:
    """We are about to POST. ``at`` is Canvas's clock: an export of ours created later than this may be adopted."""

    item: str
    at: float


@dataclass(frozen=True)
class Created:
    """Canvas answered the POST, or an export of ours was found and adopted."""

    item: str
    export_id: int
    progress_id: int | None
    created_at: float
    at: float


@dataclass(frozen=True)
class NotCreated:
    """The POST certainly had no effect: refused, or looked for and not found."""

    item: str


@dataclass(frozen=True)
class Progressed:
    """A poll saw this completion. ``at`` is when it last changed, ``seen_at`` when it was last seen."""

    item: str
    export_id: int
    completion: float | None
    at: float
    running_since: float | None = None
    seen_at: float | None = None


@dataclass(frozen=True)
class Ready:
    """Exported, with an attachment."""

    item: str
    export_id: int


@dataclass(frozen=True)
class NotReady:
    """It looked ready, but the package cannot be had yet: watch on."""

    item: str
    export_id: int


@dataclass(frozen=True)
class ExportFailed:
    """This export will never have a package. Another may."""

    item: str
    export_id: int
    reason: str


@dataclass(frozen=True)
class FetchFailed:
    """The package could not be moved.

    ``fetch`` is the number of failed fetches before this one. ``spoiled`` says the package itself is bad, so that
    another export is worth a try; otherwise the way to it was. ``at_once`` says that the same package can be fetched
    again from its start, and that waiting gains nothing.
    """

    item: str
    export_id: int
    fetch: int
    reason: str
    spoiled: bool
    at_once: bool = False


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
    """Over for this context, whatever is tried."""

    item: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class QueueMoved:
    """Canvas did something for this batch: exports that still queue are waiting their turn, not stuck."""

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
    | Progressed
    | Ready
    | NotReady
    | ExportFailed
    | FetchFailed
    | Stored
    | Ended
    | QueueMoved
    | Tick
)
