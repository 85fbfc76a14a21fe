"""Parameters as Rails reads them: ``a[b][]=1`` becomes ``{"a": {"b": ["1"]}}``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

_PARTS = re.compile(r"\[([^\]]*)\]")
_TRUE = {"1", "true", "on", "yes", "y", "t"}


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return nested parameters from flat ones; the last of two equal scalars wins."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        head, bracket, rest = name.partition("[")
        _put(root, [head, *_PARTS.findall(bracket + rest)], value)
    return root


def _put(target: dict[str, Any], path: list[str], value: str) -> None:
    name, rest = path[0], path[1:]
    if not rest:
        target[name] = value
    elif rest == [""]:
        existing = target.setdefault(name, [])
        if isinstance(existing, list):
            existing.append(value)
    else:
        inner = target.setdefault(name, {})
        if isinstance(inner, dict):
            _put(inner, rest, value)


def from_query(query: str) -> dict[str, Any]:
    """Parse the parameters of a query string."""
    return nest(parse_qsl(query, keep_blank_values=True)) if query else {}


def from_body(body: bytes, content_type: str) -> dict[str, Any]:
    """Parse the parameters of a body: form, multipart or JSON object; anything else has none."""
    if not body:
        return {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return from_query(body.decode("utf-8", "replace"))
    if kind == "multipart/form-data":
        message = BytesParser(policy=HTTP).parsebytes(
            b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
        )
        parts = (
            (str(part.get_param("name", "", "content-disposition")), part) for part in message.iter_parts()
        )
        return nest((name, str(part.get_content()).rstrip("\r\n")) for name, part in parts)
    if kind == "application/json":
        try:
            data = json.loads(body)
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}
    return {}


def is_true(value: object) -> bool:
    """Parse a boolean parameter as Canvas does."""
    return str(value).lower() in _TRUE


def strings(value: object) -> list[str]:
    """Return an array parameter; a scalar is not an array and gives an empty list."""
    return [str(item) for item in value] if isinstance(value, list) else []


def to_query(params: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return flat, sorted parameters, as Rails' ``to_query`` writes them into links."""
    pairs: list[tuple[str, str]] = []
    for key in sorted(params):
        name, value = f"{prefix}[{key}]" if prefix else key, params[key]
        if isinstance(value, dict):
            pairs += to_query(value, name)
        elif isinstance(value, list):
            pairs += [(f"{name}[]", str(item)) for item in value]
        else:
            pairs.append((name, str(value)))
    return pairs
