"""The DAG that exports courses by hand, and its trigger form.

The first task refuses what the rules of the form cannot express, before anything is created in Canvas.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param

from canvas_exports.core.backups.fields import OPTIONS, SETTINGS
from canvas_exports.core.backups.schema import schema
from canvas_exports.core.model.runs import MANUAL_EXPORT
from canvas_exports.dags.backup_tasks import add_backup_tasks
from canvas_exports.dags.owners import ownership
from canvas_exports.dags.trigger_form import Filled, archive_field, canvas_field, field, setting_fields

WHAT = "Content"

_HELP = """
Exports courses from Canvas once, now. Fill in the form and trigger the DAG: it proves each package and stores it in the
archive, and the task `report` lists the outcome of every course.

For a scheduled backup, add a file to `include/backups/` instead.
"""


def canvas_export() -> DAG:
    """Build the DAG ``canvas_export``: three main fields, the others in collapsed sections."""
    with DAG(
        dag_id=MANUAL_EXPORT,
        dag_display_name="Canvas export: courses by hand",
        description="Export courses by hand. A form asks for the courses, the export type and the archive.",
        schedule=None,
        catchup=False,
        tags=["canvas"],
        doc_md=_HELP,
        params=form(),
        **ownership(),
    ) as dag:
        archive: Any = Filled("archive")  # resolved when a task runs, as all of them
        add_backup_tasks(
            archive=archive,
            export_types=Filled("export_type"),
            listing={name: Filled(name) for name in ("courses", "groups", "users")},
            options={name: Filled(name) for name in OPTIONS if name in form()},
            connections={"canvas_conn_id": Filled("canvas_conn_id")},
            settings={name: Filled(name) for name in SETTINGS},
            sweep_after="never",  # a manual export of a few courses does not list the whole archive
        )
    return dag


def form() -> dict[str, Param]:
    """Return the fields in the order of the form. Fields without a section are at the top."""
    lines: dict[str, Any] = {
        "type": ["array", "null"],
        "items": {"type": "string"},
        "default": None,
        "minItems": None,
        "examples": None,  # with examples, Airflow would offer a list to choose from
    }
    return {
        "courses": Param(
            [],
            title="Courses",
            description_md=(
                "Required, unless you name groups or users below. One course on each line: its id in Canvas, the address of "
                "its page (canvas.example.edu/courses/101), or its SIS id as sis_course_id:BIO-101. Ids may also be on one "
                "line, with commas between them."
            ),
            type=["array", "null"],
            items={"type": "string"},
        ),
        "export_type": Param(
            "common_cartridge",
            title="Export type",
            description_md="The type of the package of each course.",
            type="string",
            enum=schema()["properties"]["export_types"]["items"]["enum"],
            values_display={
                "common_cartridge": "The whole course (Common Cartridge, .imscc)",
                "qti": "Its classic quizzes (QTI, .zip)",
                "zip": "Its files (.zip)",
            },
        ),
        "archive": archive_field(),
        "groups": field("groups", section=WHAT, **lines),
        "users": field("users", section=WHAT, **lines),
        # The form submits {} for an object that was not edited, so here that means everything.
        "select": field(
            "select", section=WHAT, default=None, type=["object", "null"], minProperties=None, examples=None
        ),
        "version": field(
            "version",
            section=WHAT,
            default=None,
            type=["string", "null"],
            enum=[None, *schema()["properties"]["version"]["enum"]],
            values_display={"null": "1.1, Canvas's default"},
        ),
        "skip_notifications": field("skip_notifications", section=WHAT),
        "canvas_conn_id": canvas_field(),
        **setting_fields({}),
    }
