"""Owners of DAGs, as Airflow's list of DAGs shows them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from canvas_exports.airflow_compat import conf

_AIRFLOWS_OWN = "airflow"  # the default of [operators] default_owner
_OURS = "Canvas administrators"


def ownership(owner: str | None = None) -> dict[str, Any]:
    """Return the arguments of a DAG that name its owner.

    Without a name, the owner is that of Airflow's option ``[operators] default_owner``, or *Canvas administrators* where it is
    not set. A mail address becomes a link.
    """
    default = conf.get("operators", "default_owner", fallback=_AIRFLOWS_OWN)
    name = owner or (default if default != _AIRFLOWS_OWN else _OURS)
    is_address = name.count("@") == 1 and not any(character.isspace() for character in name)
    return {
        "default_args": {"owner": name},
        **({"owner_links": {name: f"mailto:{quote(name, safe='@')}"}} if is_address else {}),
    }
