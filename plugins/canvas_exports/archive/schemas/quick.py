"""A JSON Schema as a chain of functions, for the one answer that is nearly always right: the document is valid.

jsonschema takes half a millisecond for a manifest, which is a good part of what a small package costs. What is compiled
here knows the keywords that our schemas use, in the forms in which they use them, and nothing else. It may say no to a
valid document, but never yes to one that is not; why it is not valid is for jsonschema to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]

# Exactly these: to Python a bool is an int, to JSON it is no number.
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "object": (dict,),
    "array": (list,),
}
_NOTES = frozenset({"$schema", "$id", "$defs", "title", "description", "then"})


def compiled(schema: Mapping[str, Any]) -> Check:
    """A function that says of a document whether it is certainly valid.

    Raises:
        NotImplementedError: the schema uses a keyword, or a form of one, that is not known here.
    """
    return _Compiler(schema).check(schema)


class _Compiler:
    """``of_<keyword>`` makes a keyword's check of its value and of the schema in which it stands."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def check(self, schema: Mapping[str, Any]) -> Check:
        checks = [
            self._keyword(keyword)(value, schema)
            for keyword, value in schema.items()
            if keyword not in _NOTES
        ]
        return checks[0] if len(checks) == 1 else _every(checks)

    def _keyword(self, keyword: str) -> Callable[[Any, Mapping[str, Any]], Check]:
        name = f"of_{keyword.removeprefix('$')}"
        if not hasattr(self, name):
            raise NotImplementedError(keyword)
        made: Callable[[Any, Mapping[str, Any]], Check] = getattr(self, name)
        return made

    def of_ref(self, value: str, _: Mapping[str, Any]) -> Check:
        found: Any = self._root
        for step in value.removeprefix("#/").split("/"):
            found = found[step]
        return self.check(found)

    def of_type(self, value: str | list[str], _: Mapping[str, Any]) -> Check:
        names = [value] if isinstance(value, str) else value
        types = frozenset(kind for name in names for kind in _TYPES[name])
        return lambda item: type(item) in types

    def of_const(self, value: Any, _: Mapping[str, Any]) -> Check:
        return _equals([value])

    def of_enum(self, value: list[Any], _: Mapping[str, Any]) -> Check:
        return _equals(value)

    def of_minimum(self, value: float, _: Mapping[str, Any]) -> Check:
        return lambda number: not isinstance(number, (int, float)) or number >= value

    def of_maxItems(self, value: int, _: Mapping[str, Any]) -> Check:  # noqa: N802 - the keyword
        return lambda array: not isinstance(array, list) or len(array) <= value

    def of_pattern(self, value: str, _: Mapping[str, Any]) -> Check:
        search = re.compile(value).search
        return lambda text: not isinstance(text, str) or search(text) is not None

    def of_required(self, value: list[str], _: Mapping[str, Any]) -> Check:
        names = frozenset(value)
        return lambda item: not isinstance(item, dict) or names <= item.keys()

    def of_items(self, value: Mapping[str, Any], _: Mapping[str, Any]) -> Check:
        each = self.check(value)
        return lambda array: not isinstance(array, list) or all(map(each, array))

    def of_anyOf(self, value: list[Mapping[str, Any]], _: Mapping[str, Any]) -> Check:  # noqa: N802 - the keyword
        ways = [self.check(way) for way in value]
        return lambda item: any(way(item) for way in ways)

    def of_if(self, value: Mapping[str, Any], schema: Mapping[str, Any]) -> Check:
        applies, then = self.check(value), self.check(schema["then"])
        return lambda item: then(item) if applies(item) else True

    def of_properties(self, value: Mapping[str, Any], _: Mapping[str, Any]) -> Check:
        known = {name: self.check(schema) for name, schema in value.items()}

        def properties(item: Any) -> bool:
            if isinstance(item, dict):
                for name, check in known.items():
                    if name in item and not check(item[name]):
                        return False
            return True

        return properties

    def of_additionalProperties(self, value: Mapping[str, Any], schema: Mapping[str, Any]) -> Check:  # noqa: N802
        each, named = self.check(value), frozenset(schema.get("properties", ()))
        return lambda item: (
            not isinstance(item, dict)
            or all(each(inner) for name, inner in item.items() if name not in named)
        )


def _every(checks: list[Check]) -> Check:
    """A loop: ``all`` over a generator takes twice the time, and this is most of what reading a manifest costs."""

    def every(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - see above
            if not check(value):
                return False
        return True

    return every


def _equals(accepted: list[Any]) -> Check:
    if not all(isinstance(value, str) for value in accepted):
        raise NotImplementedError("const and enum of anything but text")
    known = frozenset(accepted)
    return lambda value: isinstance(value, str) and value in known
