"""The answers that a question in QTI 1.2 offers or accepts, with its key."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from canvas_exports.core.packages.content.documents.material import RESPONSES, html_of
from canvas_exports.core.packages.content.documents.scoring import Key
from canvas_exports.core.packages.content.model import Answer
from canvas_exports.core.packages.content.xml_tree import Element

_MOST = 2_000


def answers_of(item: Element, kind: str, key: Key) -> tuple[Answer, ...]:
    """Return the answers of a question, in order, at most 2,000.

    Args:
        item: the question.
        kind: its type.
        key: its key.
    """
    found = list(_answers(item, kind, key))
    return tuple(found[:_MOST])


def _answers(item: Element, kind: str, key: Key) -> Iterator[Answer]:
    calculated = next(item.all("calculated"), None)
    if calculated is not None:
        yield from _calculated(calculated)
        return
    presentation = item.first("presentation")
    responses = list(_responses(presentation)) if presentation is not None else []
    choices = [each for each in responses if next(each.all("response_label"), None) and _offers(each)]
    if "match" in kind and "pattern" not in kind:
        yield from _matches(choices, key)
        return
    for response in choices:
        yield from _choices(response, key, blank=html_of_own(response) if len(choices) > 1 else "")
    if not choices:
        yield from _accepted(key)


def html_of_own(response: Element) -> str:
    """Return the material of a response that is none of its answers: what is to be matched, or the name of a blank."""
    return html_of(
        response,
        without=("render_choice", "render_fib", "render_hotspot", "render_slider", "render_extension"),
    )


def _responses(element: Element) -> Iterator[Element]:
    for child in element.children:
        if child.name in RESPONSES:
            yield child
        else:
            yield from _responses(child)


def _offers(response: Element) -> bool:
    """Return whether a response has answers to choose from, rather than a field for one."""
    return any(html_of(label) for label in response.all("response_label"))


def _choices(response: Element, key: Key, *, blank: str) -> Iterator[Answer]:
    name = response.attributes.get("ident", "")
    is_ordered = response.attributes.get("rcardinality", "").lower() == "ordered"
    order = list(key.accepted.get(name, ()))
    for label in response.all("response_label"):
        identifier = label.attributes.get("ident", "")
        place = str(order.index(identifier) + 1) if is_ordered and identifier in order else ""
        is_correct = None if is_ordered else key.accepts(name, identifier)
        yield Answer(identifier, html_of(label), is_correct, match=place, blank=blank)


def _matches(responses: list[Element], key: Key) -> Iterator[Answer]:
    """Yield what is to be matched with what it belongs to, then what belongs to nothing."""
    offered: dict[str, str] = {}
    used = set()
    for response in responses:
        name = response.attributes.get("ident", "")
        offered |= {
            label.attributes.get("ident", ""): html_of(label) for label in response.all("response_label")
        }
        right = next((each for each in key.accepted.get(name, ()) if each in offered), "")
        used.add(offered.get(right, ""))
        yield Answer(name, html_of_own(response), match=offered.get(right, ""))
    for identifier, text in offered.items():
        if text not in used:
            used.add(text)
            yield Answer(identifier, text, is_correct=False)


def _accepted(key: Key) -> Iterator[Answer]:
    """Yield the texts and numbers that are accepted."""
    bounds = [_range(lower, upper) for lower, upper in key.ranges]
    for place, text in enumerate(dict.fromkeys((*key.texts(), *bounds)), 1):
        yield Answer(str(place), escape(text, quote=False), is_correct=True)


def _calculated(calculated: Element) -> Iterator[Answer]:
    """Yield the formulas, the ranges of the variables, and the sets of values with their answers."""
    for formula in calculated.all("formula"):
        yield Answer("formula", escape(formula.content.strip(), quote=False), is_correct=True)
    variables = calculated.first("vars")
    for variable in variables.children if variables else ():
        name = variable.attributes.get("name", "")
        bounds = _range(variable.value("min"), variable.value("max"))
        yield Answer(f"variable {name}", escape(f"{name}: {bounds}", quote=False))
    for values in calculated.all("var_set"):
        given = ", ".join(
            f"{each.attributes.get('name', '')} = {each.content.strip()}" for each in values.all("var")
        )
        text = f"{given}: {values.value('answer')}"
        yield Answer(values.attributes.get("ident", ""), escape(text, quote=False), is_correct=True)


def _range(lower: str, upper: str) -> str:
    return f"{lower} to {upper}" if lower and upper else f"at least {lower}" if lower else f"at most {upper}"
