"""Switches: server behaviour that differs between Canvas installations and releases, or that a test needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum


class Storage(str, Enum):
    """Storage of packages, which decides the last hop of a download."""

    LOCAL = "local"
    """Canvas streams the bytes itself."""
    S3 = "s3"
    """Presigned URL on the storage host; ``Range``, ``ETag`` and ``If-Range`` are honoured, errors are XML."""
    INSTFS = "instfs"
    """JWT URL on the storage host; errors are JSON."""


class NewQuizzes(str, Enum):
    """Content of the New Quiz of each generated course in cartridges."""

    WHOLE = "whole"
    """Its questions and its question bank, as Canvas writes them since 2024."""
    SHELL = "shell"
    """Name and settings only: the service of New Quizzes did not deliver the rest."""
    NONE = "none"
    """Nothing: courses have no New Quizzes."""


@dataclass(frozen=True)
class Switches:
    """Behaviour of the server; the defaults are hosted Canvas after the 2026 changes.

    Attributes:
        manual_clock: Time moves only by ``Sandbox.advance``.
        clock_ahead: Seconds by which Canvas's clock is ahead of the real time; negative when it is behind.
        job_workers: Exports that run at the same time; the others wait in ``created``.
        job_delay: Seconds between the request and the earliest start of its job.
        duration: Median seconds of an export, where the course has no duration of its own.
        duration_sigma: Spread of a lognormal distribution around ``duration``; 0 makes all equal.
        import_duration: Seconds an import takes once it has started.
        new_quizzes: What cartridges contain of New Quizzes.
        new_quiz_tool: Launch address of New Quizzes, which is in their settings; it differs between hosts.
        recheck: Seconds after which a migration that is blocked by another one is tried again; scaled as jobs are.
        keeps_identifiers: Whether a course exports imported content under its original identifiers. If not, identifiers
            are made from the present database ids.
        create_success_auth: Require a credential to complete an upload; the link's ``uuid`` alone is not enough.
        stuck_holds_worker: Whether an export that never ends occupies its worker.
        expire_days: Days after which an export loses its ``attachment``; 0 for never.
        denied_status: Status of a missing permission, 403 or the older 401.
        throttle_status: Status of a throttled request, 429 or the older 403.
        throttle: Whether requests are throttled at all.
        maximum: Level at which a bucket stops rising.
        hwm: Level from which requests are refused.
        outflow: Amount that leaks from a bucket per second.
        up_front_cost: Reservation of a request while it runs.
        request_cost: Cost of a request.
        request_costs: Costs of requests whose ``"METHOD /path"`` matches a pattern; the first match wins.
        latency: Real seconds before a request is answered.
        require_user_agent: Refuse requests without ``User-Agent``.
        lowercase_headers: Send response header names in lower case.
        verifier_in_url: Add ``verifier`` to download URLs.
        uuid_in_file_json: Show ``uuid`` in file objects.
        file_token_auth: Accept a bearer token on ``/files/...``.
        files_domain: Send downloads through a second host name of Canvas.
        storage: Kind of storage.
        storage_url_ttl: Seconds for which a signed storage URL is valid.
        reject_bearer_on_storage: Answer 401 on the storage host to a request with ``Authorization``.
        ranges: Whether the storage honours ``Range``.
        chunked: Send packages in chunks, without ``Content-Length``.
        slow_rate: Bytes per second of a slow download.
        break_after: Bytes of the body after which a connection with ``Fault.BREAKS`` breaks.
        bookmarks: Page through account course lists with opaque bookmarks; older Canvases number the pages.
        min_search_length: Shortest accepted ``search_term``.
        record_limit: Size of the request log; the oldest requests are dropped.
        shows_updated_at: Whether ``include[]=updated_at`` shows ``updated_at`` of courses.
        export_touches_course: Whether an export moves ``updated_at`` of its course when it ends.
        graphql: Whether ``/api/graphql`` exists.
        graphql_max_aliases: Aliases that a query may have.
        graphql_max_depth: Depth that a query may have.
        graphql_max_complexity: Complexity that a query may have.
        graphql_max_tokens: Tokens that a query may have.
        graphql_page_size: Most nodes that a connection returns at once.
        graphql_missing_fields: Fields that an older Canvas does not have, such as ``Course.rubricsConnection``.
        graphql_cost: Cost of each object that a query reads, beside that of the request.
    """

    manual_clock: bool = False
    clock_ahead: float = 0.0
    job_workers: int = 6
    job_delay: float = 0.0
    duration: float = 0.2
    duration_sigma: float = 0.0
    import_duration: float = 0.2
    new_quizzes: NewQuizzes | str = NewQuizzes.WHOLE
    new_quiz_tool: str = "https://sandbox.quiz-lti-iad-prod.instructure.com/lti/launch"
    recheck: float = 3600.0
    keeps_identifiers: bool = True
    create_success_auth: bool = True
    stuck_holds_worker: bool = False
    expire_days: int = 30
    denied_status: int = 403
    throttle_status: int = 429
    throttle: bool = True
    maximum: float = 800.0
    hwm: float = 600.0
    outflow: float = 10.0
    up_front_cost: float = 50.0
    request_cost: float = 0.05
    request_costs: Mapping[str, float] = field(default_factory=dict)
    latency: float = 0.0
    require_user_agent: bool = True
    lowercase_headers: bool = True
    verifier_in_url: bool = False
    uuid_in_file_json: bool = False
    file_token_auth: bool = True
    files_domain: bool = False
    storage: Storage | str = Storage.S3
    storage_url_ttl: float = 86_400.0
    reject_bearer_on_storage: bool = True
    ranges: bool = True
    chunked: bool = False
    slow_rate: float = 64 * 1024
    break_after: int = 900_000
    bookmarks: bool = True
    min_search_length: int = 3
    record_limit: int = 200_000
    shows_updated_at: bool = True
    export_touches_course: bool = False
    graphql: bool = True
    graphql_max_aliases: int = 20
    graphql_max_depth: int = 15
    graphql_max_complexity: int = 375_000
    graphql_max_tokens: int = 5_000
    graphql_page_size: int = 100
    graphql_missing_fields: Sequence[str] = ()
    graphql_cost: float = 0.0005

    def __post_init__(self) -> None:
        """Accept enumerations by value, and raise `ValueError` for what Canvas never does."""
        object.__setattr__(self, "storage", Storage(self.storage))
        object.__setattr__(self, "new_quizzes", NewQuizzes(self.new_quizzes))
        if self.denied_status not in (401, 403) or self.throttle_status not in (403, 429):
            raise ValueError("denied_status is 401 or 403, throttle_status is 403 or 429")
        if self.job_workers < 1:
            raise ValueError("job_workers is at least 1")
