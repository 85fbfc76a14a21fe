"""What a person may say about a batch, checked as a whole before anything is created."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from canvas_exports.core.archive.layout import DEFAULT_TEMPLATE, check_template
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.export.failure_policy import FailurePolicy
from canvas_exports.core.export.polling.interval import PollInterval
from canvas_exports.core.export.waits import Waits
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.errors import InputError

MAX_EXPORTS = 200  # of one task: its checkpoint stays below the 64 KiB that Airflow warns of
ON_CLEAR = ("resume", "restart")
UNCHANGED = ("refer", "store")


@dataclass(frozen=True)
class BatchOptions:
    """A checked batch.

    Attributes:
        contexts: what to export, without duplicates, in order.
        requests: one export request for each export type, for each kind of context.
        key_template: how packages are named; see ``archive.keys``.
        window: exports that Canvas may be working on at once for this batch.
        parallel_transfers: large packages moved at once; of those up to a mebibyte, up to 16 for each.
        parallel_ranges: connections over which one package of more than 256 MiB is fetched, where storage serves ranges.
        poll_interval: limits of the poll interval.
        deadline: how long a batch may take from its first attempt.
        stall_after: how long an export may show no progress.
        proof: how deeply packages are proven.
        unchanged: what becomes of a package that repeats a stored one: ``refer`` names that one in tonight's manifest,
            ``store`` stores it all the same.
        failure: when the batch has failed.
        on_clear: what a person's Clear does: ``resume`` keeps what is stored, ``restart`` exports everything anew.
        waits: how long the batch waits.
    """

    contexts: tuple[Context, ...]
    export_types: tuple[ExportType, ...]
    select: Mapping[str, Any] | None = None
    skip_notifications: bool = True
    version: str | None = None
    key_template: str = DEFAULT_TEMPLATE
    window: int = 50
    parallel_transfers: int = 4
    parallel_ranges: int = 1
    poll_interval: PollInterval = field(default_factory=PollInterval)
    deadline: timedelta = timedelta(hours=12)
    stall_after: timedelta = timedelta(hours=2)
    proof: ProofLevel = ProofLevel.DIRECTORY
    unchanged: str = "refer"
    failure: FailurePolicy = field(default_factory=lambda: FailurePolicy(0.0))
    on_clear: str = "resume"
    waits: Waits = field(default_factory=Waits)

    def request(self, export_type: ExportType, kind: ContextKind) -> ExportRequest:
        """The request for one export; its combination has been checked."""
        return ExportRequest.build(
            export_type.value,
            select=self.select,
            skip_notifications=self.skip_notifications,
            version=self.version if export_type is ExportType.COMMON_CARTRIDGE else None,
            kind=kind,
        )


def build_options(
    *,
    courses: str | int | Iterable[str | int] = (),
    groups: Iterable[str | int] = (),
    users: Iterable[str | int] = (),
    export_type: str | Iterable[str] = ExportType.COMMON_CARTRIDGE.value,
    select: Mapping[str, Any] | None = None,
    skip_notifications: bool = True,
    version: str | None = None,
    key_template: str | None = None,
    max_in_flight: int = 50,
    parallel_transfers: int = 4,
    parallel_ranges: int = 1,
    poll_shortest: float = 5.0,
    poll_longest: float = 60.0,
    deadline: timedelta = timedelta(hours=12),
    stall_after: timedelta = timedelta(hours=2),
    proof: str = ProofLevel.DIRECTORY.value,
    unchanged: str = "refer",
    fail_on: str = "any",
    on_clear: str = "resume",
) -> BatchOptions:
    """Check everything a person wrote about a batch. No I/O.

    Raises:
        InputError: names the field, what was written and what is accepted.
    """
    contexts = tuple(
        dict.fromkeys(
            Context.parse(text, field=name, kind=kind)
            for name, kind, texts in (
                ("courses", ContextKind.COURSE, courses),
                ("groups", ContextKind.GROUP, groups),
                ("users", ContextKind.USER, users),
            )
            for text in _listed(name, texts)
        )
    )
    export_types = tuple(dict.fromkeys(_export_type(value) for value in _listed("export_type", export_type)))
    if not export_types:
        raise InputError("export_type", "nothing is named", accepted=[each.value for each in ExportType])
    if not contexts:
        raise InputError("courses", "no course, group or user is named", accepted="at least one context")
    if len(contexts) * len(export_types) > MAX_EXPORTS:
        raise InputError(
            "courses",
            f"{len(contexts)} contexts in {len(export_types)} export types are more than one task should carry",
            accepted=f"at most {MAX_EXPORTS} exports a task; list the courses with CanvasListCoursesOperator and .expand()",
        )
    if proof not in ProofLevel._value2member_map_:
        raise InputError("proof", f"{proof!r} is not a level", accepted=[level.value for level in ProofLevel])
    if unchanged not in UNCHANGED:
        raise InputError("unchanged", f"{unchanged!r} is not known", accepted=UNCHANGED)
    if on_clear not in ON_CLEAR:
        raise InputError("on_clear", f"{on_clear!r} is not known", accepted=ON_CLEAR)
    window = _whole("max_in_flight", max_in_flight, 1, MAX_EXPORTS)
    at_once = _whole("parallel_transfers", parallel_transfers, 1, 16)
    shortest = _number("poll_shortest", poll_shortest, 0.1, 3600)
    longest = _number("poll_longest", poll_longest, shortest, 3600)
    _positive("deadline", deadline)
    _positive("stall_after", stall_after)
    template = key_template or DEFAULT_TEMPLATE
    check_template(template)
    options = BatchOptions(
        contexts=contexts,
        export_types=export_types,
        select=select,
        skip_notifications=_flag("skip_notifications", skip_notifications),
        version=version,
        key_template=template,
        window=window,
        parallel_transfers=at_once,
        parallel_ranges=_whole("parallel_ranges", parallel_ranges, 1, 8),
        poll_interval=PollInterval(shortest, longest),
        deadline=deadline,
        stall_after=stall_after,
        proof=ProofLevel(proof),
        unchanged=unchanged,
        failure=FailurePolicy.parse(fail_on),
        on_clear=on_clear,
    )
    if version is not None and ExportType.COMMON_CARTRIDGE not in export_types:
        raise InputError(
            "version", f"{version!r} means nothing to {export_types[0].value}", accepted="leave it out"
        )
    for kind in dict.fromkeys(context.kind for context in contexts):
        for each in export_types:
            options.request(each, kind)
    return options


def _listed(name: str, values: Any) -> list[Any]:
    """A list, whether one thing or several were written, or nothing."""
    if isinstance(values, (str, int)):
        return [values]
    try:
        return [] if values is None else list(values)
    except TypeError:
        raise InputError(name, f"{values!r} is not a list", accepted="one, or a list of them") from None


def _export_type(value: object) -> ExportType:
    text = str(value.value if isinstance(value, ExportType) else value).strip()
    if text not in ExportType._value2member_map_:
        raise InputError("export_type", f"{text!r} is not one", accepted=[each.value for each in ExportType])
    return ExportType(text)


# Numbers and flags may be text: Airflow renders a template to text unless the DAG asks for native values.


def _number(name: str, value: Any, least: float, most: float) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not least <= number <= most:
        raise InputError(name, f"{value!r} is not a number in range", accepted=f"{least:g} to {most:g}")
    return number


def _whole(name: str, value: Any, least: int, most: int) -> int:
    number = _number(name, value, least, most)
    if not number.is_integer():
        raise InputError(name, f"{value!r} is not a whole number", accepted=f"{least} to {most}")
    return int(number)


def _flag(name: str, value: Any) -> bool:
    known = {"true": True, "false": False}
    if str(value).lower() not in known:
        raise InputError(name, f"{value!r} is neither", accepted=known)
    return known[str(value).lower()]


def _positive(name: str, value: Any) -> None:
    if not isinstance(value, timedelta) or value <= timedelta(0):
        raise InputError(name, f"{value} is not a length of time", accepted="a timedelta above zero")
