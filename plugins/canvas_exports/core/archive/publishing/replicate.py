"""Publish a package to several archives from one download, each with a manifest of its own."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from canvas_exports.core.archive.manifest import ManifestDraft
from canvas_exports.core.archive.publishing.fan_out import FanOut
from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.publish import publish
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.archive.publishing.unchanged import Baseline, ProbeCheck
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import CanvasExportsError


@dataclass(frozen=True)
class Replica:
    """One of the archives, with its own baseline and check: a course may be unchanged in one archive and not in another."""

    store: Store
    baseline: Baseline | None = None
    check: ProbeCheck | None = None


def publish_to_replicas(
    replicas: Sequence[Replica], *, draft: ManifestDraft, source: PackageSource
) -> list[Published | CanvasExportsError]:
    """Store a package in every archive that lacks it, from one download.

    The failure of one archive harms no other: each has either the package, proven, with its manifest, or nothing of it. The
    bytes are downloaded once, in the memory that a single archive needs. The slowest archive sets the pace.

    Args:
        replicas: the archives, at least one.
        draft: of the manifests, which lie under the same name everywhere.
        source: of the package; not used if every archive has it already.

    Returns:
        For each archive, in order, the result of ``publish`` or its error; at least one is a result.

    Raises:
        CanvasExportsError: the package or its download failed, or no archive stored it: then the first retryable error, else
            the first.
    """
    if len(replicas) == 1:
        only = replicas[0]
        return [publish(only.store, draft=draft, source=source, baseline=only.baseline, check=only.check)]
    fan_out = FanOut(source, len(replicas))

    def publish_to(replica: Replica) -> Published | CanvasExportsError:
        try:
            return publish(
                replica.store, draft=draft, source=fan_out, baseline=replica.baseline, check=replica.check
            )
        except CanvasExportsError as error:
            _release_buffers(error)
            return error
        finally:
            fan_out.leave()

    with ThreadPoolExecutor(len(replicas), thread_name_prefix="archive") as pool:
        futures = [pool.submit(publish_to, replica) for replica in replicas]
        fan_out.serve()
    results = [future.result() for future in futures]
    errors = [result for result in results if isinstance(result, CanvasExportsError)]
    if len(errors) == len(results):
        raise most_useful(errors)
    return results


def most_useful(errors: Sequence[CanvasExportsError]) -> CanvasExportsError:
    """Return the first error that a retry may help against, else the first."""
    return next((error for error in errors if error.retryable), errors[0])


def _release_buffers(error: BaseException | None) -> None:
    """Release the buffers that the frames of an error still refer to: the other archives continue and need them."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
