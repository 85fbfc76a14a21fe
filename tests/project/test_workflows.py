"""The workflows do what a desk does, with no right they do not need, and every file of the project is true."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.releases.airflow_releases import RELEASES

from canvas_exports import __version__

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps() -> Iterator[Any]:
    for path in WORKFLOWS:
        for name, job in load(path)["jobs"].items():
            for step in job["steps"]:
                yield pytest.param(step, id=f"{path.stem}, {name}: {step.get('uses') or step.get('run')}")


def test_there_are_workflows_for_changes_releases_and_security() -> None:
    assert [path.stem for path in WORKFLOWS] == ["ci", "release", "security"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_right_is_given_to_a_whole_workflow_and_none_is_a_wildcard(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert isinstance(job["permissions"], dict)
        assert job["timeout-minutes"] <= 90
    assert "secrets." not in path.read_text(encoding="utf-8"), "no workflow needs a stored secret"


@pytest.mark.parametrize("step", list(steps()))
def test_an_action_is_pinned_and_leaves_no_token_behind_and_a_command_is_a_target_of_make(step: Any) -> None:
    if "uses" in step:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", step["uses"])
        if step["uses"].startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        return
    assert "${{" not in step["run"], "an expression in a script is a way in: it belongs into env"
    for target in re.findall(r"\bmake ([a-z-]+)", step["run"]):
        assert target in TARGETS


def test_a_pinned_commit_is_followed_by_its_version_and_each_action_has_one() -> None:
    pins: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses:" in line:
                found = re.search(r"uses: ([\w.-]+/[\w.-]+)[\w./-]*@([0-9a-f]{40} # v\d+\.\d+\.\d+)$", line)
                assert found, line
                pins.setdefault(found[1], set()).add(found[2])
    assert {name: len(versions) for name, versions in pins.items()} == dict.fromkeys(pins, 1)


def test_only_the_job_that_publishes_can_and_only_from_its_environment() -> None:
    jobs = load(GITHUB / "workflows" / "release.yml")["jobs"]
    assert {name: sorted(job["permissions"]) for name, job in jobs.items()} == {
        "build": ["contents"],
        "attest": ["attestations", "id-token"],
        "publish": ["id-token"],
        "github": ["contents"],
    }
    assert jobs["build"]["permissions"]["contents"] == "read"
    assert jobs["publish"]["environment"] == "pypi"
    assert jobs["publish"]["needs"] == ["build", "attest"]
    assert not any(
        "checkout" in str(step) for name in ("attest", "publish", "github") for step in jobs[name]["steps"]
    )


def test_the_tests_run_on_every_python_that_the_locked_environment_is_for() -> None:
    found = re.search(r"not \(3, (\d+)\) <= sys.version_info\[:2\] <= \(3, (\d+)\)", MAKEFILE)
    assert found
    pythons = [f"3.{minor}" for minor in range(int(found[1]), int(found[2]) + 1)]
    assert load(GITHUB / "workflows" / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"] == pythons


def test_a_job_tests_each_release_of_airflow_that_the_package_works_with() -> None:
    matrix = load(GITHUB / "workflows" / "ci.yml")["jobs"]["airflow"]["strategy"]["matrix"]
    assert matrix["airflow"] == [release.version for release in RELEASES]


def test_dependabot_knows_every_place_with_locked_dependencies() -> None:
    places = {
        place
        for update in load(GITHUB / "dependabot.yml")["updates"]
        for place in update.get("directories", [update.get("directory")])
    }
    tracked = subprocess.run(
        [str(shutil.which("git")), "ls-files", "*requirements*.lock", "*package-lock.json", "Dockerfile"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    if not tracked:
        pytest.skip("not a checkout")
    assert places == {f"/{each.rpartition('/')[0]}" for each in tracked}


def test_citation_and_changelog_name_this_version() -> None:
    assert str(load(ROOT / "CITATION.cff")["version"]) == __version__
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == __version__


@pytest.mark.parametrize(("tag", "is_version"), [(f"v{__version__}", True), ("v9.9.9", False), ("", False)])
def test_a_tag_that_is_not_the_version_stops_a_release(tag: str, *, is_version: bool) -> None:
    done = subprocess.run(
        [
            str(shutil.which("make")),
            "--no-print-directory",
            "--assume-old=.venv/.ready",
            "version",
            f"TAG={tag}",
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ("is not the version" not in done.stdout) is is_version
    assert is_version or done.returncode != 0


def test_the_devcontainer_and_the_hooks_run_targets_of_make() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    hooks = load(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    commands = [container["postCreateCommand"], *(hook["entry"] for hook in hooks)]
    assert [re.findall(r"make ([a-z]+)", command) for command in commands] == [
        ["check"],
        ["format"],
        ["check"],
    ]


def test_a_problem_form_asks_for_what_the_security_page_says_to_leave_out() -> None:
    form = load(GITHUB / "ISSUE_TEMPLATE" / "problem.yml")
    assert "Please remove access tokens" in form["body"][0]["attributes"]["value"]
    assert {field["id"] for field in form["body"][1:]} >= {"happened", "part", "version", "airflow"}
