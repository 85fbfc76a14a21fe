"""Mails about the runs of a backup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from canvas_exports.notifications.run_report import RunReportNotifier


def report_mails(to: Sequence[str], when: str) -> dict[str, Any]:
    """Return callbacks of the task that writes the run report: mails through Airflow's SMTP connection.

    Args:
        to: addresses; without one there are no mails.
        when: ``problems`` or ``always``; see ``RunReportNotifier``.
    """
    if not to:
        return {}
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier  # noqa: PLC0415 - only needed for mails

    def notifier() -> list[RunReportNotifier]:
        return [RunReportNotifier(SmtpNotifier(to=list(to)), when=when)]

    return {"on_success_callback": notifier(), "on_failure_callback": notifier()}


def failure_mails(to: Sequence[str]) -> dict[str, Any]:
    """Return callbacks of a task without which there is no report: a mail if it fails."""
    callbacks = report_mails(to, "problems")
    callbacks.pop("on_success_callback", None)
    return callbacks
