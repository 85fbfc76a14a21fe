"""The options of the section ``[canvas_exports]`` of Airflow's configuration, as the provider declares them."""

from __future__ import annotations

from typing import Any

SECTION = "canvas_exports"

CACHE_SECONDS, LEAST_CACHE, MOST_CACHE = 300, 10, 86_400

#: Options with their defaults, by name.
DEFAULTS = {
    "archives": "",
    "content_roles": "",
    "cache_seconds": str(CACHE_SECONDS),
    "restore_dag_id": "canvas_restore",
    "export_dag_id": "canvas_export",
    "hold_dag_id": "canvas_hold",
}

_DESCRIPTIONS = {
    "archives": (
        (
            "Archives that the page *Canvas archive* shows, with commas or line breaks between them. Each is the id of a "
            "connection of type Canvas archive, or a name with such an id or a root URI after an equals sign. A URI is opened "
            "with the identity of the API server. The page needs read rights only, and opens nothing else."
        ),
        "canvas_archive, Closed = s3://campus-archive-2019/canvas",
    ),
    "content_roles": (
        (
            "Roles whose users may read the contents of packages on the page and download packages, with commas between them, "
            "written as the auth manager has them. Empty: nobody may. Every look is written to Airflow's audit log."
        ),
        "Admin, Registrar",
    ),
    "cache_seconds": (
        f"How many seconds the page shows what it has read of an archive, {LEAST_CACHE} to {MOST_CACHE}.",
        "600",
    ),
    "restore_dag_id": ("The DAG that *Restore* on the page of a course triggers.", "canvas_restore"),
    "export_dag_id": ("The DAG that *Back up now* on the page of a course triggers.", "canvas_export"),
    "hold_dag_id": ("The DAG that *Hold* on the page of a course triggers.", "canvas_hold"),
}


def provider_config() -> dict[str, Any]:
    """Return the section as the provider's info declares it to Airflow."""
    return {
        SECTION: {
            "description": "The page *Canvas archive* in Airflow's navigation.",
            "options": {
                name: {
                    "description": description,
                    "version_added": "0.2.0",
                    "type": "integer" if name == "cache_seconds" else "string",
                    "example": example,
                    "default": DEFAULTS[name],
                }
                for name, (description, example) in _DESCRIPTIONS.items()
            },
        }
    }
