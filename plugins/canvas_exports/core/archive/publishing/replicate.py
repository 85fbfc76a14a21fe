"""One package into several archives in one pass, each with a manifest of its own."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from canvas_exports.core.archive.manifest import ManifestDraft
from canvas_exports.core.archive.publishing.fan_out import Shared
from canvas_exports.core.archive.publishing.package_source import Delivery
from canvas_exports.core.archive.publishing.publish import Published, publish
from canvas_exports.core.archive.publishing.unchanged import Known
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import CanvasExportsError


@dataclass(frozen=True)
class Place:
    """One of the archives, and what it knows: whether a course is unchanged is for each archive to say."""

    store: Store
    known: Known | None = None


def publish_everywhere(
    places: Sequence[Place], *, draft: ManifestDraft, delivery: Delivery
) -> list[Published | CanvasExportsError]:
    """Store a package in every archive that lacks it, from one download.

    No archive's failure harms another: each either has the package, proven, with its manifest, or nothing of it. The bytes
    pass once, in the memory that they would need for a single archive; the slowest of those under way sets the pace.

    Args:
        places: the archives, at least one.
        draft: of the manifests, which lie under the same name everywhere.
        delivery: brings the package; not asked for it when it is stored everywhere.

    Returns:
        For each archive, in order, what ``publish`` returned or why it failed; at least one of them did not fail.

    Raises:
        CanvasExportsError: what was wrong with the package or its source, or no archive took it: then the first error that
            a retry may help against, else the first.
    """
    if len(places) == 1:
        return [publish(places[0].store, draft=draft, delivery=delivery, known=places[0].known)]
    shared = Shared(delivery, len(places))

    def into(place: Place) -> Published | CanvasExportsError:
        try:
            return publish(place.store, draft=draft, delivery=shared, known=place.known)
        except CanvasExportsError as error:
            _let_go(error)
            return error
        finally:
            shared.leave()

    with ThreadPoolExecutor(len(places), thread_name_prefix="archive") as pool:
        futures = [pool.submit(into, place) for place in places]
        shared.serve()
    results = [future.result() for future in futures]
    errors = [result for result in results if isinstance(result, CanvasExportsError)]
    if len(errors) == len(results):
        raise next((error for error in errors if error.retryable), errors[0])
    return results


def _let_go(error: BaseException | None) -> None:
    """Let go of the blocks that the frames of an error still hold: the others go on, and need their memory."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
