"""The parts of a Markdown page that can be checked: headings, links, fenced blocks, commands, tables."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
_FENCE = re.compile(r"^( *)```([a-z]*) ?([a-z]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the word behind it, and where it stands."""

    page: str
    line: int
    language: str
    word: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass
class Page:
    """One page, by its path below the repository."""

    path: Path
    text: str = field(init=False)

    def __post_init__(self) -> None:
        self.text = self.path.read_text(encoding="utf-8")

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def prose(self) -> str:
        """The page without its fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        """Fenced blocks, in order."""
        return [
            Block(
                str(self),
                self.text.count("\n", 0, found.start()) + 2,
                found[2],
                found[3],
                textwrap.dedent(found[4]),
            )
            for found in _FENCE.finditer(self.text)
        ]

    @property
    def code(self) -> list[str]:
        """What stands between backticks in the prose."""
        return _CODE.findall(self.prose)

    @property
    def links(self) -> list[str]:
        """Targets of links and images."""
        return _LINK.findall(_CODE.sub("", self.prose))

    @property
    def anchors(self) -> set[str]:
        """The anchors GitHub makes of the headings."""
        return {
            re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            for _, title in _HEADING.findall(self.prose)
        }

    def section(self, title: str) -> str:
        """What stands below a heading, up to the next one."""
        parts = _HEADING.split(self.prose)
        for at, found in enumerate(parts[2::3]):
            if found.replace("`", "") == title:
                return parts[2 + 3 * at + 1]
        raise AssertionError(f"{self} has no section {title!r}")

    def table(self, title: str, number: int = 0) -> list[list[str]]:
        """The rows of a table below a heading, without its own heading."""
        tables = re.findall(r"(?:^\|.*\|\n)+", self.section(title) + "\n", re.MULTILINE)
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in tables[number].splitlines()]
        return rows[2:]

    def column(self, title: str, column: int = 0, table: int = 0) -> list[str]:
        """One column of a table, without backticks."""
        return [row[column].replace("`", "") for row in self.table(title, table)]


PAGES = [Page(path) for path in (*sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("*.md")))]
BLOCKS = [block for page in PAGES for block in page.blocks]


def page(name: str) -> Page:
    """A page of ``docs/``."""
    return Page(ROOT / "docs" / f"{name}.md")


def bare(cell: str) -> str:
    return cell.replace("`", "")
