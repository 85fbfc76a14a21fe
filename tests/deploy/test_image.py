"""The Dockerfile: what can be known of it without building it."""

from __future__ import annotations

import fnmatch
import re
import shlex
from importlib.metadata import metadata, version

from tests.support.repository.compose import ROOT, SERVICES

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = [
    line for line in TEXT.replace("\\\n", " ").splitlines() if line and not line.lstrip().startswith("#")
]
IGNORED = [
    line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
]


def sources() -> list[str]:
    """What is copied out of the checkout."""
    found = []
    for line in LINES:
        if line.startswith("COPY"):
            arguments = [word for word in shlex.split(line)[1:] if not word.startswith("--")]
            found += arguments[:-1]
    return found


def test_the_base_is_the_official_image_of_the_airflow_that_the_tests_run() -> None:
    bases = [line.split()[1] for line in LINES if line.startswith("FROM")]
    assert set(bases) == {"${AIRFLOW_IMAGE}"}, "whoever builds may give a digest"
    usual = f"apache/airflow:slim-{version('apache-airflow')}-python3.12"
    assert LINES[0] == f"ARG AIRFLOW_IMAGE={usual}"
    assert SERVICES["scheduler"]["image"].endswith(f":{version('apache-airflow')}")


def test_everything_that_is_copied_is_there_and_not_ignored() -> None:
    assert sources()
    allowed = [line[1:] for line in IGNORED if line.startswith("!")]
    assert IGNORED[0] == "*"
    for source in sources():
        assert (ROOT / source).exists()
        assert any(fnmatch.fnmatch(source, pattern) for pattern in allowed), f"{source} is left out"


def test_what_may_hold_a_secret_stays_out_of_the_image() -> None:
    assert not {".env", ".", "./"} & set(sources())
    assert not any(line.lstrip("!").startswith(".env") for line in IGNORED)


def test_the_extras_are_those_that_the_services_need() -> None:
    (named,) = re.findall(r"\.whl\)\[([\w,]+)\]\"", TEXT)
    offered = metadata("airflow-provider-canvas-exports").get_all("Provides-Extra") or []
    assert set(named.split(",")) == {"s3", "celery", "postgres", "metrics"} <= set(offered)


def test_versions_come_from_the_lock_and_nothing_runs_as_root() -> None:
    assert TEXT.count("constraint") >= 2
    assert all("root" not in line for line in LINES)
    assert LINES[-1] == "USER airflow"
