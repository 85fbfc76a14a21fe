"""Documents as strangers, rot and later versions leave them, made from a valid one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Spoil = Callable[[bytes], bytes]


def _without(name: str) -> Spoil:
    return lambda valid: json.dumps({k: v for k, v in json.loads(valid).items() if k != name}).encode()


def _version(valid: bytes) -> bytes:
    return valid.replace(b":1", b":99", 1)


def _with(number: bytes) -> Spoil:
    """The first whole number in it becomes another one."""

    def spoil(valid: bytes) -> bytes:
        data = json.loads(valid)
        told = json.dumps(_first_number(data, "@@")).encode()
        return told.replace(b'"@@"', number)

    return spoil


def _first_number(data: Any, other: Any) -> Any:
    if isinstance(data, dict):
        done = False
        changed = {}
        for name, value in data.items():
            new = value if done else _first_number(value, other)
            done = done or new != value
            changed[name] = new
        return changed
    if isinstance(data, list):
        return [_first_number(each, other) for each in data]
    return other if isinstance(data, int) and not isinstance(data, bool) else data


def _at(when: bytes) -> Spoil:
    return lambda valid: valid.replace(b"2026-11-01T02:00:00Z", when)


#: What no reader takes for a document of any kind.
SPOILT: dict[str, Spoil] = {
    "nothing": lambda _: b"",
    "blanks": lambda _: b" \n",
    "brackets": lambda _: b"[" * 100_000,
    "closed brackets": lambda _: b"[" * 50_000 + b"]" * 50_000,
    "objects": lambda _: b'{"a":' * 100_000,
    "deep in a field": lambda valid: (
        valid.rstrip().removesuffix(b"}") + b', "x": ' + b"[" * 900 + b"]" * 900 + b"}"
    ),
    "a list": lambda valid: b"[" + valid + b"]",
    "a number": lambda _: b"7",
    "a text": lambda _: b'"manifest"',
    "null": lambda _: b"null",
    "cut": lambda valid: valid[: len(valid) // 2],
    "twice": lambda valid: valid + valid,
    "a name twice": lambda valid: b'{"schema": "x", ' + valid.lstrip()[1:],
    "latin-1": lambda valid: valid.replace(b"urn:", b"\xfcrn:", 1),
    "utf-16": lambda valid: valid.decode().encode("utf-16"),
    "utf-32": lambda valid: valid.decode().encode("utf-32"),
    "gzip": gzip.compress,
    "zeros": lambda valid: bytes(len(valid)),
    "a page": lambda _: b"<!DOCTYPE html><title>Sign in</title>",
    "a schema of later": _version,
    "a schema of elsewhere": lambda valid: valid.replace(b"canvas-exports", b"moodle-exports", 1),
    "no schema": _without("schema"),
    "NaN": _with(b"NaN"),
    "infinity": _with(b"-Infinity"),
    "1e999": _with(b"1e999"),
    "5000 digits": _with(b"9" * 5000),
    "4000 digits": _with(b"9" * 4000),
    "a fraction": _with(b"1.0"),
    "a text for a number": _with(b'"1"'),
    "true for a number": _with(b"true"),
    "a list for a number": _with(b"[1]"),
    "too large": lambda valid: valid + b" " * (5 * 1024 * 1024),
}

#: Of documents that tell a time, besides: a time that there is not.
TIMES: dict[str, Spoil] = {
    name: _at(when)
    for name, when in {
        "a day that does not exist": b"2026-02-30T02:00:00Z",
        "an hour that does not exist": b"2026-11-01T25:00:00Z",
        "the year 99999": b"99999-11-01T02:00:00Z",
        "the year 0": b"0000-11-01T02:00:00Z",
        "the year 1": b"0001-01-01T00:00:00Z",
        "the end of time": b"9999-12-31T23:59:59Z",
        "a line break behind it": b"2026-11-01T02:00:00Z\\n",
        "other digits": "٢٠٢٦-11-01T02:00:00Z".encode(),
        "no time": b"yesterday",
    }.items()
}

_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(10**400), max_value=10**400),
    st.floats(),
    st.text(max_size=20),
    st.just("\ud800"),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
    st.sampled_from(
        [
            "../../etc/passwd",
            "/etc/passwd",
            "courses/102/x.imscc",
            "9999-12-31T23:59:59Z",
            "2026-02-30T00:00:00Z",
        ]
    ),
)


@st.composite
def mutations(draw: st.DrawFn, valid: bytes) -> bytes:
    """A valid document in which some values are others, or bytes are."""
    if draw(st.booleans()):
        data = bytearray(valid)
        for _ in range(draw(st.integers(1, 5))):
            at = draw(st.integers(0, len(data) - 1))
            data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
        return bytes(data)
    data = json.loads(valid)
    for _ in range(draw(st.integers(1, 3))):
        _replace_one(draw, data)
    return json.dumps(data).encode()


def _replace_one(draw: st.DrawFn, data: Any) -> None:
    """Go down some way, and put something else there, or take it away."""
    while True:
        if isinstance(data, dict) and data:
            name: Any = draw(st.sampled_from(sorted(data)))
        elif isinstance(data, list) and data:
            name = draw(st.integers(0, len(data) - 1))
        else:
            return
        inner = data[name]
        if isinstance(inner, (dict, list)) and inner and draw(st.booleans()):
            data = inner
            continue
        if draw(st.integers(0, 4)) == 0:
            del data[name]
        else:
            data[name] = draw(_ODD)
        return
