"""Checking documents against the published schemas: jsonschema, which follows the standard, gives the same answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime, timezone
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, validators
from tests.support.packages.build import draft

from canvas_exports.core.archive import schemas
from canvas_exports.core.archive.manifest import Manifest, PackageFacts
from canvas_exports.core.archive.run_report import OutcomeRecord, batch_document
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.proof import Finding, Proof, Severity, Verdict

NAMES = sorted(
    each.name.removesuffix(".schema.json")
    for each in files(schemas).iterdir()
    if each.name.endswith(".schema.json")
)
NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)
ROW = "/properties/outcomes/items"

#: The standard, but for one thing: 1.0 is no whole number.
Standard = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)


def schema(name: str) -> dict[str, Any]:
    text = files(schemas).joinpath(f"{name}.schema.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


STANDARD = {name: Standard(schema(name)) for name in NAMES}


def manifest() -> dict[str, Any]:
    given_facts = draft(7)
    found = Finding("missing_file", Severity.ERROR, "is not there", "a/b.txt")
    proof = Proof(ProofLevel.DIRECTORY, Verdict.INCOMPLETE, (found,), 3, "0" * 64, {"files": 3})
    package = PackageFacts(given_facts.key, 100, {"sha256": "1" * 64}, "0" * 64, 3, "application/zip")
    whole = Manifest(given_facts.context, given_facts.export, package, proof, given_facts.run, NOW)
    document: dict[str, Any] = json.loads(whole.to_json())
    return document


def confirmed() -> dict[str, Any]:
    document = manifest()
    del document["package"]["sha256"]
    return {
        **document,
        "schema": "urn:canvas-exports:manifest:2",
        "probe": {"read_at": "2026-11-23T12:00:00Z", "updated_at": "2026-11-20T09:00:00-07:00"},
        "confirmed_at": "2026-11-23T12:00:00Z",
    }


def report() -> dict[str, Any]:
    row = OutcomeRecord(
        "course:1",
        "zip",
        "stored",
        "proven whole",
        name="Biology",
        export_id=5,
        size=7,
        seconds=1.5,
        finished_at=NOW,
        map_index=0,
    )
    document = batch_document([row], run=RunFacts("canvas_exports 0.1.0"), started_at=NOW, finished_at=NOW)
    return {**document, "swept": {"packages": 1, "uploads": 0, "bytes": 9, "keys": ["a"], "trouble": None}}


HOLD = {"schema": "urn:canvas-exports:hold:1", "tag": "legal", "state": "set", "at": "2026-11-23T12:00:00Z"}
VALID = {"manifest-1": manifest(), "manifest-2": confirmed(), "run-report-1": report(), "hold-1": HOLD}


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a document."""
    yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*way, key))


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats(-2, 2)
    | st.sampled_from(["", "x", "course", "user", "0" * 64, "2026-11-23T12:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "kind", "key", "{x}", "blake3", "sha256", "k12\n"]), inner)
    ),
    max_leaves=4,
)


@st.composite
def changed(draw: st.DrawFn, valid: Any) -> Any:
    """A valid document in which something is changed or left out."""
    document = deepcopy(valid)
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from([place for place in places(document) if place]))
        at = document
        for key in way:
            at = at[key]
        if draw(st.booleans()):
            at[last] = draw(ANYTHING)
        else:
            del at[last]
    return document


@pytest.mark.parametrize("name", VALID)
def test_what_we_write_is_valid(name: str) -> None:
    assert problem(name, VALID[name]) is None
    assert STANDARD[name].is_valid(VALID[name])


@pytest.mark.parametrize("name", VALID)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_changed_document_is_valid_where_the_standard_says_so(name: str, data: st.DataObject) -> None:
    document = data.draw(changed(VALID[name]))
    assert (problem(name, document) is None) == STANDARD[name].is_valid(document)


@settings(max_examples=100, deadline=None)
@given(ANYTHING)
def test_any_document_is_valid_where_the_standard_says_so(document: Any) -> None:
    for name in NAMES:
        assert (problem(name, document) is None) == STANDARD[name].is_valid(document)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_part_of_a_schema_judges_as_the_whole_does(data: st.DataObject) -> None:
    row = data.draw(changed(VALID["run-report-1"]["outcomes"][0]) | ANYTHING)
    whole = {**VALID["run-report-1"], "outcomes": [row]}
    assert (problem("run-report-1", row, part=ROW) is None) == STANDARD["run-report-1"].is_valid(whole)


@pytest.mark.parametrize("name", NAMES)
def test_no_schema_uses_a_keyword_that_would_be_passed_over(name: str) -> None:
    """fastjsonschema ignores what its dialect does not know."""
    checked = {"type", "enum", "const", "minimum", "maxItems", "pattern", "required", "items", "properties"}
    checked |= {"patternProperties", "minProperties", "additionalProperties", "anyOf", "if", "then", "$ref"}
    notes = {"$schema", "$id", "$defs", "title", "description"}

    def keywords(rule: dict[str, Any]) -> set[str]:
        inner = [
            *rule.get("properties", {}).values(),
            *rule.get("patternProperties", {}).values(),
            *rule.get("$defs", {}).values(),
            *rule.get("anyOf", ()),
        ]
        inner += [rule[name] for name in ("items", "additionalProperties", "if", "then") if rule.get(name)]
        if "if" in rule:
            assert not {"anyOf", "else"} & rule.keys()
        if "$ref" in rule:
            assert rule.keys() <= {"$ref", "description"}  # what stands beside one does not count
        return set(rule).union(*map(keywords, inner))

    assert keywords(schema(name)) <= checked | notes


@pytest.mark.parametrize(
    ("way", "value", "said"),
    [
        (("package", "size"), "SECRET", "$.package.size must be integer"),
        (("package", "size"), 1.0, "$.package.size must be integer"),
        (("package", "size"), True, "$.package.size must be integer"),
        (("package", "size"), -1, "$.package.size must be bigger than or equal to 0"),
        (("export", "type"), "SECRET", "$.export.type must be one of ['common_cartridge', 'qti', 'zip']"),
        (("package", "sha256"), "SECRET", "$.package.sha256 must match pattern ^[0-9a-f]{64}$"),
        (("package", "sha256"), "0" * 64 + "\n", "$.package.sha256 must match pattern ^[0-9a-f]{64}$"),
        (("run",), {}, "$.run must contain ['software'] properties"),
        (("proof", "findings", 0, "severity"), 5, "$.proof.findings[0].severity must be one of"),
        (("export", "finished_at"), "SECRET", "$.export.finished_at must fit one of [{'type': 'string'"),
        (("context",), {"kind": "user", "id": 1, "name": "SECRET"}, "$.context must fit one of"),
    ],
)
def test_the_first_problem_names_the_field_and_what_it_accepts(
    way: tuple[Any, ...], value: Any, said: str
) -> None:
    document: Any = manifest()
    at = document
    for key in way[:-1]:
        at = at[key]
    at[way[-1]] = value
    told = problem("manifest-1", document)
    assert told is not None
    assert told.startswith(said)
    assert "SECRET" not in told


@pytest.mark.parametrize(
    "name", ["x" * 1_000_000, "\x1b[31m\n\u2028\u202e", "{data}{0}%s", "\ud800", "a.b[0]"]
)
def test_the_line_stays_short_and_harmless_whatever_a_field_is_called(name: str) -> None:
    document = manifest()
    document["proof"]["counts"] = {name: None}
    told = problem("manifest-1", document)
    assert told is not None
    assert told.startswith("$.proof.counts.")
    assert told.endswith(" must be integer")
    assert told.isprintable()
    assert len(told) < 200


def test_a_document_is_checked_and_left_as_it_is() -> None:
    for name, valid in VALID.items():
        document = deepcopy(valid)
        assert problem(name, document) is None
        assert document == valid
