"""Faults of a course, and faults of single requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum


class Fault(str, Enum):
    """A fault of one course, group or user. It is permanent; ``Fault.X.times(n)`` happens n times."""

    # The course itself
    DELETED = "deleted"
    """Deleted: absent from lists (unless asked for), 404 on every path."""
    VANISHED = "vanished"
    """Still listed, but 404 on every path: deleted between the listing and the export."""
    FORBIDDEN = "forbidden"
    """No caller may read it."""
    PAGE_403 = "page_403"
    """403 with an HTML page, as from a firewall, on every path of the course, by any id. The course is still listed."""
    PAGE_400 = "page_400"
    """400 with an HTML page on every path of the course."""
    PAGE_500 = "page_500"
    """500 with an HTML page on every path of the course."""
    CRASHES = "crashes"
    """500 with ``error_report_id`` on every path of the course."""

    # The POST that creates an export
    LOST_ANSWER = "lost_answer"
    """The export is created, then the connection drops without an answer."""
    REFUSED = "refused"
    """The connection drops before anything happened."""
    SERVER_ERROR = "server_error"
    """500 with ``error_report_id``; nothing is created."""
    MAINTENANCE = "maintenance"
    """503 with an HTML page; nothing is created."""
    THROTTLED = "throttled"
    """Refused as if the bucket of the rate limit were full."""
    POST_403 = "post_403"
    """403 with an HTML page, as from a firewall; nothing is created."""
    POST_400 = "post_400"
    """400 with an HTML page; nothing is created."""
    POST_500 = "post_500"
    """500 with an HTML page, without the number of an error report; nothing is created."""

    # The job
    EXPORT_FAILS = "export_fails"
    """The job fails half way."""
    STUCK_CREATED = "stuck_created"
    """No worker ever takes the job."""
    STUCK_EXPORTING = "stuck_exporting"
    """The job starts and never ends."""
    STUCK_WAITING = "stuck_waiting"
    """``waiting_for_external_tool`` without end."""
    NO_ATTACHMENT = "no_attachment"
    """``exported``, but without a package."""
    PROGRESS_REGRESSION = "progress_regression"
    """Completion falls back to almost nothing late in the job, beyond Canvas's usual 25 to 15."""

    # The package
    INCOMPLETE = "incomplete"
    """One file of the manifest is missing from the archive."""
    EXPORT_ERRORS = "export_errors"
    """Canvas recorded errors, as comments after the manifest's root element."""
    WRONG_COURSE = "wrong_course"
    """The package names another course."""
    EMPTY = "empty"
    """A course without content."""
    CORRUPT = "corrupt"
    """A zip whose directory is damaged."""
    ZIP64 = "zip64"
    """Zip64 records although the size does not need them."""
    NEW_QUIZ_SHELLS = "new_quiz_shells"
    """New Quizzes without their questions, where others have them."""

    # The download
    LOGIN_PAGE = "login_page"
    """A redirect to the login page instead of the file, with any credential."""
    STORAGE_GONE = "storage_gone"
    """400 HTML: Canvas knows the file, but its storage does not."""
    TRUNCATED = "truncated"
    """The stored object is shorter than Canvas says; the response itself is whole."""
    OVERLONG = "overlong"
    """The stored object is longer than Canvas says; the response itself is whole."""
    NO_BYTES = "no_bytes"
    """The stored object is empty: 200, and no bytes."""
    CHUNKED = "chunked"
    """The package comes in chunks, without ``Content-Length``."""
    BREAKS = "breaks"
    """Every connection breaks after ``Switches.break_after`` bytes of the body."""
    CUT = "cut"
    """The connection breaks in the middle of the body."""
    SLOW = "slow"
    """The body arrives at ``Switches.slow_rate``."""
    EXPIRED_LINK = "expired_link"
    """The storage URL has already expired when it is issued."""

    # The import into a course
    IMPORT_FAILS = "import_fails"
    """The migration ends ``failed``; nothing is imported."""
    IMPORT_FAILS_HALF_WAY = "import_fails_half_way"
    """The migration ends ``failed`` when half of the pages and files are imported."""
    IMPORT_WARNINGS = "import_warnings"
    """The migration completes, with warnings and a todo."""
    IMPORT_ERRORS = "import_errors"
    """The migration completes, with errors: some pages and files are left out."""
    IMPORT_STUCK = "import_stuck"
    """The migration starts and never ends; others in the course are queued behind it."""
    IMPORT_SLOW = "import_slow"
    """The migration takes twenty times as long."""
    OVER_QUOTA = "over_quota"
    """The file exceeds the quota of the course when the migration is created."""
    OVER_QUOTA_LATE = "over_quota_late"
    """The file exceeds the quota of the course when its upload is completed."""

    def times(self, count: int) -> LimitedFault:
        """Return this fault, limited to the first ``count`` times."""
        return LimitedFault(self, count)


JOB_FAULTS = frozenset(
    {
        Fault.EXPORT_FAILS,
        Fault.STUCK_CREATED,
        Fault.STUCK_EXPORTING,
        Fault.STUCK_WAITING,
        Fault.NO_ATTACHMENT,
        Fault.PROGRESS_REGRESSION,
    }
)
PACKAGE_FAULTS = frozenset(
    {
        Fault.INCOMPLETE,
        Fault.EXPORT_ERRORS,
        Fault.WRONG_COURSE,
        Fault.EMPTY,
        Fault.CORRUPT,
        Fault.ZIP64,
        Fault.NEW_QUIZ_SHELLS,
    }
)


IMPORT_FAULTS = frozenset(
    {
        Fault.IMPORT_FAILS,
        Fault.IMPORT_FAILS_HALF_WAY,
        Fault.IMPORT_WARNINGS,
        Fault.IMPORT_ERRORS,
        Fault.IMPORT_STUCK,
        Fault.IMPORT_SLOW,
    }
)


@dataclass(frozen=True)
class LimitedFault:
    """A fault that happens ``count`` times."""

    fault: Fault
    count: int


class FaultCounter:
    """The faults of one course, and how often each will still happen."""

    def __init__(self, faults: Iterable[Fault | LimitedFault] = ()) -> None:
        self.on_use: Callable[[Fault], None] = lambda _: None
        """Called whenever one of the times of a limited fault is used up."""
        self._left: dict[Fault, int | None] = {}
        for fault in faults:
            if isinstance(fault, LimitedFault):
                self._left[fault.fault] = fault.count
            else:
                self._left[fault] = None

    def __contains__(self, fault: Fault) -> bool:
        return self._left.get(fault, 0) != 0

    def take(self, fault: Fault) -> bool:
        """Return whether the fault happens now, and use up one of its times."""
        left = self._left.get(fault, 0)
        if left is None:
            return True
        if left > 0:
            self.use(fault)
            self.on_use(fault)
        return left > 0

    def use(self, fault: Fault) -> None:
        """Use up one of the times of a limited fault, without calling ``on_use``."""
        left = self._left.get(fault)
        if left:
            self._left[fault] = left - 1

    def take_all(self, faults: Iterable[Fault]) -> frozenset[Fault]:
        """Return those of ``faults`` that happen now, and use up one time of each."""
        return frozenset(fault for fault in faults if self.take(fault))


class Effect(str, Enum):
    """Effect of a `RequestFault` on a request."""

    LOST_ANSWER = "lost_answer"
    """The request takes effect, then the connection drops without an answer."""
    REFUSED = "refused"
    """The connection drops before the request takes effect."""
    THROTTLED = "throttled"
    """Answered as throttled; no effect."""
    SERVER_ERROR = "server_error"
    """500 JSON with ``error_report_id``; no effect."""
    MAINTENANCE = "maintenance"
    """503 HTML; no effect."""
    BAD_REQUEST_PAGE = "bad_request_page"
    """400 HTML; no effect."""
    FORBIDDEN_PAGE = "forbidden_page"
    """403 HTML; no effect."""
    ERROR_PAGE = "error_page"
    """500 HTML; no effect."""
    NOT_FOUND = "not_found"
    """404 as for a record that does not exist; no effect."""
    DENIED = "denied"
    """As for a missing permission; no effect."""
    BAD_TOKEN = "bad_token"  # noqa: S105  the name of an effect
    """401 with ``WWW-Authenticate``; no effect."""
    LOGIN_PAGE = "login_page"
    """302 to the login page; no effect."""
    GARBLED = "garbled"
    """200 with JSON that ends in the middle; the request takes effect."""
    GRAPHQL_ERRORS = "graphql_errors"
    """200 with ``errors`` and without data, as GraphQL answers what it refuses; no effect."""
    WRONG_SHAPE = "wrong_shape"
    """200 with well-formed JSON of another shape: values have other types, lists are objects; the request takes effect."""
    HIDDEN_ANSWER = "hidden_answer"
    """403 HTML of something in front of Canvas, in place of the answer; the request takes effect."""
    DELAY = "delay"
    """Answered after ``seconds``."""
    CUT = "cut"
    """The body stops after ``after`` bytes (half of it by default) and the connection breaks."""
    TRUNCATED = "truncated"
    """A well-formed response that holds only the first ``after`` bytes (half of them by default)."""
    SLOW = "slow"
    """The body drips at ``Switches.slow_rate``."""


@dataclass
class RequestFault:
    """A fault of the requests that match.

    Attributes:
        effect: What happens, as `Effect` or its value.
        method: HTTP method, or ``*``.
        path: Regular expression searched in the path as sent, without the query.
        times: How many matching requests fail; ``None`` means all.
        skip: How many matching requests pass first.
        after: Bytes before a cut or truncation.
        seconds: Length of a delay.
    """

    effect: Effect | str
    method: str = "*"
    path: str = ""
    times: int | None = 1
    skip: int = 0
    after: int | None = None
    seconds: float = 1.0
    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Raise `ValueError` for an unknown effect or a broken pattern."""
        self.effect = Effect(self.effect)
        try:
            self._pattern = re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path is no regular expression: {error}") from error

    def applies_to(self, method: str, path: str) -> bool:
        """Return whether this request fails, and count it."""
        if self.times == 0 or self.method not in ("*", method) or not self._pattern.search(path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True
