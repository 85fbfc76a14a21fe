"""Tell people what became of a run, through whichever notifier they use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

from canvas_exports.core.reports.message import Message, no_report
from canvas_exports.errors import InputError

if TYPE_CHECKING:
    from airflow.sdk import Context

#: Ready templates for the fields of a notifier: one line, a plain text, a piece of HTML.
SUBJECT = "{{ run_report.subject }}"
TEXT = "{{ run_report.text }}"
HTML = "{{ run_report.html }}"

WHEN = ("problems", "always")

#: By the names that Airflow's notifiers give to such fields.
_READY = {"subject": SUBJECT, "html_content": HTML, "text": TEXT, "body": TEXT, "message": TEXT}


class RunReportNotifier(BaseNotifier):
    """Sends the run report's message through another notifier, such as Airflow's ``SmtpNotifier``.

    For ``on_success_callback`` and ``on_failure_callback`` of a ``CanvasRunReportOperator``: its message is the verdict,
    the totals, and the exports that need a person. As the ``on_failure_callback`` of any other task, it says that there is
    no report, and why.

    The other notifier's templates may use ``run_report``, with ``subject``, ``text``, ``html`` and ``problems``. Its
    fields ``subject``, ``html_content``, ``text``, ``body`` and ``message`` are filled by themselves where it has them and
    nothing was given. Nothing that a course is called is ever taken for a template.

    Airflow logs a message that could not be sent; the task ends as it would have.

    Args:
        notifier: any Airflow notifier.
        when: ``problems``: only if an export made no good copy, or there is no report. ``always``: after every run.

    Raises:
        InputError: another ``when``.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, notifier: BaseNotifier, *, when: str = "problems", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if when not in WHEN:
            raise InputError("when", f"{when!r} is not known", accepted=" or ".join(WHEN))
        for name, ready in _READY.items():
            if name in notifier.template_fields and getattr(notifier, name, "") is None:
                setattr(notifier, name, ready)
        self.notifier = notifier
        self.when = when

    def notify(self, context: Context) -> None:
        """Send the message, if this run is worth one."""
        message = _message(context)
        if message.problems or self.when == "always":
            self.notifier({**context, "run_report": message})


def _message(context: Context) -> Message:
    """What the report's task left; for every other end of a task, what Airflow knows of it."""
    instance = context["ti"]
    written = getattr(getattr(instance, "task", None), "message", None)
    if isinstance(written, Message):
        return written
    reason = context.get("exception") or context.get("reason") or "read its log"
    return no_report(instance.dag_id, instance.run_id, f"the task {instance.task_id} failed: {reason}")
