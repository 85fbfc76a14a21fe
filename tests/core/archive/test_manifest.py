from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas_exports.core.archive.manifest import ContextFacts, ExportFacts, Manifest, PackageFacts
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.proof import Finding, Proof, Severity, Verdict
from canvas_exports.errors import ArchiveError

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
DIGEST = "0" * 64


def manifest(**changes: Any) -> Manifest:
    known = Manifest(
        context=ContextFacts(
            "course", 101, "Biologie für Anfänger", "BIO", "BIO-101/A", "uuid", 1, "Fall 2026"
        ),
        export=ExportFacts(501, "common_cartridge", NOON, "canvas.example.edu", 1, NOON, {"quizzes": ["1"]}),
        package=PackageFacts("courses/101/x-501.imscc", 9, DIGEST, DIGEST, 3, "application/zip"),
        proof=Proof(
            ProofLevel.DIRECTORY,
            Verdict.INCOMPLETE,
            (Finding("missing_file", Severity.ERROR, "lost", "a.pdf"), Finding("x", Severity.INFO, "y")),
            3,
            DIGEST,
            {"files": 3},
        ),
        run=RunFacts("canvas_exports/1.0", "nightly", "manual__1", "export", 0, 2),
        stored_at=NOON,
    )
    return replace(known, **changes)


TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - the zone follows
    lambda moment: moment.replace(microsecond=0, tzinfo=timezone.utc)
)
TEXT = st.none() | st.text(max_size=20)
CONTEXTS = st.builds(
    ContextFacts,
    st.sampled_from(["course", "group", "user"]),
    st.integers(1, 10**18),
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    st.none() | st.integers(),
    TEXT,
)
EXPORTS = st.builds(
    ExportFacts,
    st.integers(1, 10**18),
    st.sampled_from(["common_cartridge", "qti", "zip"]),
    TIMES,
    st.just("canvas.example.edu"),
    st.none() | st.integers(),
    st.none() | TIMES,
    st.none()
    | st.dictionaries(st.text(max_size=5), st.lists(st.integers() | st.text(max_size=5), max_size=3)),
)
FINDINGS = st.lists(
    st.builds(Finding, st.text(), st.sampled_from(Severity), st.text(), TEXT), max_size=3
).map(tuple)


@settings(max_examples=60)
@given(context=CONTEXTS, export=EXPORTS, findings=FINDINGS, verdict=st.sampled_from(Verdict), stored=TIMES)
def test_a_manifest_survives_its_document(
    context: ContextFacts,
    export: ExportFacts,
    findings: tuple[Finding, ...],
    verdict: Verdict,
    stored: datetime,
) -> None:
    proof = replace(manifest().proof, findings=findings, verdict=verdict)
    written = manifest(context=context, export=export, proof=proof, stored_at=stored)
    assert Manifest.from_json(written.to_json()) == written


def test_the_document_is_readable_by_people() -> None:
    text = manifest().to_json().decode()
    assert "Biologie für Anfänger" in text
    assert '"stored_at": "2026-11-23T12:00:00Z"' in text
    assert "submissions and grades" in json.loads(text)["proof"]["never_held"]
    assert text.endswith("}\n")


def test_times_are_written_in_utc() -> None:
    local = NOON.astimezone(timezone(timedelta(hours=-7)))
    assert manifest(stored_at=local).to_json() == manifest().to_json()


def test_the_name_of_a_user_is_dropped() -> None:
    ada = ContextFacts("user", 3, name="Ada Lovelace")
    assert ada.name is None
    assert b"Ada" not in manifest(context=ada).to_json()


def test_the_schema_itself_refuses_a_users_name() -> None:
    document = json.loads(manifest().to_json())
    document["context"] |= {"kind": "user"}
    assert problem("manifest-1", document) is not None


def test_a_url_cannot_pass_for_a_host() -> None:
    export = replace(manifest().export, canvas_host="https://canvas.example.edu/login?token=SECRET")
    with pytest.raises(ValueError, match="canvas_host"):
        manifest(export=export).to_json()


@pytest.mark.parametrize(
    "document", [b"", b"{", b"[]", b"{}", b'{"schema": "urn:canvas-exports:manifest:2"}', b"\xff"]
)
def test_what_is_no_manifest_is_refused(document: bytes) -> None:
    with pytest.raises(ArchiveError, match="not a manifest"):
        Manifest.from_json(document)


def test_a_later_version_may_add_fields() -> None:
    document = json.loads(manifest().to_json())
    document["context"]["blueprint"] = True
    document["new"] = {"a": 1}
    assert Manifest.from_json(json.dumps(document).encode()) == manifest()


def test_optional_facts_may_be_missing() -> None:
    document = json.loads(manifest().to_json())
    document["context"] = {"kind": "course", "id": 101}
    document["run"] = {"software": "by hand"}
    read = Manifest.from_json(json.dumps(document).encode())
    assert read.context == ContextFacts("course", 101)
    assert read.run == RunFacts("by hand")
