"""The complete specification of a package: building it twice gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from canvas_sandbox.content.model import Content, Item, Kind
from canvas_sandbox.content.pictures import picture
from canvas_sandbox.faults import Fault
from canvas_sandbox.imports.holding.holding import Verbatim
from canvas_sandbox.packages.zip_layout import Member, filler_member, stored_member


@dataclass(frozen=True)
class PackageSpec:
    """The specification of one package.

    Attributes:
        label: The context, such as ``course:101``.
        context_id: Its id.
        name: Its name.
        content: The selected content.
        seed: Makes the bytes of files differ between sandboxes.
        revision: Makes them differ between revisions of the course.
        export_id: Named in recorded export errors.
        moment: When the package is built, seconds since the epoch.
        version: Common Cartridge version, ``1.1.0`` or ``1.3.0``.
        canvas_domain: Host of this Canvas, written into ``context.xml``.
        faults: Faults of the package.
        verbatim: Imported documents, which are exported unchanged.
        new_quiz_tool: Launch address of New Quizzes.
        has_new_quiz_bodies: Whether the service of New Quizzes has delivered their questions.
    """

    label: str
    context_id: int
    name: str
    content: Content
    seed: int
    revision: int
    export_id: int
    moment: float
    version: str = "1.1.0"
    canvas_domain: str = ""
    faults: frozenset[Fault] = frozenset()
    verbatim: Verbatim | None = None
    new_quiz_tool: str = ""
    has_new_quiz_bodies: bool = False

    def own(self, kind: Kind) -> Iterator[Item]:
        """Yield the items of a kind that were not imported."""
        return (
            item for item in self.content.of(kind) if self.verbatim is None or not self.verbatim.has(item)
        )

    def file_member(self, name: str, item: Item) -> Member:
        """Return the member of a file under a name in the package."""
        if item.picture:
            return stored_member(name, picture(item.picture))
        return filler_member(name, self.filler_key(item.id), item.size)

    def filler_key(self, item_id: int) -> str:
        """Return the key of a file's bytes: a file has the same bytes in every export and export type."""
        version = self.content.items[item_id].version
        upload = f":{version}" if version else ""
        return f"{self.seed}:{self.label}:{self.revision}:{item_id}{upload}"
