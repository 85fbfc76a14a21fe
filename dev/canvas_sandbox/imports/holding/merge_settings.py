"""Merge two settings documents of a course: its own, and the imported one."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from canvas_sandbox.imports.read_cartridge import parse_xml

_CANVAS = "http://canvas.instructure.com/xsd/cccv1p0"
_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
_NAMES = ("identifier", "path")


def merge_settings(own: str, imported: str, name: str) -> str:
    """Return the imported document, with the elements of the course's own that it does not name.

    Raises:
        BadPackageError: the imported one is not well-formed.
    """
    ours, theirs = parse_xml(own, name), parse_xml(imported, name)
    if not _add(theirs, ours):
        return imported
    ET.register_namespace("", _CANVAS)
    ET.register_namespace("xsi", _SCHEMA)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(theirs, encoding="unicode") + "\n"


def _add(theirs: ET.Element, ours: ET.Element) -> bool:
    """Add what is missing, list by list, and return whether anything was."""
    named = {_name(row) for row in theirs}
    added = False
    for row in ours:
        if _name(row) not in named:
            theirs.append(row)
            added = True
        elif not any(row.get(attribute) for attribute in _NAMES):
            same = next(other for other in theirs if _name(other) == _name(row))
            added = _add(same, row) or added
    return added


def _name(row: ET.Element) -> tuple[str, str]:
    return str(row.tag), next((row.get(attribute, "") for attribute in _NAMES if row.get(attribute)), "")
