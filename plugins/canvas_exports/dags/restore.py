"""The DAG that restores a course, and its trigger form.

The task refuses what the rules of the form cannot express, before anything is sent to Canvas.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param

from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.restore.choices import FAIL_ON, NEWEST, UPLOAD, URL
from canvas_exports.core.restore.form_labels import LABELS
from canvas_exports.dags.backup_tasks import RETRY_DELAY
from canvas_exports.dags.owners import ownership
from canvas_exports.dags.trigger_form import RUN_SETTINGS, Filled, connection_fields, field
from canvas_exports.operators.restore import CanvasRestoreOperator

SAFEGUARDS = "Safeguards"

_HELP = """
Restores the content of a course from its copy in the archive, into another, empty course.

1. Create an empty course in Canvas, or ask an administrator to create one.
2. Fill in the form: the course, the copy, and the target course.
3. If the task succeeds, all of the content is restored. If it fails, its log shows the reason, and the button *Canvas* on
   its tab *Details* opens the page with the issues that Canvas reported.

Deletes nothing. Does not restore enrolments, submissions and grades: no copy holds them.
"""


def canvas_restore() -> DAG:
    """Build the DAG ``canvas_restore``: three required fields, and safeguards that a person may switch off."""
    with DAG(
        dag_id="canvas_restore",
        dag_display_name="Canvas restore: a course from the archive",
        description="Restore a course from the archive. A form asks for the course, the copy and the target course.",
        schedule=None,
        catchup=False,
        tags=["canvas"],
        doc_md=_HELP,
        params=form(),
        **ownership(),
    ) as dag:
        filled: dict[str, Any] = {name: Filled(name) for name in form()}  # resolved when the task runs
        CanvasRestoreOperator(
            task_id="restore",
            deferrable=True,
            retries=3,
            retry_delay=RETRY_DELAY,
            **filled,
        )
    return dag


def form() -> dict[str, Param]:
    """Return the fields in the order of the form. Fields without a section are at the top."""
    return {
        "course": Param(
            None,
            title=LABELS["course"],
            description_md=(
                "Required. Its id in Canvas or the address of its page (canvas.example.edu/courses/101), also if it is "
                "deleted; or its SIS id, course code or name. A deleted course is found in the archive."
            ),
            type="string",
        ),
        "copy": Param(
            NEWEST,
            title=LABELS["copy"],
            description_md=(
                "newest: the newest proven copy. Or a day such as 2026-11-20: the newest proven copy at the end of that "
                "day (UTC). Or the number of an export, or the key of a manifest in the archive."
            ),
            type=["string", "null"],
            examples=[NEWEST],
        ),
        "into": Param(
            None,
            title=LABELS["into"],
            description_md=(
                "Required. An empty course: its id, the address of its page, or its SIS id as sis_course_id:BIO-101. The task "
                "checks it before it sends anything."
            ),
            type="string",
        ),
        "confirm_same_course": Param(
            None,
            section=SAFEGUARDS,
            title=LABELS["confirm_same_course"],
            description_md=(
                "Only to restore into the course from which the copy was made, which overwrites its content: enter the id of "
                "that course."
            ),
            type=["string", "null"],
        ),
        "allow_content": Param(
            False,
            section=SAFEGUARDS,
            title=LABELS["allow_content"],
            description_md=(
                "Items that are both in the copy and in the course are overwritten. Other items of the course stay. This "
                "cannot be undone."
            ),
            type="boolean",
        ),
        "allow_incomplete": Param(
            False,
            section=SAFEGUARDS,
            title=LABELS["allow_incomplete"],
            description_md="Restore a copy with missing files if there is no better copy.",
            type="boolean",
        ),
        "fail_on": Param(
            FAIL_ON[0],
            section=SAFEGUARDS,
            title=LABELS["fail_on"],
            description_md="Canvas can finish an import and report issues.",
            type="string",
            enum=list(FAIL_ON),
            values_display={
                "issues": "if Canvas reported any issue",
                "errors": "if Canvas reported an error",
                "failure": "only if the import failed",
            },
        ),
        **connection_fields(),
        "export_type": Param(
            "common_cartridge",
            section=RUN_SETTINGS,
            title=LABELS["export_type"],
            description_md="The type of the exported package.",
            type="string",
            enum=["common_cartridge", "qti", "zip"],
            values_display={
                "common_cartridge": "The whole course (Common Cartridge, .imscc)",
                "qti": "Its classic quizzes (QTI, .zip)",
                "zip": "Its files (.zip)",
            },
        ),
        "proof": Param(
            PROOF_LEVELS[0],
            section=RUN_SETTINGS,
            title=LABELS["proof"],
            description_md="How the copy is proven before the upload. full reads and unpacks all of it.",
            type="string",
            enum=list(PROOF_LEVELS),
        ),
        "via": Param(
            UPLOAD,
            section=RUN_SETTINGS,
            title=LABELS["via"],
            description_md=(
                "upload sends the copy through Airflow. With url, Canvas downloads it from the archive by a link that is "
                "valid for six hours. The archive must support signed links, and Canvas must be able to reach it."
            ),
            type="string",
            enum=[UPLOAD, URL],
        ),
        "deadline": field(
            "deadline",
            section=RUN_SETTINGS,
            description_md="Longest duration of the restore in ISO 8601: PT12H is twelve hours.",
        ),
    }
