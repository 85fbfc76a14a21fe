"""What Airflow's provider manager reads. Importing it costs nothing and touches no network."""

from __future__ import annotations

from typing import Any

_INTEGRATION = "Canvas LMS"


def get_provider_info() -> dict[str, Any]:
    """Metadata of the provider: connection type with its form, hooks, operators, triggers, links, plugin."""
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
                "ui-field-behaviour": {
                    "hidden-fields": ["login"],
                    "relabeling": {"password": "Access token", "schema": "Scheme"},
                    "placeholders": {
                        "host": "canvas.example.edu",
                        "schema": "https",
                        "password": "an access token of an account administrator; empty with a refresh token",
                    },
                },
                "conn-fields": {
                    "client_id": {
                        "label": "Developer key",
                        "description": "In place of an access token: the number of a developer key of Canvas.",
                        "schema": {"type": ["string", "null"]},
                    },
                    "client_secret": {
                        "label": "Secret of the developer key",
                        "description": "What Canvas shows under Show Key.",
                        "schema": {"type": ["string", "null"], "format": "password"},
                    },
                    "refresh_token": {
                        "label": "Refresh token",
                        "description": "What Canvas gave when an account administrator allowed the developer key.",
                        "schema": {"type": ["string", "null"], "format": "password"},
                    },
                    "max_in_flight": {
                        "label": "Requests in flight",
                        "description": "How many requests this token may have under way at once. Canvas refuses beyond 11.",
                        "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 10},
                    },
                    "floor": {
                        "label": "Rate floor",
                        "description": "No request is made while less than this is left of the token's rate budget of 600.",
                        "schema": {"type": ["integer", "null"], "minimum": 50, "maximum": 390},
                    },
                    "verify": {
                        "label": "TLS verification",
                        "description": "true, false, or the path of a CA bundle on the workers and triggerers.",
                        "schema": {"type": ["string", "null"]},
                    },
                    "progress_api": {
                        "label": "Progress by",
                        "description": "rest, or graphql: up to 20 running exports are looked at with one request.",
                        "schema": {"type": ["string", "null"], "enum": ["rest", "graphql", None]},
                    },
                },
            }
        ],
        "hooks": [{"integration-name": _INTEGRATION, "python-modules": ["canvas_exports.hooks.canvas"]}],
        "operators": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "canvas_exports.operators.archive_gate",
                    "canvas_exports.operators.content_export",
                    "canvas_exports.operators.list_courses",
                    "canvas_exports.operators.retention",
                    "canvas_exports.operators.run_report",
                    "canvas_exports.operators.verify",
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
        "notifications": ["canvas_exports.notifications.run_report.RunReportNotifier"],
        "extra-links": [
            "canvas_exports.operators.links.CanvasLink",
            "canvas_exports.operators.links.RunReportLink",
        ],
        "plugins": [{"name": "canvas_exports", "plugin-class": "canvas_exports.plugin.CanvasExportsPlugin"}],
    }
