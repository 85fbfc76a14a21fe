"""The DAG that a person starts by hand, and its trigger form.

The fields of the form have the rules, defaults and help texts of a backup file's fields, from the same JSON Schema.
What a rule cannot say is refused by the first task that would use it, before anything is created in Canvas.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param

from canvas_exports.backups.checks import OPTIONS
from canvas_exports.backups.schema import schema
from canvas_exports.dags.tasks import back_up

WHAT = "What exactly"
WHERE = "Where"
HOW = "How"

_LINE = r"^\s*(course:)?([0-9]{1,19}|(sis_course_id|sis_integration_id|lti_context_id|uuid):.+)?\s*$"
_URI = r"^\s*([A-Za-z][A-Za-z0-9+.-]*://([^\s/?#@:]+@)?[^\s/?#@]*(/[^\s?#]*)?)?\s*$"
_HELP = """
Exports courses from Canvas once, now. Fill in the form and trigger the DAG: each course's package is proven whole and
stored in the archive, and the task `report` tells what became of every course.

For a backup that comes back by itself, add a file to `include/backups/` instead.
"""


def canvas_export() -> DAG:
    """The DAG ``canvas_export``: three fields to fill in, the rest in collapsed sections."""
    with DAG(
        dag_id="canvas_export",
        description="Export courses by hand: a form asks which, as what, and where to.",
        schedule=None,
        catchup=False,
        tags=["canvas"],
        doc_md=_HELP,
        params=form(),
        render_template_as_native_obj=True,
    ) as dag:
        back_up(
            archive="{{ (params.archive or '') | trim or var.value.canvas_archive }}",
            export_types="{{ params.export_type }}",
            listing={
                "courses": _lines("courses"),
                "groups": _lines("groups"),
                "users": _lines("users"),
                "batch_size": _param("batch_size"),
            },
            options={name: _param(name) for name in OPTIONS},
            connections={
                "archive_conn_id": "{{ params.archive_conn_id or none }}",
                "canvas_conn_id": _param("canvas_conn_id"),
            },
            fail_on=_param("fail_on"),
        )
    return dag


def form() -> dict[str, Param]:
    """The fields in the order of the form; those without a section stand open at the top."""
    one_line = {"type": ["array", "null"], "items": {"type": "string"}, "examples": None, "minItems": None}
    return {
        "courses": Param(
            [],
            title="Courses",
            description_md=(
                "One course on each line: its number in Canvas (the `101` in `.../courses/101`), or its SIS id as "
                "`sis_course_id:BIO-101`."
            ),
            type=["array", "null"],
            items={"type": "string", "pattern": _LINE},
        ),
        "export_type": _field(
            "export_types",
            default="common_cartridge",
            title="Export type",
            description_md="What to export of each course.",
            type="string",
            enum=schema()["properties"]["export_types"]["items"]["enum"],
            values_display={
                "common_cartridge": "The whole course (Common Cartridge, .imscc)",
                "qti": "Its classic quizzes (QTI, .zip)",
                "zip": "Its files (.zip)",
            },
            items=None,
            minItems=None,
            uniqueItems=None,
        ),
        "archive": _field(
            "archive",
            default=None,
            description_md=(
                "Where packages go: the root of the archive, such as `s3://campus-backups/canvas`. Left empty, it is the "
                "Airflow Variable `canvas_archive`, which an administrator sets once under Admin, Variables."
            ),
            type=["string", "null"],
            pattern=_URI,
            examples=None,
        ),
        "groups": _field("groups", section=WHAT, default=None, **one_line),
        "users": _field("users", section=WHAT, default=None, **one_line),
        "select": _field("select", section=WHAT, default=None, type=["object", "null"], examples=None),
        "version": _field(
            "version",
            section=WHAT,
            default=None,
            type=["string", "null"],
            enum=[None, *schema()["properties"]["version"]["enum"]],
            values_display={"null": "1.1, Canvas's default"},
        ),
        "skip_notifications": _field("skip_notifications", section=WHAT),
        "archive_conn_id": _field(
            "archive_conn_id", section=WHERE, default=None, type=["string", "null"], minLength=None
        ),
        "canvas_conn_id": _field("canvas_conn_id", section=WHERE),
        "key_template": _field("key_template", section=WHERE),
        **{name: _field(name, section=HOW) for name in ("batch_size", "max_in_flight", "parallel_transfers")},
        **{name: _field(name, section=HOW, examples=None) for name in ("deadline", "stall_after")},
        "proof": _field("proof", section=HOW, type="string"),
        "fail_on": _field("fail_on", section=HOW),
    }


def _field(name: str, **changes: Any) -> Param:
    """A form field for a field of a backup file; a keyword that is changed to ``None`` is dropped."""
    rule = dict(schema()["properties"][name])
    rule["description_md"] = rule.pop("description")
    rule.update(changes)
    default = rule.pop("default")
    return Param(default, **{keyword: value for keyword, value in rule.items() if value is not None})


def _param(name: str) -> str:
    return f"{{{{ params.{name} }}}}"


def _lines(name: str) -> str:
    """The lines of a field that hold something; the form sends an empty last line along."""
    return f"{{{{ (params.{name} or []) | map('trim') | select | list }}}}"
