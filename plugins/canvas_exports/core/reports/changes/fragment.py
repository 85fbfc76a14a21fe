"""Write the changes of a course as HTML: a fragment for a page, with its style; and a page of its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from itertools import groupby

from canvas_exports.core.packages.changes.model import CourseChanges, ItemChange
from canvas_exports.core.reports.changes.headings import heading_of
from canvas_exports.core.reports.page.templates import part, template

#: Changes that one page shows; further ones are counted.
MAX_SHOWN = 1_000


def changes_fragment(
    changes: CourseChanges, *, link: Callable[[ItemChange], str] | None = None, level: int = 2
) -> str:
    """Return the changes as HTML: one ``div`` with the class ``changes``, without style and script.

    Every text of the packages is escaped. What was removed and added is in ``del`` and ``ins`` elements, each with a word for
    screen readers. No colour alone tells anything.

    Args:
        changes: what differs.
        link: of a change, the address of the item where it can be read; ``""`` for none. It is escaped, too; the caller
            answers for its scheme.
        level: of the headings: 2 to 5.
    """
    shown = changes.changes[:MAX_SHOWN]
    groups = [
        (heading_of(kind), [(change, link(change) if link else "") for change in found])
        for kind, found in groupby(shown, key=lambda change: change.kind)
    ]
    return template("changes.html", __package__).render(
        changes=changes,
        groups=groups,
        left_out=changes.left_out + len(changes.changes) - len(shown),
        level=level,
    )


def changes_style() -> str:
    """Return the CSS of ``changes_fragment``. Its colours follow the ``color-scheme`` of the page: light or dark."""
    return part("changes.css", __package__)


def changes_page(changes: CourseChanges, *, title: str, versions: str) -> str:
    """Return the changes as a page of its own, that loads nothing and runs no script.

    Args:
        changes: what differs.
        title: of the page.
        versions: one sentence: what is compared.
    """
    style = part("page.css", __package__) + changes_style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return template("page.html", __package__).render(
        title=title,
        versions=versions,
        style=style,
        style_hash=f"sha256-{digest}",
        fragment=changes_fragment(changes),
    )
