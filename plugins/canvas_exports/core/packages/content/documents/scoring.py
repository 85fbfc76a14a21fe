"""The key of a question in QTI 1.2: which answers its conditions give points for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from canvas_exports.core.packages.content.xml_tree import Element

_LOWER = ("vargte", "vargt")
_UPPER = ("varlte", "varlt")


@dataclass
class Key:
    """The answers that are given points.

    Attributes:
        is_known: whether the question says anything about points.
        accepted: the accepted answers by response, each once, in order: identifiers of choices, or texts.
        ranges: accepted ranges of numbers, as lower and upper bound; an empty text is no bound.
    """

    is_known: bool = False
    accepted: dict[str, dict[str, None]] = field(default_factory=dict)
    ranges: list[tuple[str, str]] = field(default_factory=list)

    def accepts(self, response: str, answer: str) -> bool | None:
        """Return whether an answer is right; ``None`` if the question does not say."""
        return answer in self.accepted.get(response, ()) if self.is_known else None

    def texts(self) -> Iterator[str]:
        """Yield the accepted answers of all responses."""
        for answers in self.accepted.values():
            yield from answers


def key_of(item: Element) -> Key:
    """Return the key of an item."""
    key = Key()
    for processing in item.all("resprocessing"):
        for condition in processing.all("respcondition"):
            variables = condition.first("conditionvar")
            if variables is not None and _gives_points(condition):
                _add(key, variables)
    return key


def number(text: str) -> float | None:
    """Return the number that a text is; ``None`` if it is none."""
    try:
        found = float(text.strip()[:50])
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _gives_points(condition: Element) -> bool:
    values = [
        _score(each.content)
        for each in condition.all("setvar")
        if each.attributes.get("action", "Set").lower() not in ("subtract", "divide")
    ]
    return any(value > 0 for value in values) or (
        not values and condition.attributes.get("title", "").lower() == "correct"
    )


def _score(text: str) -> float:
    """Return a score; ``SCORE.max``, as Blackboard writes it, is one."""
    return 1.0 if text.strip().lower().endswith(".max") else number(text) or 0.0


def _add(key: Key, variables: Element) -> None:
    bounds = {"lower": "", "upper": ""}
    for each in _required(variables):
        answer = each.content.strip()
        if each.name in ("varequal", "varsubset", "varsubstring", "varextension"):
            key.is_known = True
            key.accepted.setdefault(each.attributes.get("respident", ""), {}).setdefault(answer)
        elif each.name in _LOWER:
            bounds["lower"] = answer
        elif each.name in _UPPER:
            bounds["upper"] = answer
        if bounds["lower"] and bounds["upper"]:
            key.is_known = True
            key.ranges.append((bounds["lower"], bounds["upper"]))
            bounds = {"lower": "", "upper": ""}
    if bounds["lower"] or bounds["upper"]:
        key.is_known = True
        key.ranges.append((bounds["lower"], bounds["upper"]))


def _required(element: Element) -> Iterator[Element]:
    """Yield the conditions that must hold: what is within ``not`` is left out."""
    for child in element.children:
        if child.name in ("and", "or"):
            yield from _required(child)
        elif child.name != "not":
            yield child
