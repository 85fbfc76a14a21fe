"""The keys of packages, manifests and run reports below an archive's root.

A package's key is always ``<kind>s/<Canvas id>/`` and a rendered template::

    courses/101/20261123T020000Z-common_cartridge-501.imscc
    courses/101/20261123T020000Z-common_cartridge-501.json      its manifest

No key leaves the root, no two contexts or exports share one, and every key is legal on every backend.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, timezone
from string import Formatter

from canvas_exports.core.model.contexts import ContextKind
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.storage.object_keys import MAX_SEGMENT, check_key, is_key
from canvas_exports.errors import InputError

DEFAULT_TEMPLATE = "{created}-{export_type}-{export_id}"
FIELDS = ("created", "export_type", "export_id", "course_code", "sis_id", "name", "term")

#: The folders of all courses, groups and users: ``courses/``, ``groups/``, ``users/``.
CONTEXT_FOLDERS = tuple(f"{kind.collection}/" for kind in ContextKind)

#: The file name suffixes of packages: ``.imscc``, ``.zip``.
SUFFIXES = tuple(dict.fromkeys(export_type.suffix for export_type in ExportType))

MISSING = "none"
_MAX_TEMPLATE = 200
_MAX_SLUG = 60
_MAX_RENDERED = 700
_LONGEST = {"{created}": 16, "{export_type}": 16, "{export_id}": 19}  # all others are slugs
_SEPARATORS = "-_.="
_DEFAULT_NAME = re.compile("([0-9]{8}T[0-9]{6}Z)-[a-z_]+-([1-9][0-9]{0,18})[.]json")
_CONTEXT = re.compile(r"(course|group|user)s/([1-9][0-9]{0,18})/")
_ACCEPTED = (
    "text of A-Z a-z 0-9 . _ = - / and "
    + ", ".join(f"{{{name}}}" for name in FIELDS)
    + "; such as {created}-{export_type}-{export_id} or {term}/{export_id}_{name}"
)


def check_template(template: str, *, field: str = "key_template") -> str:
    """Return the template if every key it renders is safe and unique.

    ``{export_id}`` has to begin or end its path segment, with a separator on its other side: then the id can be read back
    from the key, whatever the other fields are, and no two exports share a key.

    Args:
        template: literal text of ``A-Z a-z 0-9 . _ = - /`` and ``{field}`` from ``FIELDS``.
        field: the name of the field to blame in an error.

    Raises:
        InputError: names the problem and what is accepted.
    """
    for problem in _problems(template):
        raise InputError(field, problem, accepted=_ACCEPTED)
    return template


def _problems(template: str) -> Iterator[str]:
    """Yield the problems of a template, the worst first."""
    if not 0 < len(template) <= _MAX_TEMPLATE:
        yield f"a template has 1 to {_MAX_TEMPLATE} characters"
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        yield f"{template!r} has an unpaired brace"
        return
    for literal, name, spec, conversion in parts:
        if not re.fullmatch(r"[A-Za-z0-9._=/-]*", literal):
            yield f"{literal!r} holds a character that is not safe everywhere"
        if name is not None and (name not in FIELDS or spec or conversion):
            yield f"there is no field {{{name}}}"
    longest = re.sub(r"\{\w+\}", lambda field: "x" * _LONGEST.get(field[0], _MAX_SLUG), template)
    if len(longest) > _MAX_RENDERED or any(len(segment) > MAX_SEGMENT for segment in longest.split("/")):
        yield f"{template!r} could render a name too long for some file systems; use fewer fields in one segment"
    segments = template.split("/")
    if any(not segment or segment.startswith(".") or segment.endswith(".") for segment in segments):
        yield f"{template!r} has a segment that is empty, or starts or ends with a dot"
    if re.search(r"\.(verify|drill|hold)-", template):
        yield f"{template!r} renders names that belong to the records of verifications, drills and holds"
    if not any(_stands_alone(segment) for segment in segments):
        yield "{export_id} has to open or close its path segment and be set off from the rest, or two keys could meet"


def _stands_alone(segment: str) -> bool:
    before, found, after = segment.partition("{export_id}")
    if not found:
        return False
    if not before:
        return not after or after[0] in _SEPARATORS
    return not after and before[-1] in _SEPARATORS


def package_key(
    kind: str,
    canvas_id: int,
    *,
    export_type: str,
    export_id: int,
    created: datetime,
    suffix: str,
    template: str = DEFAULT_TEMPLATE,
    course_code: str | None = None,
    sis_id: str | None = None,
    name: str | None = None,
    term: str | None = None,
    confirmed_at: datetime | None = None,
) -> str:
    """Return the key of a package, such as ``courses/101/20261123T020000Z-common_cartridge-501.imscc``.

    Args:
        kind: ``course``, ``group`` or ``user``.
        canvas_id: the context's numeric Canvas id.
        export_type: ``common_cartridge``, ``qti`` or ``zip``.
        export_id: Canvas's id of the content export.
        created: when Canvas created the export; must be aware of its time zone.
        suffix: ``.imscc`` or ``.zip``.
        template: see ``check_template``.
        course_code: free text from here on: reduced to safe characters, cut to 60, ``none`` where missing.
        sis_id: likewise.
        name: likewise; ignored for a user, whose name is a person's.
        term: likewise.
        confirmed_at: of a copy that was confirmed without an export: when; it stands in the place of ``created``, or is added
            to the name if the template has no ``{created}``: an export may be confirmed every night. No package lies under
            such a key, only a manifest beside it.

    Raises:
        InputError: a bad template.
    """
    if (
        kind not in ContextKind._value2member_map_
        or canvas_id <= 0
        or export_id <= 0
        or suffix not in SUFFIXES
        or created.tzinfo is None
    ):
        raise ValueError(
            f"no key for {kind} {canvas_id}, export {export_id}, {suffix}, {created.isoformat()}"
        )
    moment = (confirmed_at or created).astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    rendered = check_template(template).format(
        created=moment,
        export_type=_slug(export_type),
        export_id=export_id,
        course_code=_slug(course_code),
        sis_id=_slug(sis_id),
        name=_slug(None if kind == "user" else name),
        term=_slug(term),
    )
    if confirmed_at is not None and "{created}" not in template:
        rendered = f"{rendered}-{moment}"
    return check_key(f"{context_folder(kind, canvas_id)}{rendered}{suffix}")


def context_folder(kind: str, canvas_id: int) -> str:
    """Return the folder of one context: ``courses/101/``."""
    return f"{kind}s/{canvas_id}/"


def context_of(key: str) -> tuple[str, int] | None:
    """Return kind and id of the context in whose folder a key lies: ``("course", 101)``; ``None`` if it lies in none."""
    found = _CONTEXT.match(key)
    return None if found is None else (found[1], int(found[2]))


def is_package_below(folder: str, key: str) -> bool:
    """Return whether a key can be that of a package in a context's folder."""
    return is_key(key) and key.startswith(folder) and key.endswith(SUFFIXES)


def names_other_export(manifest: str, created: datetime, export_id: int) -> bool:
    """Return whether the key of a manifest, if the default template rendered it, names another export or time."""
    found = _DEFAULT_NAME.fullmatch(manifest.rpartition("/")[2])
    named = created.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    return found is not None and (found[1], int(found[2])) != (named, export_id)


def manifest_key(package: str) -> str:
    """Return the key of the manifest beside a package."""
    for suffix in SUFFIXES:
        if package.endswith(suffix):
            return package.removesuffix(suffix) + ".json"
    raise ValueError(f"not a package's key: {package!r}")


def run_folder(day: date, dag_id: str, run_id: str) -> str:
    """Return the folder of the reports of a DAG run: ``runs/2026-11-23/<dag_id>/<run_id>/``.

    Characters of an id that a key cannot have are replaced, and a digest of the id keeps two such ids apart.
    """
    return check_key(f"runs/{day:%Y-%m-%d}/{_distinct(dag_id)}/{_distinct(run_id)}/manifest").removesuffix(
        "manifest"
    )


def _slug(text: str | None) -> str:
    """Reduce a text to letters, digits, ``-`` and ``_``, so that a field never begins a path or ends in a dot."""
    plain = unicodedata.normalize("NFKD", text or "").encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain)[:_MAX_SLUG].strip("-") or MISSING


def _distinct(identifier: str) -> str:
    slug = _slug(identifier)
    if slug == identifier and not re.search(r"-[0-9a-f]{10}$", slug):
        return slug
    # Every id that is changed ends in its digest, and no other id does: so no two ids share a folder.
    return f"{slug}-{hashlib.sha256(identifier.encode(errors='surrogatepass')).hexdigest()[:10]}"
