"""How ids are written into a path, so that Canvas reads back exactly what a person meant.

Canvas decodes a path segment once, after every proxy on the way had its turn, and takes a trailing ``.xml`` or
``.11`` for a format. Proxies and HTTP libraries undo the percent-encoding of dots and slashes; nothing undoes
Canvas's hexadecimal form ``hex:sis_course_id:42494f``, so a SIS id that needs it travels that way.
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
    """One path segment for digits, ``self`` or ``<field>:<value>``."""
    field, colon, name = value.partition(":")
    if not colon:
        return _quote(value)
    if field.startswith("sis_") and _FRAGILE.intersection(name):
        return f"hex:{field}:{name.encode().hex()}"
    return f"{field}:{_quote(name)}"


def context_path(context: Context) -> str:
    """``/api/v1/courses/101`` and its like."""
    return f"/api/v1/{context.kind.collection}/{encode_id(context.id)}"


def account_path(account: str | int) -> str:
    """``/api/v1/accounts/self`` and its like.

    Raises:
        InputError: not a form in which Canvas knows accounts.
    """
    value = str(account).strip()
    return f"/api/v1/accounts/{encode_id(check_id('account', value, _ACCOUNT_FIELDS, _ACCOUNT_NAMES))}"


def check_id(field: str, value: str, sis_fields: frozenset[str], names: frozenset[str] = frozenset()) -> str:
    """The value, if it is digits, one of the names, or ``<sis field>:<something>``.

    Raises:
        InputError: anything else; Canvas would answer 404, or silently leave it out of a filter.
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
