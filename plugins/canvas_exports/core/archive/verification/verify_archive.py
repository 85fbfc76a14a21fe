"""Verify the packages of an archive, the longest unverified first, within a budget."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.catalog.read import UnreadableDocument
from canvas_exports.core.archive.run_report import OutcomeRecord, in_order
from canvas_exports.core.archive.verification.candidates import (
    Candidate,
    candidates,
    least_recently_verified,
    reread_candidate,
)
from canvas_exports.core.archive.verification.records import put_record, row, row_of_record
from canvas_exports.core.archive.verification.verify_package import (
    PackageVerification,
    VerificationResult,
    verify_package,
)
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveDeniedError, UnreadableDocumentError

log = logging.getLogger(__name__)

_MOST_DENIED = 3  # packages in a row, from the first one on, before the run fails


@dataclass(frozen=True)
class VerificationBudget:
    """The limits of one run. The verification of a package that was started is finished.

    Attributes:
        bytes: bytes to read from the store; ``None`` for no limit.
        time: duration; ``None`` for no limit.
    """

    bytes: int | None = None
    time: timedelta | None = None

    def is_spent(self, read: int, seconds: float) -> bool:
        """Return whether no further package may be started."""
        return (self.bytes is not None and read >= self.bytes) or (
            self.time is not None and seconds >= self.time.total_seconds()
        )


@dataclass
class ArchiveVerification:
    """The result of a verification run.

    Attributes:
        rows: a row of a run report for each package, problems first.
        left: number of packages that were not verified within the budget.
        bytes_read: bytes read from the store.
        unreadable: manifests that cannot be read, and packages that the store denies.
        denied: number of packages that the store denies.
    """

    rows: list[OutcomeRecord] = field(default_factory=list)
    left: int = 0
    bytes_read: int = 0
    unreadable: list[UnreadableDocument] = field(default_factory=list)
    denied: int = 0

    @property
    def totals(self) -> dict[str, int]:
        """Number of packages by result."""
        return dict(Counter(record.outcome for record in self.rows))

    @property
    def damaged(self) -> list[OutcomeRecord]:
        """Return the rows of packages that are damaged or missing."""
        return [record for record in self.rows if record.outcome != VerificationResult.INTACT.value]


def verify_archive(
    store: Store,
    *,
    level: ProofLevel,
    budget: VerificationBudget,
    run: RunFacts,
    since: datetime | None = None,
    parallel: int = 2,
    allow_empty: bool = False,
    stop: threading.Event | None = None,
    report: Callable[[int, int, int], object] = lambda *_: None,
    clock: Callable[[], float] = time.monotonic,
) -> ArchiveVerification:
    """Verify stored packages, the longest unverified first, and write each result as a record beside its manifest.

    If the run ends early (by the budget, a kill or a failing store), the results so far are recorded, and the next run goes
    on with the packages that are left. Lists the archive once. Changes no package and no manifest.

    Args:
        store: the archive.
        level: see ``verify_package``.
        budget: limits of this run.
        run: the run, for the records.
        since: start of the first attempt of this run, in a retry: packages verified since then are skipped.
        parallel: packages read at once.
        allow_empty: accept an archive without copies.
        stop: when set, the run ends after the packages that were started.
        report: called at the start and after each package, with the number of packages that are done, the number of all, and
            the bytes of all at this level (0 if unknown).
        clock: returns seconds.

    Raises:
        NoArchiveError: the archive holds no copy (permanent).
        ArchiveDeniedError: no right to list, to write, or to read any package (permanent). A single package that is denied
            is listed in ``unreadable``.
        ArchiveUnavailableError: the store failed (retryable).
    """
    began, verified = clock(), ArchiveVerification()
    order: deque[Candidate] = deque()
    for candidate in _order(store, level, verified, allow_empty=allow_empty):
        if since is not None and candidate.verified is not None and since <= candidate.verified.at:
            verified.rows.append(row_of_record(candidate, candidate.verified))
        else:
            order.append(candidate)
    stop = stop or threading.Event()
    packages = len(order)
    size = sum(each.size for each in order) if level is ProofLevel.FULL else 0
    report(0, packages, size)
    running: dict[Future[PackageVerification | None], int] = {}
    with ThreadPoolExecutor(parallel, thread_name_prefix="verify") as pool:
        try:
            while order or running:
                while order and len(running) < parallel and not stop.is_set():
                    expected = verified.bytes_read + sum(running.values())
                    if budget.is_spent(expected, clock() - began):
                        break
                    candidate = order.popleft()
                    started = pool.submit(_verify_candidate, store, candidate, level, run)
                    running[started] = candidate.size if level is ProofLevel.FULL else 0
                if not running:
                    break
                for each in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[each]
                    _note(verified, each)
                    report(packages - len(order) - len(running), packages, size)
        finally:
            for each in running:
                each.cancel()
    if verified.denied and not verified.rows:
        raise ArchiveDeniedError(
            f"no package may be read, or no record written: {verified.unreadable[-1].reason}"
        )
    verified.left = len(order)
    verified.rows = in_order(verified.rows)
    return verified


def _order(
    store: Store, level: ProofLevel, verified: ArchiveVerification, *, allow_empty: bool
) -> list[Candidate]:
    now = datetime.now(timezone.utc)

    def found() -> Iterator[Candidate]:
        with closing(require_copies(store, read_with_index(store), allow_empty=allow_empty)) as holdings:
            for each in holdings:
                holding = without_future_dates(each, now=now)
                verified.unreadable += holding.unreadable
                yield from candidates(holding, level)

    return least_recently_verified(found())


def _verify_candidate(
    store: Store, candidate: Candidate, level: ProofLevel, run: RunFacts
) -> PackageVerification | None:
    current = reread_candidate(store, candidate)
    if current is None:
        return None  # retention has deleted it since
    verification = verify_package(store, current, level)
    put_record(store, verification, run)
    return verification


def _note(verified: ArchiveVerification, ended: Future[PackageVerification | None]) -> None:
    try:
        verification = ended.result()
    except UnreadableDocumentError as error:
        verified.unreadable.append(UnreadableDocument(error.key or "a manifest", error.why))
        return
    except ArchiveDeniedError as error:
        verified.denied += 1
        if verified.denied >= _MOST_DENIED and not verified.rows:
            raise
        verified.unreadable.append(UnreadableDocument(error.key or "a package", error.message))
        return
    if verification is None:
        return
    verified.bytes_read += verification.bytes_read
    verified.rows.append(row(verification))
    candidate = verification.candidate
    if verification.result is not VerificationResult.INTACT:
        log.warning(
            "%s, %s: %s: %s", candidate.context, candidate.key, verification.result.value, verification.reason
        )
