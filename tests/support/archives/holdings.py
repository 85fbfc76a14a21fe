"""Archives of any content without a Canvas: manifests with packages of a few bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from canvas_exports.core.archive.layout import manifest_key, package_key
from canvas_exports.core.archive.manifest import ContextFacts, ExportFacts, Manifest, PackageFacts
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.proof import Finding, Proof, Severity, Verdict
from canvas_exports.core.storage.store import Store

START = datetime(2026, 11, 1, 2, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def manifest(
    context: str = "course:101",
    *,
    day: int = 0,
    export_id: int = 501,
    export_type: str = "common_cartridge",
    verdict: Verdict = Verdict.WHOLE,
    content: bytes = b"a package",
    facts: Mapping[str, Any] | None = None,
) -> Manifest:
    """The manifest of a copy that was made some days after ``START``."""
    kind, _, number = context.partition(":")
    created = START + day * DAY
    suffix = ".imscc" if export_type == "common_cartridge" else ".zip"
    missing = 2 if verdict is Verdict.INCOMPLETE else 0
    finding = Finding("missing_file", Severity.ERROR, "the cartridge refers to it", "web_resources/a.png")
    return Manifest(
        context=ContextFacts(kind, int(number), **(facts or {"name": f"Course {number}"})),
        export=ExportFacts(export_id, export_type, created, "canvas.example.edu", user_id=1),
        package=PackageFacts(
            key=package_key(
                kind,
                int(number),
                export_type=export_type,
                export_id=export_id,
                created=created,
                suffix=suffix,
            ),
            size=len(content),
            digests={"sha256": hashlib.sha256(content).hexdigest()},
            content_digest=hashlib.sha256(content[::-1]).hexdigest(),
            member_count=3,
            media_type="application/zip",
        ),
        proof=Proof(
            ProofLevel.DIRECTORY,
            verdict,
            (finding,) * missing,
            3,
            hashlib.sha256(content[::-1]).hexdigest(),
            {"files": 3, "bytes": 30, "missing": missing},
        ),
        run=RunFacts("canvas_exports 0.1.0", "nightly", f"scheduled__{day}", "export", 0, 1),
        stored_at=created + timedelta(minutes=5),
    )


def lay(
    store: Store, document: Manifest, *, package: bytes | None = b"a package", names: Manifest | None = None
) -> Manifest:
    """Store a manifest and its package, as publishing does. Returns it.

    Args:
        store: the archive.
        document: the manifest.
        package: its bytes; ``None`` leaves it out.
        names: of an unchanged course: the earlier manifest whose package this one names.
    """
    key = manifest_key(document.package.key)
    if names is not None:
        document = replace(document, package=names.package)
    elif package is not None:
        store.put(document.package.key, [package])
    store.put_if_absent(key, document.to_json())
    return document


def note(
    store: Store,
    about: Manifest,
    *,
    day: int,
    result: str = "intact",
    detail: str = "full",
    kind: RecordKind = RecordKind.VERIFY,
) -> RecordName:
    """Store a record of the package of a copy, some days after ``START``."""
    name = RecordName(manifest_key(about.package.key), kind, START + day * DAY, detail, result)
    store.replace(name.key, json.dumps({"result": result}).encode())
    return name
