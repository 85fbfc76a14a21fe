"""Every key that could have been written here is ours, and a key that could not is not."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.archive.key_patterns import KeyPatterns
from canvas_exports.core.archive.layout import DEFAULT_TEMPLATE, manifest_key, package_key, run_folder
from canvas_exports.core.archive.probe import PROBE

OURS = "courses/101/20261123T080000Z-common_cartridge-501.imscc"
TEMPLATES = (
    DEFAULT_TEMPLATE,
    "{term}/{created}-{export_type}-{export_id}",
    "{export_id}_{created}",
    "{created}.{name}-{term}={export_id}",
    "a/{created}/{export_id}/{export_type}",
    "{created}-{created}-{export_id}",
)
KINDS = {"course": ("common_cartridge", "qti", "zip"), "group": ("zip",), "user": ("zip",)}


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(list(KINDS)))
    export_type = draw(st.sampled_from(KINDS[kind]))
    text = st.none() | st.text(max_size=80) | st.from_regex(r"\A[a-z-]{0,70}\Z")
    return {
        "kind": kind,
        "canvas_id": draw(st.integers(1, 10**19 - 1)),
        "export_type": export_type,
        "export_id": draw(st.integers(1, 10**19 - 1)),
        "created": draw(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))).replace(  # noqa: DTZ001 - naive on purpose
            tzinfo=timezone.utc
        ),
        "suffix": ".imscc" if export_type == "common_cartridge" else ".zip",
        **{name: draw(text) for name in ("course_code", "sis_id", "name", "term")},
    }


@given(facts(), st.sampled_from(TEMPLATES))
def test_whatever_is_stored_is_ours_and_so_is_its_manifest(facts: dict[str, Any], template: str) -> None:
    patterns = KeyPatterns(template)
    key = package_key(**facts, template=template)
    assert patterns.is_package(key)
    assert patterns.owns(key)
    assert patterns.owns(manifest_key(key))
    assert not patterns.is_package(manifest_key(key))


@pytest.mark.parametrize(
    "key",
    [
        "courses/101/20261123T080000Z-common_cartridge-501.zip",
        "courses/101/20261123T080000Z-zip-501.imscc",
        "courses/101/20261123T080000Z-common_cartridge-501.imscc.bak",
        "courses/101/copy-20261123T080000Z-common_cartridge-501.imscc",
        "courses/101/20261123T080000Z-common_cartridge-501-old.imscc",
        "courses/101/20261123T080000Z-common_cartridge-0501.imscc",
        "courses/101/20261123T080000Z-common_cartridge-0.imscc",
        "courses/101/20261123T080000Z-cartridge-501.imscc",
        "courses/101/20260230T080000Z-common_cartridge-501.imscc",
        "courses/101/20261123-common_cartridge-501.imscc",
        "courses/0101/20261123T080000Z-common_cartridge-501.imscc",
        "courses/abc/20261123T080000Z-common_cartridge-501.imscc",
        "courses/101/old/20261123T080000Z-common_cartridge-501.imscc",
        "courses/20261123T080000Z-common_cartridge-501.imscc",
        "course/101/20261123T080000Z-common_cartridge-501.imscc",
        "groups/7/20261123T080000Z-common_cartridge-501.imscc",
        "users/7/20261123T080000Z-qti-501.zip",
        "backup/" + OURS,
        OURS.upper(),
        OURS + "\n",
        "courses/101/syllabus.zip",
        "courses/101/notes.json",
        "runs/notes.json",
        "runs/2026-11-23/nightly/report.json",
        "runs/2026-11-23/nightly/run/batches/deep/export.json",
        "runs/2026-11-23/nightly/run/summary.json",
        "report.json",
        "",
    ],
)
def test_a_name_that_only_looks_alike_is_not_ours(key: str) -> None:
    assert not KeyPatterns().owns(key)
    assert not KeyPatterns().is_package(key)


@given(st.text(alphabet="courses/groups/users/0123456789TZ-_.commn_cartridgeqtizp", max_size=80))
def test_no_random_name_is_ours(key: str) -> None:
    assert not KeyPatterns().owns(key)


def test_the_documents_of_a_run_and_the_probe_are_ours_and_no_packages() -> None:
    folder = run_folder(date(2026, 11, 23), "nightly", "manual__2026-11-23T08:00:00+00:00")
    for key in (f"{folder}report.json", f"{folder}batches/export-3.json", f"{folder}plan/0.jsonl", PROBE):
        assert KeyPatterns().owns(key)
        assert not KeyPatterns().is_package(key)


def test_another_template_s_packages_are_not_ours() -> None:
    assert not KeyPatterns("{created}_{export_id}").is_package(OURS)


@pytest.mark.parametrize("template", ["{export_id}", "{term}/{course_code}-{export_id}", "zip-{export_id}"])
def test_a_template_without_the_time_claims_no_package(template: str) -> None:
    patterns = KeyPatterns(template)
    assert not patterns.has_packages
    key = package_key(
        "course",
        101,
        export_type="zip",
        export_id=7,
        created=datetime(2026, 11, 23, tzinfo=timezone.utc),
        suffix=".zip",
        template=template,
    )
    assert not patterns.owns(key)
