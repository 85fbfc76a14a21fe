"""What a Mac puts into a zip beside the files of whoever packed it: nobody's content."""

from __future__ import annotations


def is_sidecar(name: str) -> bool:
    """Whether a member is one of ``__MACOSX/``, ``._name`` and ``.DS_Store``, wherever it lies.

    They are checked like any other member, but they are not read, do not count, and are no part of the content digest.
    """
    if "._" not in name and ".DS_Store" not in name and "__MACOSX" not in name:
        return False
    parts = name.rstrip("/").split("/")
    return parts[-1].startswith("._") or parts[-1] == ".DS_Store" or "__MACOSX" in parts
