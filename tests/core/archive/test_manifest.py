from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.support.releases.previous_release import DATA

from canvas_exports.core.archive import schemas
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.layout import DEFAULT_TEMPLATE, package_key
from canvas_exports.core.archive.manifest import ContextFacts, ExportFacts, Manifest, PackageFacts
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.probes import ProbeFacts
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.proof import Finding, Proof, Severity, Verdict
from canvas_exports.errors import ArchiveError, UnreadableDocumentError

PREVIOUS = Draft202012Validator(json.loads((DATA / "schemas" / "manifest-1.schema.json").read_text("utf-8")))
NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
DIGEST = "0" * 64


def manifest(**changes: Any) -> Manifest:
    known = Manifest(
        context=ContextFacts(
            "course", 101, "Biologie für Anfänger", "BIO", "BIO-101/A", "uuid", 1, "Fall 2026"
        ),
        export=ExportFacts(501, "common_cartridge", NOON, "canvas.example.edu", 1, NOON, {"quizzes": ["1"]}),
        package=PackageFacts("courses/101/x-501.imscc", 9, {"sha256": DIGEST}, DIGEST, 3, "application/zip"),
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
HEX = st.integers(0, 2**256 - 1).map("{:064x}".format)
DIGESTS = st.dictionaries(
    st.sampled_from(["blake3", "sha256", "sha512-256", "k12"]), HEX, min_size=1, max_size=4
)
PROBES = st.builds(
    ProbeFacts,
    TIMES,
    st.none() | st.sampled_from(["2026-11-22T21:00:00Z", "2026-11-22T14:00:00.123-07:00"]),
    st.none() | st.sampled_from(["list", "pages", "aliases"]),
    st.none() | HEX,
    st.integers(1, 9),
    st.none() | st.booleans(),
    st.none() | st.sampled_from(["equal", "miss"]),
    st.integers(0, 9),
    st.integers(0, 9),
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
    st.none() | st.just("1.3"),
)
FINDINGS = st.lists(
    st.builds(Finding, st.text(), st.sampled_from(Severity), st.text(), TEXT), max_size=3
).map(tuple)


MANIFESTS = st.builds(
    lambda digests, proof, **facts: manifest(
        package=replace(manifest().package, digests=digests),
        proof=replace(manifest().proof, **proof),
        **facts,
    ),
    DIGESTS,
    st.fixed_dictionaries({"findings": FINDINGS, "verdict": st.sampled_from(Verdict)}),
    context=CONTEXTS,
    export=EXPORTS,
    stored_at=TIMES,
    probe=st.none() | PROBES,
    confirmed_at=st.none() | TIMES,
)


@settings(max_examples=60)
@given(MANIFESTS)
def test_a_manifest_survives_its_document(written: Manifest) -> None:
    assert Manifest.from_json(written.to_json()) == written


@settings(max_examples=60)
@given(MANIFESTS)
def test_the_release_before_reads_what_it_can_act_on_and_refuses_the_rest(written: Manifest) -> None:
    document = json.loads(written.to_json())
    can_act = "sha256" in written.package.digests and written.confirmed_at is None
    assert PREVIOUS.is_valid(document) == can_act
    assert document["schema"] == f"urn:canvas-exports:manifest:{1 if can_act else 2}"
    assert document["package"].get("sha256") == (written.package.digests["sha256"] if can_act else None)


def test_a_manifest_of_the_release_before_is_read_as_it_was() -> None:
    document = json.loads(manifest().to_json())
    del document["package"]["digests"], document["export"]["version"], document["probe"]
    assert Manifest.from_json(json.dumps(document).encode()) == manifest()


def test_two_sha256_of_one_package_are_refused() -> None:
    document = json.loads(manifest().to_json())
    document["package"]["digests"]["sha256"] = "1" * 64
    with pytest.raises(UnreadableDocumentError, match="two SHA-256"):
        Manifest.from_json(json.dumps(document).encode())


@pytest.mark.parametrize(
    "digests",
    [
        {},
        {"sha256": "0" * 63},
        {"blake3": "0" * 66},
        {"blake3": "G" * 64},
        {"BLAKE3": DIGEST},
        {"a" * 21: DIGEST},
        {"blake3\n": DIGEST},
        {"k12": ""},
        {"k12": 5},
        [],
        None,
    ],
)
def test_digests_that_no_one_would_write_are_refused(digests: Any) -> None:
    document = json.loads(manifest(package=replace(manifest().package, digests={"blake3": DIGEST})).to_json())
    document["package"]["digests"] = digests
    with pytest.raises(UnreadableDocumentError):
        Manifest.from_json(json.dumps(document).encode())


def test_schema_2_differs_from_schema_1_in_nothing_but_what_it_is_for() -> None:
    one, two = (
        json.loads(files(schemas).joinpath(f"manifest-{version}.schema.json").read_text("utf-8"))
        for version in (1, 2)
    )
    del two["properties"]["confirmed_at"], one["properties"]["package"]["properties"]["sha256"]
    assert two["properties"]["package"]["properties"]["digests"].pop("minProperties") == 1
    for document in (one, two):
        del document["$id"], document["description"], document["properties"]["schema"]
        del document["properties"]["package"]["required"]
    assert one == two


def test_a_confirmed_copy_belongs_under_the_time_of_its_confirmation() -> None:
    made = manifest(confirmed_at=NOON + timedelta(days=1))
    assert made.created_at == NOON + timedelta(days=1)
    assert Copy.of("courses/101/a-501.json", made).created_at == made.created_at
    for day, is_wrong in (("24", False), ("23", True)):
        key = f"courses/101/202611{day}T120000Z-common_cartridge-501.json"
        assert (made.placement_problem(key) is not None) == is_wrong


@given(
    template=st.sampled_from(
        [DEFAULT_TEMPLATE, "{export_id}", "{term}/{export_id}_{name}", "{created}/{export_id}"]
    ),
    nights=st.sets(st.integers(0, 3000), min_size=2, max_size=5),
)
def test_every_night_that_confirms_an_export_has_a_key_of_its_own(template: str, nights: set[int]) -> None:
    facts: dict[str, Any] = {"export_type": "common_cartridge", "export_id": 501, "created": NOON}
    keys = {
        package_key(
            "course",
            101,
            suffix=".imscc",
            template=template,
            confirmed_at=None if night is None else NOON + timedelta(days=night),
            **facts,
        )
        for night in {None, *(night + 1 for night in nights)}
    }
    assert len(keys) == len(nights) + 1


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
    "document", [b"", b"{", b"[]", b"{}", b'{"schema": "urn:canvas-exports:manifest:3"}', b"\xff"]
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
