"""What a package index shows: a README whose links lead somewhere, from wherever it is built."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from canvas_exports import __version__

ROOT = Path(__file__).parents[2]
FILES = f"https://git.example.edu/campus/exports/blob/v{__version__}/"


def metadata(folder: Path, **environment: str) -> Message:
    """Build the wheel; return its metadata."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        env={**bare, **environment},
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith("/METADATA"))
        return message_from_bytes(archive.read(name))


def targets(found: Message) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", str(found.get_payload()))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Message:
    """The metadata as GitHub's workflow builds it."""
    return metadata(
        tmp_path_factory.mktemp("dist"),
        GITHUB_SERVER_URL="https://git.example.edu",
        GITHUB_REPOSITORY="campus/exports",
    )


def test_every_link_leads_to_a_file_of_the_repository_at_the_tag(released: Message) -> None:
    links = targets(released)
    assert len(links) == len(re.findall(r"\]\(", (ROOT / "README.md").read_text(encoding="utf-8"))) > 10
    for link in links:
        assert link.startswith(FILES)
        assert (ROOT / link.removeprefix(FILES).partition("#")[0]).is_file()


def test_it_is_markdown_without_images_and_names_where_to_go(released: Message) -> None:
    assert released["Description-Content-Type"] == "text/markdown"
    assert "![" not in str(released.get_payload())
    addresses = dict(line.split(", ") for line in released.get_all("Project-URL", []))
    assert sorted(addresses) == ["Changelog", "Documentation", "Issues", "Source"]
    assert addresses["Documentation"] == f"{FILES}docs/README.md"


def test_a_build_that_does_not_know_the_repository_has_no_link_that_leads_nowhere(tmp_path: Path) -> None:
    found = metadata(tmp_path)
    assert targets(found) == []
    assert "quick start has every step" in " ".join(str(found.get_payload()).split())
    assert found.get_all("Project-URL") is None
