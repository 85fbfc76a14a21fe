"""Encode ids into URL paths, so that Canvas reads exactly the id that was written.

Canvas decodes a path segment once, after all proxies, and reads a trailing ``.xml`` or ``.11`` as a format. Proxies and HTTP
libraries undo the percent-encoding of dots and slashes. Nothing undoes Canvas's hexadecimal form
``hex:sis_course_id:42494f``, so a SIS id with such characters is sent in it.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import InputError

_LONGEST = 255  # characters of a SIS id
_FRAGILE = frozenset("./\\%;?#")
_ACCOUNT_NAMES = frozenset({"self", "default", "site_admin"})
_ACCOUNT_FIELDS = frozenset({"sis_account_id", "sis_integration_id", "lti_context_id", "uuid"})


def encode_id(value: str) -> str:
    """Return the path segment for digits, ``self`` or ``<field>:<value>``."""
    field, colon, name = value.partition(":")
    if not colon:
        return _quote(value)
    if field.startswith("sis_") and _FRAGILE.intersection(name):
        return f"hex:{field}:{name.encode().hex()}"
    return f"{field}:{_quote(name)}"


def context_path(context: Context) -> str:
    """Return a path such as ``/api/v1/courses/101``."""
    return f"/api/v1/{context.kind.collection}/{encode_id(context.id)}"


def account_path(account: str | int) -> str:
    """Return a path such as ``/api/v1/accounts/self``.

    Raises:
        InputError: not an account id that Canvas accepts.
    """
    value = str(account).strip()
    return f"/api/v1/accounts/{encode_id(check_id('account', value, _ACCOUNT_FIELDS, _ACCOUNT_NAMES))}"


def check_id(field: str, value: str, sis_fields: frozenset[str], names: frozenset[str] = frozenset()) -> str:
    """Return the value if it is digits, one of the names, or ``<sis field>:<something>``.

    Raises:
        InputError: anything else; Canvas would respond with 404, or silently ignore it in a filter.
    """
    sis_field, colon, name = value.partition(":")
    if (
        re.fullmatch(r"[0-9]{1,19}", value)
        or value in names
        or (colon and sis_field in sis_fields and 0 < len(name.strip()) <= _LONGEST)
    ):
        return value
    accepted = ["a number", *sorted(names), *(f"{sis}:..." for sis in sorted(sis_fields))]
    raise InputError(field, f"{value!r} is not an id Canvas knows here", accepted=accepted)


def _quote(text: str) -> str:
    # quote() never touches a dot, but Canvas would cut the segment there.
    return quote(text, safe="").replace(".", "%2E")
