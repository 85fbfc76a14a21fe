"""Checking documents against the published schemas: quickly, and as jsonschema does it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.packages import draft

from canvas_exports.archive import schemas
from canvas_exports.archive.manifest import Manifest, PackageFacts
from canvas_exports.archive.proof.model import Finding, Proof, ProofLevel, Severity, Verdict
from canvas_exports.archive.schemas.quick import compiled

NAMES = ("manifest-1", "run-report-1", "retention-1", "hold-1")
NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)


def manifest() -> dict[str, Any]:
    given_facts = draft(7)
    found = Finding("missing_file", Severity.ERROR, "is not there", "a/b.txt")
    proof = Proof(ProofLevel.DIRECTORY, Verdict.INCOMPLETE, (found,), 3, "0" * 64, {"files": 3})
    package = PackageFacts(given_facts.key, 100, "1" * 64, "0" * 64, 3, "application/zip")
    whole = Manifest(given_facts.context, given_facts.export, package, proof, given_facts.run, NOW)
    document: dict[str, Any] = json.loads(whole.to_json())
    return document


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
    | st.sampled_from(["", "x", "course", "0" * 64]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "kind", "key"]), inner)
    ),
    max_leaves=4,
)


def is_valid(name: str, document: Any) -> bool:
    return next(schemas._validator(name).iter_errors(document), None) is None


def test_what_we_write_is_found_valid_without_jsonschema() -> None:
    assert schemas._quick("manifest-1")(manifest())


@pytest.mark.parametrize("name", NAMES)
def test_every_published_schema_is_understood(name: str) -> None:
    assert not schemas._quick(name)({})


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_is_found_valid_quickly_is_valid(data: st.DataObject) -> None:
    """Whatever is changed or left out of a manifest."""
    document = deepcopy(manifest())
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from([place for place in places(document) if place]))
        at = document
        for key in way:
            at = at[key]
        if data.draw(st.booleans()):
            at[last] = data.draw(ANYTHING)
        else:
            del at[last]
    if schemas._quick("manifest-1")(document):
        assert is_valid("manifest-1", document)
    else:
        assert schemas.problem("manifest-1", document) is not None or is_valid("manifest-1", document)


@settings(max_examples=100, deadline=None)
@given(ANYTHING)
def test_any_document_that_is_found_valid_quickly_is_valid(document: Any) -> None:
    for name in NAMES:
        assert not schemas._quick(name)(document) or is_valid(name, document)


def test_a_persons_name_is_refused_as_ever() -> None:
    document = manifest()
    document["context"] |= {"kind": "user", "name": "Jane Roe"}
    assert not schemas._quick("manifest-1")(document)
    assert schemas.problem("manifest-1", document) is not None


@pytest.mark.parametrize("schema", [{"maxLength": 3}, {"const": 1}, {"enum": ["a", None]}])
def test_an_unknown_keyword_is_not_passed_over(schema: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        compiled(schema)
