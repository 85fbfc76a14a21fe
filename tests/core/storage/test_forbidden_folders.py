"""No archive lies where Airflow runs code or reads its configuration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.storage.forbidden_folders import check_root
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.errors import InputError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("dags/team", "archive", "dags2"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "dags")
    (tmp_path / "long").symlink_to(tmp_path / "link")
    (tmp_path / "inner").symlink_to(tmp_path / "dags" / "team")
    (tmp_path / "up").symlink_to(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "root",
    [
        "dags",
        "dags/",
        "dags/team",
        "dags/not/there/yet",
        "archive/../dags",
        "archive/../dags/new",
        "link",
        "link/new",
        "long/new",
        "inner",
        "inner/..",
        "up/dags",
        "up/link/new",
        "up",
        "",
        "..",
        "/",
    ],
)
def test_a_root_in_or_around_the_folder_of_dags_is_refused_however_it_is_written(
    home: Path, root: str
) -> None:
    uri = f"file://{home}/{root}" if root != "/" else "file:///"
    with pytest.raises(InputError, match=r"archive: .* lies in, or holds, a folder from which Airflow runs"):
        open_store(uri, StoreOptions(forbidden=[home / "dags"]))
    assert [each.name for each in (home / "dags").iterdir()] == ["team"]


def test_a_forbidden_folder_that_is_itself_a_link_is_known_by_what_it_leads_to(home: Path) -> None:
    with pytest.raises(InputError):
        check_root(home / "dags" / "x", [home / "long"])


def test_percent_signs_in_a_uri_hide_nothing(home: Path) -> None:
    with pytest.raises(InputError):
        open_store(f"file://{home}/%64ags", StoreOptions(forbidden=[home / "dags"]))
    with pytest.raises(InputError):
        open_store(f"file://localhost{home}/archive/%2e%2e/dags", StoreOptions(forbidden=[home / "dags"]))


@pytest.mark.parametrize("root", ["archive", "dags2", "archive/dags", "dags.archive"])
def test_a_folder_beside_it_is_an_archive(home: Path, root: str) -> None:
    with open_store(
        (home / root).as_uri(), StoreOptions(forbidden=[home / "dags", home / "missing"])
    ) as store:
        assert store.put_if_absent("runs/a.json", b"{}")


NAMES = st.lists(st.sampled_from(["a", "b", "..", "."]), max_size=6)


@given(NAMES, NAMES)
def test_the_rule_is_that_of_real_paths(root: list[str], folder: list[str]) -> None:
    base = Path("/nowhere/at/all/of/this/exists")
    one, other = base.joinpath(*root), base.joinpath(*folder)
    real, forbidden = os.path.realpath(one), os.path.realpath(other)
    apart = os.path.commonpath([real, forbidden]) not in (real, forbidden)
    try:
        check_root(one, [other])
    except InputError:
        assert not apart
    else:
        assert apart
