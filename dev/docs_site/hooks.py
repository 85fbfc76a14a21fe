"""Hooks of mkdocs: pages from outside of ``docs/``, links to files of the repository, and generated parts.

The pages in ``docs/`` are written for a reader of the repository, too. So a link may lead out of ``docs/``; in the site, it leads
to the page that stands for that file, or becomes plain text.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

from docs_site import schema_tables
from docs_site.links import CORE, PAGES, rewrite

ROOT = Path(__file__).parents[2]
MERMAID = Path(__file__).parent / "node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"

_FENCE = re.compile(r"^( *```\w+) \w+$", re.MULTILINE)
_GENERATED = re.compile(r"<!-- generated: (\w+) -->")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages from outside of ``docs/``, and the program that draws diagrams."""
    for source, target in PAGES.items():
        files.append(File.generated(config, target, content=(ROOT / source).read_text(encoding="utf-8")))
    script = MERMAID.read_text(encoding="utf-8") if MERMAID.exists() else ""
    files.append(File.generated(config, "assets/mermaid.js", content=script))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite links, fill in generated parts, and leave diagrams as text where nothing can draw them."""
    markdown = _FENCE.sub(r"\1", markdown)
    if not MERMAID.exists():
        markdown = markdown.replace("```mermaid", "```text")
    return _GENERATED.sub(lambda found: GENERATED[found[1]](), rewrite(markdown, page.file.src_uri))


def _command() -> str:
    """Return the help of the command, from the environment in which the package is installed."""
    program = [str(ROOT / ".venv/bin/python"), "-m", "docs_site.command_help"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "plugins"), str(ROOT / "dev")])}
    return subprocess.run(program, env=environment, check=True, capture_output=True, text=True).stdout  # noqa: S603 - ours


def _documents() -> str:
    paths = sorted((ROOT / CORE / "archive/schemas").glob("*.schema.json"))
    return "\n".join(schema_tables.describe(path) for path in paths)


def _backup() -> str:
    return schema_tables.describe(ROOT / CORE / "backups/backup.schema.json")


GENERATED = {"command": _command, "documents": _documents, "backup": _backup}
