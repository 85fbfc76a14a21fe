"""An edit of a course that has imported content."""

from __future__ import annotations

from canvas_sandbox.content.model import Item, Kind, create_key
from canvas_sandbox.imports.package_contents import PackageContents, PackageItem
from canvas_sandbox.packages.documents import html_page
from canvas_sandbox.packages.manifest import Resource
from canvas_sandbox.packages.zip_layout import text_member


def new_page(revision: int) -> PackageContents:
    """Return a page that a teacher adds, in the form of an import."""
    key, title = create_key(f"revision_{revision}"), f"Added in revision {revision}"
    item = Item(Kind.PAGE, 0, title, body="Something new.", migration_id=key)
    name = f"wiki_content/{item.slug}.html"
    return PackageContents(
        found={(Kind.PAGE, key): PackageItem(Kind.PAGE, key, title, body="<p>Something new.</p>")},
        members={name: text_member(name, html_page(item, ()))},
        owners={name: key},
        resources={key: Resource(key, "webcontent", (name,))},
        partial=True,
    )
