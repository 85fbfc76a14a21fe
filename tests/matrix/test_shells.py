"""The unit tests of all that touches Airflow, and a night under a real scheduler and triggerer, in each of its releases."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.releases.airflow_releases import RELEASES, REPOSITORY, AirflowRelease, with_tools

pytestmark = pytest.mark.matrix

SHELLS = (
    "tests/operators",
    "tests/hooks",
    "tests/triggers",
    "tests/notifications",
    "tests/plugin",
    "tests/web",
)
#: What packages of those days warn of, and newer ones do not.
OLD_WARNINGS = (
    *("-W", "ignore::FutureWarning"),
    *(
        "-W",
        "ignore:SelectableGroups dict interface:DeprecationWarning",
    ),  # OpenTelemetry's reading of entry points
)
NIGHT = ("tests/end_to_end/test_nightly_backup.py",)


@pytest.fixture(scope="module", params=RELEASES, ids=lambda release: release.version)
def python(request: pytest.FixtureRequest) -> Path:
    release: AirflowRelease = request.param
    return with_tools(release)


@pytest.mark.parametrize("tests", [SHELLS, NIGHT], ids=["shells", "night"])
def test_its_tests_pass(python: Path, tests: tuple[str, ...]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *OLD_WARNINGS, *tests],
        cwd=REPOSITORY,
        env=environment,
        stdout=sys.stderr,
        check=False,
    )
    assert done.returncode == 0
