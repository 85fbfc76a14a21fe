"""The section [canvas_exports]: every mistake is a sentence, and none of them opens anything."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.provider import get_provider_info
from canvas_exports.web.archive_page.settings.configuration import (
    Configuration,
    NamedArchive,
    read_configuration,
)
from canvas_exports.web.archive_page.settings.options import CACHE_SECONDS, DEFAULTS, SECTION


def read(**options: str) -> Configuration:
    return read_configuration({**DEFAULTS, **options}.__getitem__)


def test_nothing_is_configured_by_default() -> None:
    assert read() == Configuration()


def test_archives_are_connections_or_names_with_a_place() -> None:
    found = read(archives="campus, old=s3://bucket/a=b\n law = canvas_law ,")
    assert found.archives == (
        NamedArchive("campus", "campus"),
        NamedArchive("old", "s3://bucket/a=b"),
        NamedArchive("law", "canvas_law"),
    )
    assert [each.connection for each in found.archives] == ["campus", None, "canvas_law"]
    assert found.archive("old") == found.archives[1]
    assert found.archive("bucket") is None
    assert found.problems == ()


@pytest.mark.parametrize(
    "entry",
    ["s3://bucket/path", "two words", "=campus", "a=", "a/b=campus", "a=../etc", "a=/etc", "a=b c", "é=b"],
)
def test_any_other_entry_is_left_out_with_a_sentence(entry: str) -> None:
    found = read(archives=f"campus,{entry}")
    assert found.archives == (NamedArchive("campus", "campus"),)
    (problem,) = found.problems
    assert problem.startswith("archives: ")


def test_of_two_archives_of_a_name_the_first_counts() -> None:
    found = read(archives="a=one,a=two")
    assert found.archives == (NamedArchive("a", "one"),)
    assert found.problems == ("archives: two are called a; the first counts.",)


def test_there_is_a_bound_to_the_archives() -> None:
    found = read(archives=",".join(f"a{number}" for number in range(52)))
    assert len(found.archives) == 50
    assert len(found.problems) == 2


def test_roles_are_names() -> None:
    assert read(content_roles="Admin, Head of registry,\nop").content_roles == {
        "Admin",
        "Head of registry",
        "op",
    }


@pytest.mark.parametrize("text", ["", "9", "86401", "ten", "-1", "1e3", "99999999999999999999"])
def test_a_cache_time_out_of_range_is_the_default_with_a_sentence(text: str) -> None:
    found = read(cache_seconds=text)
    assert found.cache_seconds == CACHE_SECONDS
    assert len(found.problems) == 1


def test_ids_of_dags() -> None:
    assert read(restore_dag_id="mine").restore_dag_id == "mine"
    wrong = read(restore_dag_id="a b", export_dag_id="../x")
    assert (wrong.restore_dag_id, wrong.export_dag_id) == ("canvas_restore", "canvas_export")
    assert len(wrong.problems) == 2


@given(st.fixed_dictionaries({name: st.text() for name in DEFAULTS}))
def test_no_text_is_an_error(options: dict[str, str]) -> None:
    found = read(**options)
    for archive in found.archives:
        assert archive.connection is not None or "://" in archive.place


def declared() -> dict[str, Any]:
    options: dict[str, Any] = get_provider_info()["config"][SECTION]["options"]
    return options


def test_the_providers_info_declares_every_option() -> None:
    assert {name: option["default"] for name, option in declared().items()} == DEFAULTS
    for option in declared().values():
        assert option["description"].endswith(".")
        assert option["version_added"] == "0.2.0"
        assert read_configuration({**DEFAULTS}.__getitem__).problems == ()


def test_the_examples_are_valid() -> None:
    assert read(**{name: option["example"] for name, option in declared().items()}).problems == ()


def test_airflow_lists_the_section() -> None:
    command = [sys.executable, "-m", "airflow", "config", "list", "--section", SECTION, "--defaults"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    for name in DEFAULTS:
        assert f"{name} =" in listed
