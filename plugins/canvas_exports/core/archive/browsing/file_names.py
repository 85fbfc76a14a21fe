"""Names of files that every file system, archive program and web server takes, and that name nothing twice."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from canvas_exports.core.archive.browsing.file_types import inert_name

_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])( *)(\.|$)", re.IGNORECASE
)
_FORBIDDEN = frozenset('<>:"/\\|?*')
_LONGEST = 120  # bytes of one name, before a number is added
_LONGEST_ENDING = 16
_LONGEST_PATH = 180  # characters of a path below the folder of the course: Windows allows 260 of a whole one
_MAX_DEPTH = 8


class FileNames:
    """Gives each file of a package a path of its own below a folder.

    Paths keep the names of the package as far as a file system takes them. None differs from another one in case or in the
    form of its letters only, none leads out of the folder, and none is one that a browser runs (see ``file_types``).

    Args:
        folder: that all paths begin with.
        ascii_only: whether names have only letters, digits, dots and dashes, as keys of a store.
    """

    def __init__(self, folder: str, *, ascii_only: bool = False) -> None:
        self._folder = folder
        self._ascii_only = ascii_only
        self._taken: dict[str, set[str]] = {}
        self._next: dict[tuple[str, str], int] = {}
        self._folders: dict[tuple[str, str], str] = {}

    def path_of(self, folder: str, name: str) -> str:
        """Return a new path for a file.

        Args:
            folder: in the package; it may be anything.
            name: likewise.
        """
        parts = [part for part in folder.split("/") if part not in ("", ".", "..")]
        where = self._folder
        if len(parts) <= _MAX_DEPTH:
            for part in parts:
                where = self._folder_of(where, part)
        if len(parts) > _MAX_DEPTH or len(where) > _LONGEST_PATH - _LONGEST // 2:
            where = self._folder_of(
                self._folder, hashlib.sha256(folder.encode("utf-8", "replace")).hexdigest()[:12]
            )
        return f"{where}/{self._unique(where, inert_name(self._safe(name)))}"

    def _folder_of(self, parent: str, name: str) -> str:
        known = self._folders.get((parent, name))
        if known is None:
            known = f"{parent}/{self._unique(parent, self._safe(name))}"
            self._folders[parent, name] = known
        return known

    def _unique(self, parent: str, name: str) -> str:
        taken = self._taken.setdefault(parent, set())
        stem, dot, ending = name.rpartition(".")
        if not stem:
            stem, dot, ending = name, "", ""
        chosen = name
        while (alike := _alike(chosen)) in taken:
            number = self._next.get((parent, _alike(name)), 2)
            self._next[parent, _alike(name)] = number + 1
            chosen = f"{stem}-{number}{dot}{ending}"
        taken.add(alike)
        return chosen

    def _safe(self, name: str) -> str:
        return safe_name(name, ascii_only=self._ascii_only)


def safe_name(name: str, *, ascii_only: bool = False) -> str:
    """Return a name of a file or folder that every file system takes; ``_`` stands for what one of them does not.

    Args:
        name: it may be anything; a path is taken for one name.
        ascii_only: whether it has only letters, digits, dots and dashes, as keys of a store.
    """
    plain = unicodedata.normalize("NFC", name)
    if ascii_only:
        plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", plain)
    plain = "".join("_" if each in _FORBIDDEN or not each.isprintable() else each for each in plain).strip()
    plain = _shortened(plain).rstrip(". ")
    if not plain.strip("._- "):
        plain = "file"
    if plain.startswith((".", "-", "~")) or _RESERVED.match(plain):
        plain = f"_{plain}"
    return plain


def slug(text: str, *, longest: int = 50) -> str:
    """Return a short text of small letters, digits and dashes; it may be empty."""
    plain = unicodedata.normalize("NFKD", text[: 4 * longest]).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:longest].strip("-")


def _alike(name: str) -> str:
    """Return what two names have in common that some file system takes for one."""
    return unicodedata.normalize("NFKC", name).casefold()


def _shortened(name: str) -> str:
    """Return a name of at most ``_LONGEST`` bytes, with its ending."""
    if len(name.encode("utf-8", "replace")) <= _LONGEST:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode("utf-8", "replace")) > _LONGEST_ENDING:
        stem, dot, ending = name, "", ""
    room = _LONGEST - len((dot + ending).encode("utf-8", "replace"))
    return stem.encode("utf-8", "ignore")[:room].decode("utf-8", "ignore").rstrip(". ") + dot + ending
