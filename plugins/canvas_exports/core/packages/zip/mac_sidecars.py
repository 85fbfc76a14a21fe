"""Recognise the metadata files that macOS adds to a zip."""

from __future__ import annotations


def is_sidecar(name: str) -> bool:
    """Return whether a member is one of ``__MACOSX/``, ``._name`` and ``.DS_Store``, in any folder.

    They are checked like any other member, but not read, not counted, and no part of the content digest.
    """
    if "._" not in name and ".DS_Store" not in name and "__MACOSX" not in name:
        return False
    parts = name.rstrip("/").split("/")
    return parts[-1].startswith("._") or parts[-1] == ".DS_Store" or "__MACOSX" in parts
