"""Describe the provider for Airflow's provider manager. Importing it loads little else and uses no network."""

from __future__ import annotations

from typing import Any

from canvas_exports.hooks.connection_forms import ARCHIVE_FORM, CANVAS_FORM
from canvas_exports.web.archive_page.settings.options import provider_config

_INTEGRATION = "Canvas LMS"


def get_provider_info() -> dict[str, Any]:
    """Return the metadata of the provider: connection type with its form, hooks, operators, triggers, links, plugin."""
    return {
        "package-name": "airflow-provider-canvas-exports",
        "name": "Canvas LMS content exports",
        "description": "Backs up Canvas LMS courses: content exports, proven and published to object storage.",
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://canvas.instructure.com/doc/api/content_exports.html",
                "tags": ["service"],
            }
        ],
        "connection-types": [
            {
                "connection-type": "canvas",
                "hook-class-name": "canvas_exports.hooks.canvas.CanvasHook",
                "hook-name": "Canvas LMS",
                **CANVAS_FORM,
            },
            {
                "connection-type": "canvas_archive",
                "hook-class-name": "canvas_exports.hooks.archive_connection.CanvasArchiveHook",
                "hook-name": "Canvas archive",
                **ARCHIVE_FORM,
            },
        ],
        "hooks": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": ["canvas_exports.hooks.canvas", "canvas_exports.hooks.archive_connection"],
            }
        ],
        "operators": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "canvas_exports.operators.archive_gate",
                    "canvas_exports.operators.content_export",
                    "canvas_exports.operators.hold",
                    "canvas_exports.operators.list_courses",
                    "canvas_exports.operators.retention",
                    "canvas_exports.operators.run_report",
                    "canvas_exports.operators.search_index",
                    "canvas_exports.operators.verify",
                    "canvas_exports.operators.publish",
                    "canvas_exports.operators.restore",
                    "canvas_exports.operators.drill",
                ],
            }
        ],
        "triggers": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "canvas_exports.triggers.content_export",
                    "canvas_exports.triggers.restore",
                ],
            }
        ],
        "config": provider_config(),
        "notifications": ["canvas_exports.notifications.run_report.RunReportNotifier"],
        "extra-links": [
            "canvas_exports.operators.links.CanvasLink",
            "canvas_exports.operators.links.RunReportLink",
        ],
        "plugins": [{"name": "canvas_exports", "plugin-class": "canvas_exports.plugin.CanvasExportsPlugin"}],
    }
