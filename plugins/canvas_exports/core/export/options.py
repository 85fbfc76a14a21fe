"""Declare the options of a batch, and check what a person wrote before anything is created."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from canvas_exports.core.archive.layout import DEFAULT_TEMPLATE, check_template
from canvas_exports.core.canvas.api.export_request import VERSION, ExportRequest
from canvas_exports.core.export.failure_policy import FailurePolicy
from canvas_exports.core.export.option import Option, Values, duration, flag, number, one_of, option, whole
from canvas_exports.core.export.polling.interval import PollInterval
from canvas_exports.core.export.waits import Waits
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.durations import read_duration, write_duration
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.errors import InputError

_SHORTEST_LIMIT, _LONGEST_LIMIT = timedelta(days=1), timedelta(days=30)

MAX_EXPORTS = 200  # of one task: its checkpoint stays below the 64 KiB that Airflow warns of


def _read_template(_: str, value: str | None) -> str:
    template = value or DEFAULT_TEMPLATE
    check_template(template)
    return template


def _read_policy(name: str, value: Any) -> FailurePolicy:
    return FailurePolicy.parse(value, field=name)


def _read_limit(name: str, value: Any) -> timedelta | None:
    """Read the longest time without a real export; ``never`` skips nothing."""
    if value is None or value == "never":
        return None
    limit = read_duration(value, field=name)
    if not _SHORTEST_LIMIT <= limit <= _LONGEST_LIMIT:
        raise InputError(name, f"{write_duration(limit)} is out of range", accepted="P1D to P30D, or never")
    return limit


def _unread(_: str, value: Any) -> Any:
    """Leave a value to the check of the export request."""
    return value


@dataclass(frozen=True)
class BatchOptions:
    """A checked batch. The metadata of each option (see ``OPTIONS``) says what it means.

    Attributes:
        contexts: what to export, without duplicates, in order.
        export_types: as what, without duplicates, in order.
        waits: how long the batch waits.
    """

    contexts: tuple[Context, ...]
    export_types: tuple[ExportType, ...]
    select: Mapping[str, Any] | None = option(
        None,
        Values(
            _unread, {"type": "object", "minProperties": 1, "examples": [{"modules": [12, 13], "pages": [4]}]}
        ),
        "Selection",
        "Export only these objects: a mapping of object types to lists of ids. Without it, everything.",
        group="what",
    )
    skip_notifications: bool = option(
        True,
        flag(),
        "Skip notifications",
        "Canvas sends no message about the exports. If false, the access token's user gets a message about each.",
        group="what",
    )
    version: str | None = option(
        None,
        Values(_unread, {"enum": [VERSION]}),
        "Cartridge version",
        "1.3 for a Common Cartridge 1.3. Without it, Canvas writes 1.1.",
        group="what",
    )
    key_template: str = option(
        DEFAULT_TEMPLATE,
        Values(
            _read_template,
            {"type": "string", "examples": [DEFAULT_TEMPLATE, "{term}/{course_code}-{export_id}"]},
        ),
        "Key template",
        "How a package is named below its course's folder: letters, digits, . _ = - / and {created}, {export_type}, "
        "{export_id}, {course_code}, {sis_id}, {name}, {term}.",
        group="what",
    )
    max_in_flight: int = option(
        50,
        whole(1, MAX_EXPORTS),
        "Exports in flight",
        "How many exports Canvas may have at once for one batch. It is asked for fewer as long as those queue.",
        group="how",
    )
    parallel_transfers: int = option(
        4,
        whole(1, 16),
        "Parallel transfers",
        "How many packages one batch moves into the archive at once; of those up to 1 MiB, up to 16 for each.",
        group="how",
    )
    parallel_ranges: int = option(
        1,
        whole(1, 8),
        "Parallel ranges",
        "Over how many connections one package of more than 256 MiB is downloaded, where storage can serve parts of it. More "
        "than one is worth it where every connection is throttled.",
        group="how",
    )
    deadline: timedelta = option(
        "PT12H",
        duration("PT12H", "P2D"),
        "Deadline",
        "How long a batch may take, from its first attempt. What is not done by then is reported as stalled. ISO 8601: PT12H "
        "is twelve hours.",
        group="how",
    )
    stall_after: timedelta = option(
        "PT2H",
        duration("PT2H", "PT45M"),
        "Stalled after",
        "An export that shows no progress for this long is given up and reported as stalled. ISO 8601: PT2H is two hours.",
        group="how",
    )
    proof: ProofLevel = option(
        ProofLevel.DIRECTORY.value,
        one_of(*(level.value for level in ProofLevel), make=ProofLevel),
        "Proof",
        "How deeply a package is proven before it is published. directory reads the zip's directory and the cartridge's "
        "manifest, full also reads back what was stored and unpacks every member.",
        group="how",
    )
    unchanged: str = option(
        "refer",
        one_of("refer", "store"),
        "Unchanged courses",
        "What becomes of a package that holds just what the newest proven copy holds: refer writes a manifest that names the "
        "package that is stored, store stores it all the same.",
        group="how",
    )
    skip_unchanged: timedelta | None = option(
        "never",
        Values(_read_limit, {"type": "string", "examples": ["P7D", "P1D", "never"]}),
        "Skip unchanged courses",
        "A course for which Canvas shows no change since its newest proven copy is not exported; a new manifest confirms that "
        "copy. This is the longest time without a real export, P1D to P30D in ISO 8601; never exports every course in every run.",
        group="how",
    )
    fail_on: FailurePolicy = option(
        "any",
        Values(_read_policy, {"type": "string", "examples": ["any", "5%", "never"]}),
        "Fail on",
        "When the run counts as failed: any export without a whole copy, a percentage of them such as 5%, or never. The "
        "report is complete either way.",
        group="how",
    )
    poll_shortest: float = option(
        5.0, number(0.1, 3600), "Shortest interval", "Seconds between two polls of one export, at least."
    )
    poll_longest: float = option(
        60.0, number(0.1, 3600), "Longest interval", "Seconds between two polls of one export, at most."
    )
    on_clear: str = option(
        "resume",
        one_of("resume", "restart"),
        "On clear",
        "What a person's Clear does: resume keeps what is stored, restart exports all of it again.",
    )
    waits: Waits = field(default_factory=Waits)

    @property
    def poll_interval(self) -> PollInterval:
        """Return the limits of the poll interval."""
        return PollInterval(self.poll_shortest, self.poll_longest)

    def request(self, export_type: ExportType, kind: ContextKind) -> ExportRequest:
        """Return the request for one export; its combination has been checked."""
        return ExportRequest.build(
            export_type.value,
            select=self.select,
            skip_notifications=self.skip_notifications,
            version=self.version if export_type is ExportType.COMMON_CARTRIDGE else None,
            kind=kind,
        )


OPTIONS: Mapping[str, Option] = {
    each.name: each.metadata["option"] for each in fields(BatchOptions) if "option" in each.metadata
}


def build_options(
    *,
    courses: str | int | Iterable[str | int] = (),
    groups: Iterable[str | int] = (),
    users: Iterable[str | int] = (),
    export_type: str | Iterable[str] = ExportType.COMMON_CARTRIDGE.value,
    **written: Any,
) -> BatchOptions:
    """Check everything a person wrote about a batch. No I/O.

    Args:
        courses: what to export: ids, SIS ids or contexts.
        groups: likewise.
        users: likewise.
        export_type: as what; one, or several.
        written: values of ``OPTIONS`` by name; what is missing has its default.

    Raises:
        InputError: names the field, what was written and what is accepted.
    """
    if unknown := written.keys() - OPTIONS.keys():
        raise TypeError(f"no options of a batch: {', '.join(sorted(unknown))}")
    contexts = tuple(
        dict.fromkeys(
            Context.parse(text, field=name, kind=kind)
            for name, kind, texts in (
                ("courses", ContextKind.COURSE, courses),
                ("groups", ContextKind.GROUP, groups),
                ("users", ContextKind.USER, users),
            )
            for text in _as_list(name, texts)
        )
    )
    export_types = tuple(dict.fromkeys(_export_type(value) for value in _as_list("export_type", export_type)))
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
    checked = {
        name: each.values.read(name, written[name]) for name, each in OPTIONS.items() if name in written
    }
    options = BatchOptions(contexts, export_types, **checked)
    if options.poll_longest < options.poll_shortest:
        number(options.poll_shortest, 3600).read(
            "poll_longest", written.get("poll_longest", options.poll_longest)
        )
    if options.version is not None and ExportType.COMMON_CARTRIDGE not in export_types:
        raise InputError(
            "version",
            f"{options.version!r} means nothing to {export_types[0].value}",
            accepted="leave it out",
        )
    for kind in dict.fromkeys(context.kind for context in contexts):
        for each_type in export_types:
            options.request(each_type, kind)
    return options


def _as_list(name: str, values: Any) -> list[Any]:
    """Return a list, from one value, several, or none."""
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
