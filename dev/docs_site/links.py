"""Links of the pages: from files of the repository to pages of the site."""

from __future__ import annotations

import posixpath
import re

CORE = "plugins/canvas_exports/core/"
#: Files of the repository outside of ``docs/`` that are pages of the site.
PAGES = {
    "README.md": "project/readme.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "CODE_OF_CONDUCT.md": "project/conduct.md",
    "SECURITY.md": "project/report-a-weakness.md",
    "benchmarks/README.md": "project/benchmarks.md",
}

_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
_CODE = re.compile(r"(^ *```.*?^ *```$|`[^`\n]+`(?!\]))", re.MULTILINE | re.DOTALL)


def origin_of(page: str) -> str:
    """Return the file of the repository that a page of the site is made of."""
    return next((source for source, place in PAGES.items() if place == page), f"docs/{page}")


def rewrite(markdown: str, page: str) -> str:
    """Return the text of a page with its links as links of the site; code stays as it is.

    A link to a file of the repository that is no page becomes its text.
    """
    folder, place = posixpath.dirname(origin_of(page)), posixpath.dirname(page)

    def link(found: re.Match[str]) -> str:
        mark, text, target, anchor = found[1], found[2], found[3], found[4] or ""
        path = posixpath.normpath(posixpath.join(folder, target))
        name = posixpath.basename(path).removesuffix(".schema.json")
        if path.startswith(CORE) and path.endswith(".schema.json"):
            path = "reference/backup-schema.md" if name == "backup" else "reference/documents.md"
            anchor = f"#{name}"
        elif path in PAGES:
            path = PAGES[path]
        elif path.startswith("docs/") and path.endswith((".md", ".png", ".yaml")):
            path = path.removeprefix("docs/")
        else:
            return text
        return f"{mark}[{text}]({posixpath.relpath(path, place or '.')}{anchor})"

    parts = _CODE.split(markdown)
    parts[::2] = [_LINK.sub(link, part) for part in parts[::2]]
    return "".join(parts)
