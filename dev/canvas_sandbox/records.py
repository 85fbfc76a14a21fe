"""The rows of exports, their progress and packages; the records that tests read; the request log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from canvas_sandbox.campus import Exportable, User
from canvas_sandbox.content.selection import Selection
from canvas_sandbox.faults import Fault
from canvas_sandbox.packages.virtual_file import VirtualFile

OWN_ONLY_TYPES = frozenset({"zip", "user_data"})
"""Export types that only their creator may see."""
COPY_TYPES = frozenset({"course_copy", "master_course_copy"})
"""Internal export types, hidden from the API."""


@dataclass
class Progress:
    """Canvas's Progress of an export or a migration. ``completion`` is a float and may go backwards."""

    id: int
    context_id: int
    user_id: int
    created_at: float
    updated_at: float
    workflow_state: str = "queued"
    completion: float | None = None
    message: str | None = None
    context_type: str = "ContentExport"
    tag: str = "content_export"

    def reset(self, moment: float) -> None:
        """Go back to ``queued``, as Canvas does when a job starts."""
        self.write(moment, "queued", 0.0)
        self.message = None

    def write(self, moment: float, state: str | None = None, completion: float | None = None) -> None:
        """Write what the job reports."""
        self.workflow_state = state or self.workflow_state
        self.completion = self.completion if completion is None else completion
        self.updated_at = moment


@dataclass(frozen=True)
class ExportRequest:
    """A valid request for an export."""

    context: Exportable
    export_type: str
    user: User
    selection: Selection
    version: str = "1.1.0"
    notify: bool = False


@dataclass
class Attachment:
    """A package. ``build`` makes its virtual file; nothing is stored between downloads."""

    id: int
    uuid: str
    name: str
    content_type: str
    size: int
    created_at: float
    export: Export = field(repr=False)
    build: Callable[[], VirtualFile] = field(repr=False)


@dataclass
class Export:
    """A content export. ``faults`` are those of its course that affect this export."""

    id: int
    context: Exportable
    export_type: str
    user_id: int
    created_at: float
    workflow_state: str = "created"
    selection: Selection = field(default_factory=Selection)
    version: str = "1.1.0"
    notify: bool = False
    faults: frozenset[Fault] = frozenset()
    progress: Progress | None = None
    attachment: Attachment | None = None
    finished_at: float | None = None
    notified: bool = False


@dataclass(frozen=True)
class ExportRecord:
    """An export for tests: ``context`` is such as ``course:101``, times are seconds since the epoch.

    ``user``, ``progress`` and ``attachment`` are ids, as in the paths of the request log.
    """

    id: int
    context: str
    export_type: str
    state: str
    created_at: float
    user: int
    finished_at: float | None = None
    version: str = "1.1.0"
    selection: dict[str, object] = field(default_factory=dict)
    notified: bool = False
    progress: int | None = None
    attachment: int | None = None


@dataclass
class RequestRecord:
    """A request that came in.

    Attributes:
        time: Seconds since the epoch, on the sandbox's clock.
        method: HTTP method.
        path: Path as sent, without the query.
        query: Query without credentials; empty on the storage host.
        status: Status of the answer; 0 when the connection was dropped instead.
        bytes: Bytes of the body sent so far.
        user_agent: ``User-Agent``, or the empty string.
        had_authorization: Whether an ``Authorization`` header came with it.
        listener: ``canvas`` or ``storage``.
    """

    time: float
    method: str
    path: str
    query: str
    status: int
    bytes: int
    user_agent: str
    had_authorization: bool
    listener: str
