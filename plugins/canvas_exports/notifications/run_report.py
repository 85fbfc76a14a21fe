"""Send the run report's message through any Airflow notifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

from canvas_exports.errors import InputError

if TYPE_CHECKING:
    from airflow.sdk import Context

    from canvas_exports.core.reports.message import Message

#: Ready templates for the fields of a notifier: one line, a plain text, a piece of HTML.
SUBJECT = "{{ run_report.subject }}"
TEXT = "{{ run_report.text }}"
HTML = "{{ run_report.html }}"

WHEN = ("problems", "always")

#: By the names that Airflow's notifiers give to such fields.
_READY = {"subject": SUBJECT, "html_content": HTML, "text": TEXT, "body": TEXT, "message": TEXT}


class RunReportNotifier(BaseNotifier):
    """Sends the run report's message through another notifier, such as Airflow's ``SmtpNotifier``.

    Use it as ``on_success_callback`` and ``on_failure_callback`` of a ``CanvasRunReportOperator``: its message has the
    verdict, the totals, and the exports with problems. As the ``on_failure_callback`` of any other task, it reports that the
    run has no report, with the reason.

    The other notifier's templates may use ``run_report``, with ``subject``, ``text``, ``html``, ``problems`` and ``alarms``. Its fields
    ``subject``, ``html_content``, ``text``, ``body`` and ``message`` get default templates if they exist and are not set.
    Names of courses are never rendered as templates.

    Airflow logs a message that could not be sent; the state of the task does not change.

    Args:
        notifier: any Airflow notifier.
        when: ``problems``: only if an export made no good copy, there is an alarm, or there is no report. ``always``: after every run.

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
        """Send the message, if ``when`` says so."""
        message = _message(context)
        if message.problems or message.alarms or self.when == "always":
            self.notifier({**context, "run_report": message})


def _message(context: Context) -> Message:
    """Return the message of the report's task; for any other task, a message with the reason of its failure."""
    from canvas_exports.core.model.causes import cause_of
    from canvas_exports.core.reports.message import Message, missing_report

    instance = context["ti"]
    written = getattr(getattr(instance, "task", None), "message", None)
    if isinstance(written, Message):
        return written
    reason = context.get("exception") or context.get("reason") or "read its log"
    failed = f"the task {instance.task_id} failed: {reason}"
    error = context.get("exception")
    known = cause_of(error if isinstance(error, BaseException) else None)
    cause = known or getattr(error, "canvas_exports_cause", None)
    return missing_report(instance.dag_id, instance.run_id, failed, cause=cause)
