"""Put the page of one course together from a snapshot."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from canvas_exports.core.archive.catalog.assessment import what_is_missing
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.records import RecordName
from canvas_exports.core.archive.retention.holds import tags_on
from canvas_exports.core.archive.retention.plan import Decision, plan_context
from canvas_exports.core.archive.retention.policy import Policy, group_of
from canvas_exports.core.archive.retention.policy_fields import read_keep
from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.reports.overview.course_view import Check, CopyEntry, CourseView, Retention
from canvas_exports.core.reports.overview.queries.alarms import alarms_of
from canvas_exports.core.reports.overview.queries.courses import STATE, course_row
from canvas_exports.core.reports.overview.queries.figures import problems_of
from canvas_exports.core.reports.overview.queries.kept_until import kept_until
from canvas_exports.core.reports.overview.queries.runs import newest_policies
from canvas_exports.core.reports.overview.reading.holding_document import unpack_holding
from canvas_exports.core.reports.overview.tables import to_seconds
from canvas_exports.errors import InputError

MOST_COPIES = 1000
MOST_UNREADABLE = 100


def read_course(
    connection: sqlite3.Connection, context: str, runs: str, *, now: datetime, taken_at: datetime
) -> CourseView | None:
    """Return the page of a course, group or user; ``None`` if the snapshot does not know it.

    Args:
        connection: to the snapshot.
        context: such as ``course:101``.
        runs: which documents of runs there are.
        now: the time.
        taken_at: when the archive was read.
    """
    row = connection.execute(
        f"SELECT *, {STATE} AS state FROM courses WHERE context = :context",  # noqa: S608 - SQL of ours
        {"now": to_seconds(now), "context": context},
    ).fetchone()
    if row is None:
        return None
    holding = stored_holding(connection, context)
    copies: tuple[Copy, ...] = () if holding is None else holding.copies
    kept = {} if holding is None else _retention(holding, newest_policies(connection, runs), taken_at)
    entries = list(_entries(copies, kept))[::-1]
    unreadable = () if holding is None else holding.unreadable[:MOST_UNREADABLE]
    return CourseView(
        course=course_row(row),
        copies=tuple(entries[:MOST_COPIES]),
        more_copies=len(entries[MOST_COPIES:]),
        problems=problems_of(connection, context, now=now),
        unreadable=tuple((each.key, each.reason) for each in unreadable),
        alarms=alarms_of(connection, context),
        taken_at=taken_at,
    )


def stored_holding(connection: sqlite3.Connection, context: str) -> Holding | None:
    """Return the copies of a context as the archive was read, without the listing of its folder."""
    row = connection.execute("SELECT document FROM holdings WHERE context = ?", (context,)).fetchone()
    kind, _, number = context.partition(":")
    return row and unpack_holding(kind, int(number), row["document"])


def _entries(copies: tuple[Copy, ...], kept: Mapping[str, Retention]) -> Iterator[CopyEntry]:
    """Yield the copies in their order, oldest first."""
    first: dict[str, Copy] = {}
    for copy in copies:
        original = first.setdefault(copy.package.key, copy)
        findings = copy.counts.get("findings")
        yield CopyEntry(
            key=copy.key,
            export_type=copy.export.type,
            export_id=copy.export.id,
            created_at=copy.created_at,
            stored_at=copy.stored_at,
            state=copy.state,
            is_good=copy.is_proven,
            missing=what_is_missing(copy) if findings and not copy.is_proven else "",
            level=copy.level,
            deepest=PROOF_LEVELS[copy.deepest],
            counts=copy.counts,
            package=copy.package.key,
            size=copy.package.size,
            digests=copy.package.digests,
            same_as=_same_as(copy, original),
            was_exported=copy.confirmed_at is None,
            verified=_check(copy.newest_verification),
            drilled=_check(copy.newest_drill),
            holds=tags_on(copy.records),
            retention=kept.get(copy.key, Retention()),
            dag_id=copy.run.dag_id,
            run_id=copy.run.run_id,
            canvas_host=copy.export.canvas_host,
        )


def _same_as(copy: Copy, original: Copy) -> datetime | None:
    if copy.confirmed_at is not None:
        return copy.export.created_at
    return None if original is copy else original.created_at


def _check(record: RecordName | None) -> Check | None:
    return None if record is None else Check(record.at, record.detail, record.result, record.key)


def _retention(
    holding: Holding, policies: Mapping[str | None, tuple[str, Mapping[str, Any]]], now: datetime
) -> dict[str, Retention]:
    """Return by key what the newest retention run of its backup says of each copy, decided anew by the same rules."""
    found: dict[str, Retention] = {}
    for backup in dict.fromkeys(copy.run.dag_id for copy in holding.copies):
        report, content = policies.get(backup) or policies.get(None) or (None, None)
        if content is None:
            continue
        applies_to = content["backup"]
        ours = [copy for copy in holding.copies if copy.run.dag_id == backup]
        policy = _policy(content)
        if policy is None:
            found.update({copy.key: Retention(policy=content["policy"], report=report) for copy in ours})
            continue
        planned = plan_context(holding, policy, policy.holds.on(holding.copies), now, applies_to)
        reasons = {copy.key: copy for copy in planned.copies}
        counted = [copy for copy in holding.copies if copy.key in reasons]
        for copy in ours:
            rules = reasons[copy.key].reasons
            group = [each for each in counted if group_of(each) == group_of(copy)]
            found[copy.key] = Retention(
                rules=rules,
                until=kept_until(policy, group, copy, rules),
                deleted_next=reasons[copy.key].decision is Decision.DELETE,
                policy=content["policy"],
                report=report,
            )
    return found


def _policy(content: Mapping[str, Any]) -> Policy | None:
    """Return the policy that a retention report records; ``None`` if it records none that can be read."""
    try:
        return read_keep(content["keep"], timezone=content["timezone"]) if content["keep"] else None
    except InputError:
        return None
