"""Send asset events to Airflow when the archive has new copies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias

if TYPE_CHECKING:
    from airflow.sdk import Context

#: Every export announces its archive under this alias unless the DAG author names other outlets.
ARCHIVE_ALIAS = "canvas_archive"


def announce(context: Context, outlets: Iterable[Any], archive: str, receipt: dict[str, Any]) -> None:
    """Attach the receipt to the event of each outlet; an alias gets the archive's root as its asset."""
    events = context["outlet_events"]
    for outlet in outlets:
        if isinstance(outlet, AssetAlias):
            events[outlet].add(Asset(uri=archive.rstrip("/")), extra=receipt)
        elif isinstance(outlet, Asset):
            events[outlet].extra.update(receipt)
