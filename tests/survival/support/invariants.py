"""What has to hold after any disaster, told by the sandbox's memory and the archive, never by our own logs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from tests.support.store_servers.stores import Place

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.probe import is_probe
from canvas_sandbox.records import ExportRecord

HAS_A_COPY = frozenset({"stored", "incomplete", "empty"})


def everything_holds(
    exports: Iterable[ExportRecord],
    place: Place,
    expected: Mapping[str, str],
    *,
    more_exports: Mapping[str, int] | None = None,
) -> None:
    """All of the checks below.

    Args:
        exports: every export that Canvas ever made; ``Sandbox.exports``.
        place: the archive, seen past whatever stands in front of it.
        expected: each context's outcome, such as ``{"course:101": "stored"}``.
        more_exports: of contexts that Canvas had to be asked for again although it did not report a failure: how many
            exports beyond the first are fine.
    """
    live = {context for context, outcome in expected.items() if outcome in HAS_A_COPY}
    each_live_context_is_stored_once(place, live)
    no_export_was_made_twice(exports, live, more_exports or {})
    each_package_has_its_manifest(place)
    nothing_unfinished_is_left(place)
    the_report_tells(place, expected)


def each_live_context_is_stored_once(place: Place, live: Iterable[str]) -> None:
    stored = Counter(
        f"{manifest.context.kind}:{manifest.context.id}" for manifest in manifests(place).values()
    )
    assert stored == Counter(live)


def no_export_was_made_twice(
    exports: Iterable[ExportRecord], live: Iterable[str], more_exports: Mapping[str, int]
) -> None:
    exports = list(exports)
    made = Counter(export.context for export in exports if export.state != "failed")
    doubled = {context: count for context, count in made.items() if count > 1 + more_exports.get(context, 0)}
    assert doubled == {}, [(export.context, export.id, export.state) for export in exports]
    assert set(live) <= set(made)


def each_package_has_its_manifest(place: Place) -> None:
    """And each manifest its package, of the size that it says."""
    found = manifests(place)
    packages = {key for key in kept(place) if key.endswith((".imscc", ".zip"))}
    assert {manifest_key(key) for key in packages} == set(found)
    sizes = {manifest.package.key: manifest.package.size for manifest in found.values()}
    assert {key: len(place.store.read(key)) for key in packages} == sizes


def nothing_unfinished_is_left(place: Place) -> None:
    """What a killed process left can be swept, and sweeping takes nothing else."""
    before = place.objects()
    place.store.sweep(timedelta(0))
    assert place.leftovers() == []
    assert place.objects() == before


def the_report_tells(place: Place, expected: Mapping[str, str]) -> None:
    """The report of the latest run names every context, with the outcome that it had."""
    outcomes = {row["context"]: row["outcome"] for row in report(place)["outcomes"]}
    assert outcomes == dict(expected)


def kept(place: Place) -> set[str]:
    """All keys but those of probes: of one whose answer was lost nobody knows until it is swept."""
    return {key for key in place.objects() if not is_probe(key)}


def manifests(place: Place) -> dict[str, Manifest]:
    """Every manifest by its key."""
    keys = [key for key in kept(place) if key.endswith(".json") and not key.startswith("runs/")]
    return {key: Manifest.from_json(place.store.read(key)) for key in keys}


def report(place: Place) -> dict[str, Any]:
    """The run report; of several, the one that was finished last."""
    keys = [key for key in place.objects() if key.startswith("runs/") and key.endswith("/report.json")]
    assert keys, "no run report"
    documents: list[dict[str, Any]] = [json.loads(place.store.read(key)) for key in keys]
    return max(documents, key=lambda document: str(document["finished_at"]))
