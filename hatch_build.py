"""The README as a package index shows it, where a path of the repository leads nowhere: hatchling calls this for each build.

A release is built by GitHub, whose environment names the repository: links lead there, to the files of that version. In any other
build they become text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"\[([^\]]*)\]\((?!https?://|mailto:|#)([^)\s]+)\)")


class ReadmeHook(MetadataHookInterface):
    """Set the README of the package, and the addresses that an index shows beside it."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in the dynamic fields ``readme`` and ``urls``."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        repository = repository_url()
        files = f"{repository}/blob/v{metadata['version']}" if repository else ""
        metadata["readme"] = {"content-type": "text/markdown", "text": with_links_to(files, text)}
        metadata["urls"] = (
            {
                "Documentation": f"{files}/docs/README.md",
                "Changelog": f"{files}/CHANGELOG.md",
                "Issues": f"{repository}/issues",
                "Source": repository,
            }
            if repository
            else {}
        )


def repository_url() -> str:
    """Return the address of the repository that builds this, or an empty text."""
    name = os.environ.get("GITHUB_REPOSITORY", "")
    return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}" if name else ""


def with_links_to(base: str, text: str) -> str:
    """Return Markdown with its relative links below ``base``, or as text without one."""
    return _LINK.sub(lambda found: f"[{found[1]}]({base}/{found[2]})" if base else found[1], text)
