"""Python environments with the wheel of this checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_UV = Path(sysconfig.get_path("scripts")) / "uv"
_OURS = ("canvas_exports", "airflow_provider_canvas_exports", "airflow-provider-canvas-exports")


@dataclass(frozen=True)
class Environment:
    """A virtual environment in a folder."""

    folder: Path

    @property
    def programs(self) -> Path:
        """Return the folder of its programs."""
        return self.folder / "bin"

    @property
    def python(self) -> Path:
        """Return its Python."""
        return self.programs / "python"


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout."""
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)])
    (wheel,) = folder.glob("*.whl")
    return wheel


def install_released(folder: Path, wheel: Path, *, airflow: str, before: str, python: str) -> Environment:
    """Install the wheel and an Airflow into a new environment, with the packages that were there on a day.

    Needs a package index.

    Args:
        folder: of the environment.
        wheel: of this package.
        airflow: its version.
        before: the day, as uv's ``--exclude-newer`` reads it: ``2026-09-01``.
        python: version or path of a Python.
    """
    environment = Environment(folder)
    _run([str(_UV), "venv", "--quiet", "--python", python, str(folder)])
    _run(
        [
            *(
                str(_UV),
                "pip",
                "install",
                "--quiet",
                "--python",
                str(environment.python),
                "--compile-bytecode",
            ),
            *("--exclude-newer", before, f"apache-airflow=={airflow}", str(wheel)),
        ]
    )
    return environment


def install_here(folder: Path, wheel: Path) -> Environment:
    """Install the wheel into a new environment that has every package of this one, except this checkout. Needs no index."""
    environment = Environment(folder)
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    (site,) = folder.glob("lib/python*/site-packages")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.suffix != ".pth" and not any(name in path.name for name in _OURS):
            (site / path.name).symlink_to(path)
    _run(
        [
            str(_UV),
            "pip",
            "install",
            "--quiet",
            "--offline",
            "--no-deps",
            "--python",
            str(environment.python),
            str(wheel),
        ]
    )
    airflow = environment.programs / "airflow"
    airflow.write_text(f'#!/bin/sh\nexec "{environment.python}" -m airflow "$@"\n')
    airflow.chmod(0o755)
    return environment


def remove(environment: Environment) -> None:
    """Remove an environment, which takes hundreds of megabytes."""
    shutil.rmtree(environment.folder, ignore_errors=True)


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, cwd=REPOSITORY, check=True)
