"""The DAG that brings a course back, and its form for a help desk.

What the form's rules cannot say is refused by the task before anything is sent to Canvas.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param

from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.restore.form_labels import LABELS
from canvas_exports.core.restore.request import NEWEST, UPLOAD, URL
from canvas_exports.dags.backup_tasks import RETRY_DELAY
from canvas_exports.dags.trigger_form import Filled, archive_field, canvas_field, field
from canvas_exports.operators.restore import FAIL_ON, CanvasRestoreOperator

SAFEGUARDS = "Safeguards"
WHERE = "Where"
HOW = "How"

_HELP = """
Brings the content of a course back from its copy in the archive, into another, empty course.

1. In Canvas, make an empty course, or ask somebody who may.
2. Fill in the form: which course, which copy of it, and into which course.
3. When the task is green, everything is there. When it is red, its log says why, and the button *Canvas* leads to the page
   on which Canvas lists what it noted.

Nothing is deleted. Enrolments, submissions and grades are in no copy, so they do not come back.
"""


def canvas_restore() -> DAG:
    """The DAG ``canvas_restore``: three questions, and safeguards that are off only where a person says so."""
    with DAG(
        dag_id="canvas_restore",
        description="Bring a course back from the archive: a form asks which, as of when, and into which course.",
        schedule=None,
        catchup=False,
        tags=["canvas"],
        doc_md=_HELP,
        params=form(),
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
    """The fields in the order of the form; those without a section stand open at the top."""
    return {
        "course": Param(
            None,
            title=LABELS["course"],
            description_md=(
                "Required. Its number in Canvas or its page's address (canvas.example.edu/courses/101), also if it "
                "is deleted there; or its SIS id, code or name: what Canvas no longer knows is found in the archive."
            ),
            type="string",
        ),
        "copy": Param(
            NEWEST,
            title=LABELS["copy"],
            description_md=(
                "newest: the newest proven one. Or a day such as 2026-11-20: the newest proven one at the end of that "
                "day (UTC). Or the key of a manifest in the archive."
            ),
            type=["string", "null"],
            examples=[NEWEST],
        ),
        "into": Param(
            None,
            title=LABELS["into"],
            description_md=(
                "Required. An empty course: its number, its page's address, or its SIS id as sis_course_id:BIO-101. It is looked "
                "at before anything is sent."
            ),
            type="string",
        ),
        "confirm_same_course": Param(
            None,
            section=SAFEGUARDS,
            title=LABELS["confirm_same_course"],
            description_md=(
                "Only to restore into the very course that the copy was made of, which overwrites what is there: repeat "
                "its number here."
            ),
            type=["string", "null"],
        ),
        "allow_content": Param(
            False,
            section=SAFEGUARDS,
            title=LABELS["allow_content"],
            description_md=(
                "What is both in the copy and in the course is overwritten, what is only in the course stays. It cannot be "
                "undone."
            ),
            type="boolean",
        ),
        "allow_incomplete": Param(
            False,
            section=SAFEGUARDS,
            title=LABELS["allow_incomplete"],
            description_md="For want of a better one: a copy in which files are known to be missing.",
            type="boolean",
        ),
        "fail_on": Param(
            FAIL_ON[0],
            section=SAFEGUARDS,
            title=LABELS["fail_on"],
            description_md="Canvas may import a copy and note what it could not do.",
            type="string",
            enum=list(FAIL_ON),
            values_display={
                "issues": "if Canvas noted anything",
                "errors": "if Canvas noted errors",
                "failure": "only if the import failed",
            },
        ),
        "archive": archive_field(section=WHERE),
        "canvas_conn_id": canvas_field(section=WHERE),
        "export_type": Param(
            "common_cartridge",
            section=HOW,
            title=LABELS["export_type"],
            description_md="What was exported of the course.",
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
            section=HOW,
            title=LABELS["proof"],
            description_md="How deep the copy is proven before anything is sent; full reads and unpacks all of it.",
            type="string",
            enum=list(PROOF_LEVELS),
        ),
        "via": Param(
            UPLOAD,
            section=HOW,
            title=LABELS["via"],
            description_md=(
                "upload sends the copy through Airflow. With url, Canvas fetches it from the archive by a link that is "
                "good for six hours; the archive must be able to sign links, and Canvas to reach it."
            ),
            type="string",
            enum=[UPLOAD, URL],
        ),
        "deadline": field(
            "deadline",
            section=HOW,
            description_md="How long it may take. ISO 8601: PT12H is twelve hours.",
        ),
    }
