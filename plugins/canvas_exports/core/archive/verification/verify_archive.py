"""A verification run: the packages that nobody has looked at for longest, as far as the budget reaches."""

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

_DENIED = 3  # packages in a row, from the first one on, that say that all are


@dataclass(frozen=True)
class VerificationBudget:
    """How much one run may cost. A package that was begun is finished.

    Attributes:
        bytes: to read from the store; ``None`` for any number.
        time: to spend; ``None`` for any length.
    """

    bytes: int | None = None
    time: timedelta | None = None

    def is_spent(self, read: int, seconds: float) -> bool:
        """Whether nothing may be begun any more."""
        return (self.bytes is not None and read >= self.bytes) or (
            self.time is not None and seconds >= self.time.total_seconds()
        )


@dataclass
class ArchiveVerification:
    """What a run has found.

    Attributes:
        rows: one for each package, as rows of a run report, problems first.
        left: packages that the budget did not reach.
        bytes_read: from the store.
        unreadable: manifests that cannot be read, and packages that the store denies.
        denied: how many of those there are.
    """

    rows: list[OutcomeRecord] = field(default_factory=list)
    left: int = 0
    bytes_read: int = 0
    unreadable: list[UnreadableDocument] = field(default_factory=list)
    denied: int = 0

    @property
    def totals(self) -> dict[str, int]:
        """How many packages of each result."""
        return dict(Counter(record.outcome for record in self.rows))

    @property
    def damaged(self) -> list[OutcomeRecord]:
        """The rows of packages that are not what was stored."""
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
    clock: Callable[[], float] = time.monotonic,
) -> ArchiveVerification:
    """Prove stored packages again, the longest unverified first, and record each result beside its manifest.

    Whatever ends it (the budget, a kill, a store that fails), what was found is recorded, and the next run goes on where
    this one ended. Lists the archive once. Changes no package and no manifest.

    Args:
        store: the archive.
        level: how deep to look; see ``verify_package``.
        budget: when to stop.
        run: for the records.
        since: when this run first began, if this is not its first attempt: what was verified since is not verified again.
        parallel: packages read at once.
        allow_empty: whether an archive that holds no copy is one.
        stop: set, it ends the run after the packages under way.
        clock: seconds, from any beginning.

    Raises:
        NoArchiveError: there is not a single copy (permanent).
        ArchiveDeniedError: no right to list, to write, or to read any package (permanent). One that is denied while others
            are not is told.
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
    running: dict[Future[PackageVerification | None], int] = {}
    with ThreadPoolExecutor(parallel, thread_name_prefix="verify") as pool:
        try:
            while order or running:
                while order and len(running) < parallel and not stop.is_set():
                    expected = verified.bytes_read + sum(running.values())
                    if budget.is_spent(expected, clock() - began):
                        break
                    candidate = order.popleft()
                    begun = pool.submit(_examined, store, candidate, level, run)
                    running[begun] = candidate.size if level is ProofLevel.FULL else 0
                if not running:
                    break
                for each in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[each]
                    _note(verified, each)
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


def _examined(
    store: Store, candidate: Candidate, level: ProofLevel, run: RunFacts
) -> PackageVerification | None:
    told = reread_candidate(store, candidate)
    if told is None:
        return None  # retention has let go of it since
    candidate = told
    verification = verify_package(store, candidate, level)
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
        if verified.denied >= _DENIED and not verified.rows:
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
