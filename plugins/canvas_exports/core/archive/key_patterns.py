"""Patterns of the keys that a backup writes, to distinguish them from the keys of other programs in the same archive."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from string import Formatter
from typing import Any

from canvas_exports.core.archive.layout import DEFAULT_TEMPLATE, MISSING, check_template, package_key
from canvas_exports.core.archive.probe import is_probe
from canvas_exports.core.model.export_types import ExportType

_SUFFIXES = {export_type.value: export_type.suffix for export_type in ExportType}
_TYPES = {"course": tuple(_SUFFIXES), "group": ("zip",), "user": ("zip",)}
_SLUG = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,58}[A-Za-z0-9_])?"
_FIELDS = {
    "created": r"[0-9]{8}T[0-9]{6}Z",
    "export_type": "|".join(_SUFFIXES),
    "export_id": "[1-9][0-9]{0,18}",
}
_RUNS = re.compile(
    r"runs/[0-9]{4}-[0-9]{2}-[0-9]{2}/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/"
    r"(?:report\.(?:json|csv|html)|verification\.json|(?:batches|gates|retention|state)/[A-Za-z0-9._-]+\.json|(?:plan|readings)/[0-9]+\.jsonl)"
)
_INDEX = re.compile(
    r"catalog/[0-9a-f]{8}-[0-9a-f]{32}\.jsonl\.gz|search/[0-9]{1,4}-[0-9a-f]{32}\.(?:texts|packages)\.jsonl\.gz"
)


class KeyPatterns:
    """Recognise the keys that a backup with a key template writes.

    A key is ours only if the template renders exactly this key from some context and export. A template without
    ``{created}`` renders names that other programs may use, too (``courses/101/7.zip``), so none of its packages is recognised.

    Args:
        template: of the keys of packages; see ``layout.check_template``.

    Raises:
        InputError: a bad template.
    """

    def __init__(self, template: str = DEFAULT_TEMPLATE) -> None:
        self._template = check_template(template)
        self._patterns = {
            kind: re.compile(
                rf"(?P<kind>{kind})s/(?P<id>[1-9][0-9]{{0,18}})/{_template_pattern(template, kind)}(?P<suffix>\.imscc|\.zip)"
            )
            for kind in _TYPES
        }
        self.has_packages = "{created}" in template

    def is_package(self, key: str) -> bool:
        """Return whether a key is that of a package."""
        if not self.has_packages:
            return False
        matches = (pattern.fullmatch(key) for pattern in self._patterns.values())
        return any(self._render(found, each) == key for found in matches if found for each in _types(found))

    def owns(self, key: str) -> bool:
        """Return whether a key is that of a package, a manifest, a document of a run, of the index or of the search index, or a probe."""
        if is_probe(key) or _RUNS.fullmatch(key) or _INDEX.fullmatch(key):
            return True
        stem = key.removesuffix(".json")
        names = (key,) if stem == key else (f"{stem}.imscc", f"{stem}.zip")
        return any(self.is_package(name) for name in names)

    def _render(self, found: re.Match[str], export_type: str) -> str | None:
        """Return the key that the template renders from the found fields: if it is another one, the key is not ours."""
        fields = found.groupdict()
        slugs: dict[str, Any] = {name: fields.get(name) for name in ("course_code", "sis_id", "name", "term")}
        try:
            created = datetime.strptime(fields["created"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
            return package_key(
                fields["kind"],
                int(fields["id"]),
                export_type=export_type,
                export_id=int(fields["export_id"]),
                created=created,
                suffix=_SUFFIXES[export_type],
                template=self._template,
                **slugs,
            )
        except ValueError:  # the thirtieth of February
            return None


def _types(found: re.Match[str]) -> tuple[str, ...]:
    return tuple(each for each in _TYPES[found["kind"]] if _SUFFIXES[each] == found["suffix"])


def _template_pattern(template: str, kind: str) -> str:
    """Return a template as a regular expression; a field that occurs twice must have the same value twice."""
    fields = _FIELDS if kind != "user" else {**_FIELDS, "name": MISSING}
    seen: set[str] = set()
    pattern = ""
    for literal, name, _, _ in Formatter().parse(template):
        pattern += re.escape(literal)
        if name is not None:
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>{fields.get(name, _SLUG)})"
            seen.add(name)
    return pattern
