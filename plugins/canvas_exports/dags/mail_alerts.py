"""Who hears of a backup's runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from canvas_exports.notifications.run_report import RunReportNotifier


def mails(to: Sequence[str], when: str) -> dict[str, Any]:
    """Callbacks of a task that writes the run report: a mail to each address, through Airflow's SMTP connection.

    Args:
        to: addresses; nobody hears of anything without one.
        when: ``problems`` or ``always``; see ``RunReportNotifier``.
    """
    if not to:
        return {}
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier  # noqa: PLC0415 - only for who wants mail

    def notifier() -> list[RunReportNotifier]:
        return [RunReportNotifier(SmtpNotifier(to=list(to)), when=when)]

    return {"on_success_callback": notifier(), "on_failure_callback": notifier()}


def alarms(to: Sequence[str]) -> dict[str, Any]:
    """Callbacks of a task without which there is no report: a mail if it fails."""
    callbacks = mails(to, "problems")
    callbacks.pop("on_success_callback", None)
    return callbacks
