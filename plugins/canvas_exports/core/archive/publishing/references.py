"""Write a manifest that names a package which is stored already: of an equal package, or of a course that was not exported."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timezone

from canvas_exports.core.archive.layout import manifest_key, package_key
from canvas_exports.core.archive.manifest import Manifest, PackageFacts, read_manifest
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ObjectNotFoundError

_log = logging.getLogger(__name__)


def is_there(store: Store, package: PackageFacts) -> bool:
    """Return whether a package is stored, with the size that its manifest states."""
    info = store.stat(package.key)
    return info is not None and info.size == package.size


def write_reference(store: Store, marker: str, manifest: Manifest) -> bool:
    """Write a manifest that names a stored package, if its key is free; return whether it was.

    The package is locked first, where the archive locks. No manifest is left that names a package which is not there.

    Args:
        store: the archive.
        marker: the key of the manifest.
        manifest: names the package.

    Raises:
        ObjectNotFoundError: the package is not there before and after (permanent).
        ArchiveDeniedError: no right to store (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    if not is_there(store, manifest.package):
        raise ObjectNotFoundError("the package is gone or cut", key=manifest.package.key)
    store.lock(manifest.package.key)
    if not store.put_if_absent(marker, manifest.to_json()):
        return False
    if not is_there(store, manifest.package):
        store.delete(marker)
        raise ObjectNotFoundError("the package was deleted meanwhile", key=manifest.package.key)
    return True


def confirm_copy(
    store: Store, copy: Manifest, *, confirmed_at: datetime, run: RunFacts, template: str
) -> Manifest | None:
    """Write a manifest that confirms a copy: nothing was exported, because the course has not changed since.

    It repeats the manifest of the copy, under a key of its own; the package is stored once. Called again with the same time,
    it writes nothing. If a run has confirmed the copy before, as may an earlier attempt whose state was lost, that manifest
    stays and is returned.

    Args:
        store: the archive.
        copy: the manifest of the newest proven copy, or the one that last confirmed it.
        confirmed_at: when the course was read.
        run: the run.
        template: of keys; see ``layout.check_template``.

    Returns:
        The manifest; ``None`` if the package is not there, or another document has the key: the copy is not confirmed.

    Raises:
        ArchiveDeniedError: no right to store (permanent).
        ArchiveUnavailableError: the store failed (retryable).
        UnreadableDocumentError: a document under the key is no manifest (permanent).
    """
    if copy.confirmed_at is not None and _run_of(copy.run) == _run_of(run) and run.run_id is not None:
        return copy if is_there(store, copy.package) else None
    manifest = replace(
        copy, run=run, stored_at=datetime.now(timezone.utc).replace(microsecond=0), confirmed_at=confirmed_at
    )
    marker = confirmation_key(manifest, template)
    try:
        if not write_reference(store, marker, manifest):
            manifest = read_manifest(store, marker)
            if not _confirms(manifest, copy):
                _log.warning(
                    "%s holds another manifest: %s:%d is exported", marker, copy.context.kind, copy.context.id
                )
                return None
    except ObjectNotFoundError as error:
        _log.warning("%s: %s:%d is exported", error, copy.context.kind, copy.context.id)
        return None
    store.lock(marker)
    return manifest


def confirmation_key(manifest: Manifest, template: str) -> str:
    """Return the key of a manifest that confirms a copy."""
    context, export = manifest.context, manifest.export
    suffix = manifest.package.key[manifest.package.key.rindex(".") :]
    return manifest_key(
        package_key(
            context.kind,
            context.id,
            export_type=export.type,
            export_id=export.id,
            created=export.created_at,
            suffix=suffix,
            template=template,
            course_code=context.course_code,
            sis_id=context.sis_id,
            name=context.name,
            term=context.term,
            confirmed_at=manifest.confirmed_at,
        )
    )


def _confirms(manifest: Manifest, copy: Manifest) -> bool:
    return (
        manifest.confirmed_at is not None
        and (manifest.context.kind, manifest.context.id) == (copy.context.kind, copy.context.id)
        and manifest.export == copy.export
        and manifest.package == copy.package
    )


def _run_of(run: RunFacts) -> tuple[str | None, str | None]:
    return run.dag_id, run.run_id
