"""Buttons on a task's page: to Canvas, and to the run report."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from airflow.sdk import BaseOperatorLink

from canvas_exports.core.model.contexts import Context


class CanvasLink(BaseOperatorLink):
    """Link to the course in Canvas; of a batch, to Canvas itself. Known once the task has begun."""

    name = "Canvas"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow's signature
        """Return the address, or an empty string."""
        return getattr(operator, "canvas_url", None) or ""


class RunReportLink(BaseOperatorLink):
    """Link to the report's page in Airflow; of a batch, to its document in the console of the archive's cloud.

    A document on a disk, on SFTP, or in a store without a console has no link: a browser cannot open it. The task's log
    names it.
    """

    name = "Run report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow's signature
        """Return the address, or an empty string."""
        address = getattr(operator, "report_url", None) or ""
        return address if address.startswith(("https://", "http://", "/")) else ""


def context_url(host: str, context: Context) -> str:
    """Return the address of a course, a group or a user in Canvas, by any of its ids.

    A dot is encoded too: Canvas takes what follows the last one for the format that is asked for.
    """
    return f"{host}/{context.kind.collection}/{quote(context.id, safe=':').replace('.', '%2E')}"


def report_url(archive: str, key: str) -> str:
    """Return the address at which a person can open an object of an archive."""
    uri = f"{archive.rstrip('/')}/{key}"
    parts = urlsplit(uri)
    path = quote(parts.path.lstrip("/"))
    if parts.scheme == "s3":
        return f"https://console.aws.amazon.com/s3/object/{parts.netloc}?prefix={path}"
    if parts.scheme == "gs":
        return f"https://console.cloud.google.com/storage/browser/_details/{parts.netloc}/{path}"
    return uri
