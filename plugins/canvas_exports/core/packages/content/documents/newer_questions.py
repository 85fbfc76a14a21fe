"""Questions in QTI 2 and 3, which other systems write: each is a document of its own, an *assessment item*.

The names of QTI 3 are those of QTI 2 with a prefix and hyphens; both are compared without these.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from itertools import islice

from canvas_exports.core.packages.content.documents.scoring import number
from canvas_exports.core.packages.content.model import Answer, Question
from canvas_exports.core.packages.content.xml_tree import Element
from canvas_exports.foreign_text import harmless

_MOST_ANSWERS = 2_000
_MOST_FEEDBACK = 200
_MOST_GAPS = 20  # that one text may belong to
_MOST_JOINED = (
    1_000_000  # characters of the texts that something of a question belongs to, if these are several
)
_FEEDBACK = ("modalfeedback", "feedbackblock", "feedbackinline")
_HIDDEN = (*_FEEDBACK, "stylesheet", "templateblock", "templateinline", "gaptext", "gapimg")
# Interactions that stand in the text, with a blank each.
_INLINE = ("textentryinteraction", "inlinechoiceinteraction")
_WITH_TEXT = ("gapmatchinteraction", "hottextinteraction")
_CHOICES = ("simplechoice", "inlinechoice", "hottext", "simpleassociablechoice", "gaptext", "gapimg")
_PAIRED = ("matchinteraction", "associateinteraction")


def is_item(element: Element) -> bool:
    """Return whether an element is a question in QTI 2 or 3."""
    return _plain(element.name) == "assessmentitem"


def item_addresses(test: Element, name: str) -> Iterator[str]:
    """Yield the members with the questions of a test, in order.

    Args:
        test: the root element of its document.
        name: of its document.
    """
    if _plain(test.name) != "assessmenttest":
        return
    for each in _all(test, "assessmentitemref"):
        href = each.attributes.get("href", "")
        if href:
            yield posixpath.normpath(posixpath.join(posixpath.dirname(name), href.replace("\\", "/")))


def read_item(item: Element) -> Question:
    """Return the question that an assessment item is."""
    body = _child(item, "itembody")
    interactions = list(_interactions(body)) if body else []
    several = len(interactions) > 1
    keys = {_attribute(each, "identifier"): _Key.of(each) for each in _all(item, "responsedeclaration")}
    answers = (
        answer
        for each in interactions
        for name in [_attribute(each, "responseidentifier")]
        for answer in _answers(each, keys.get(name) or _Key(), blank=name if several else "")
    )
    feedback = filter(None, map(_inside, _outermost(item, lambda name: name in _FEEDBACK)))
    return Question(
        identifier=_attribute(item, "identifier"),
        type=harmless(_type_of(interactions), most=100),
        title=harmless(_attribute(item, "title") or _attribute(item, "label")),
        html=_inside(body, named=several) if body else "",
        points=_points(item),
        answers=tuple(islice(answers, _MOST_ANSWERS)),
        feedback=tuple(dict.fromkeys(feedback))[:_MOST_FEEDBACK],
    )


@dataclass(frozen=True)
class _Key:
    """The answers of one response that are right, with their places from 1; none if the question does not say."""

    values: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, declaration: Element) -> _Key:
        right = [
            value.content.strip()
            for each in _children(declaration, "correctresponse")
            for value in _children(each, "value")
        ]
        mapped = [
            _attribute(entry, "mapkey")
            for each in _children(declaration, "mapping")
            for entry in _children(each, "mapentry")
            if (number(_attribute(entry, "mappedvalue")) or 0) > 0
        ]
        is_text = _attribute(declaration, "basetype") in ("string", "integer", "float")
        values = dict.fromkeys((*right, *mapped) if is_text else right or mapped)
        return cls({value: place for place, value in enumerate(values, 1)})

    def accepts(self, identifier: str) -> bool | None:
        return identifier in self.values if self.values else None

    def partners(self) -> Iterator[tuple[str, str]]:
        for value in self.values:
            first, _, second = value.partition(" ")
            if second:
                yield first, second.strip()


def _answers(interaction: Element, key: _Key, *, blank: str) -> Iterator[Answer]:
    kind = _plain(interaction.name)
    choices = list(_outermost(interaction, lambda name: name in _CHOICES))
    if kind in _PAIRED:
        yield from _matched(choices, key)
    elif kind == "gapmatchinteraction":
        yield from _in_gaps(choices, key)
    elif choices:
        is_ordered = kind == "orderinteraction"
        for each in choices:
            name = _attribute(each, "identifier")
            place = str(key.values.get(name, "")) if is_ordered else ""
            is_right = None if is_ordered else key.accepts(name)
            yield Answer(name, _inside(each), is_right, match=place, blank=blank)
    else:
        for at, text in enumerate(key.values, 1):
            yield Answer(str(at), escape(text, quote=False), is_correct=True, blank=blank)


def _matched(choices: Iterable[Element], key: _Key) -> Iterator[Answer]:
    """Yield what is to be matched with what it belongs to, then what belongs to nothing."""
    texts = {_attribute(each, "identifier"): _inside(each) for each in choices}
    belongs: dict[str, list[str]] = {}
    for first, second in key.partners():
        if first in texts and second in texts:
            belongs.setdefault(first, []).append(second)
    left = _MOST_JOINED
    used = {second for seconds in belongs.values() for second in seconds}
    for name, text in texts.items():
        if name in belongs:
            seconds = list(dict.fromkeys(belongs[name]))
            left -= sum(len(texts[each]) for each in seconds[1:])
            yield Answer(
                name, text, match=", ".join(texts[each] for each in seconds[: None if left >= 0 else 1])
            )
        elif name not in used:
            yield Answer(name, text, is_correct=False if belongs else None)


def _in_gaps(choices: Iterable[Element], key: _Key) -> Iterator[Answer]:
    gaps: dict[str, list[str]] = {}
    for name, gap in key.partners():
        gaps.setdefault(name, []).append(gap)
    for each in choices:
        name, text = _attribute(each, "identifier"), _inside(each)
        for gap in gaps.get(name, ())[:_MOST_GAPS]:
            yield Answer(name, text, is_correct=True, blank=gap)
        if name not in gaps:
            yield Answer(name, text, is_correct=False if gaps else None)


def _points(item: Element) -> float | None:
    declared = {_attribute(each, "identifier"): each for each in _all(item, "outcomedeclaration")}
    most = declared.get("MAXSCORE")
    default = next((each.content for each in _all(most, "value")), "") if most else ""
    score = declared.get("SCORE")
    return number(default) if default else number(_attribute(score, "normalmaximum")) if score else None


def _inside(element: Element, *, named: bool = False) -> str:
    """Return what is in an element as HTML, without feedback and what is offered as an answer.

    Args:
        element: such as the body of an item.
        named: whether blanks have their names, because there are several.
    """
    return "".join(_pieces(element, named=named)).strip()


def _pieces(element: Element, *, named: bool) -> Iterator[str]:
    yield escape(element.text, quote=False)
    for child in element.children:
        yield from _piece(child, named=named)
        yield escape(child.tail, quote=False)


def _piece(child: Element, *, named: bool) -> Iterator[str]:
    kind = _plain(child.name)
    if kind in _HIDDEN or (kind == "rubricblock" and "candidate" not in _attribute(child, "view")):
        return
    if kind == "gap":
        yield f"[{escape(_attribute(child, 'identifier'))}]"
    elif kind == "prompt":
        yield f"<div>{_inside(child, named=named)}</div>"
    elif kind.endswith("interaction") and kind not in _WITH_TEXT:
        yield from _interaction(child, kind, named=named)
    elif kind == "object" and _attribute(child, "data"):
        yield _object(child)
    elif child.name.startswith("qti-") or kind in (*_WITH_TEXT, "hottext", "rubricblock"):
        yield from _pieces(child, named=named)
    else:
        yield from _markup(child, named=named)


def _interaction(interaction: Element, kind: str, *, named: bool) -> Iterator[str]:
    """Yield a blank, or what an interaction asks and shows, without its answers."""
    if kind in _INLINE:
        yield f"[{escape(_attribute(interaction, 'responseidentifier'))}]" if named else "____"
        return
    for each in interaction.children:
        if _plain(each.name) in ("prompt", "object", "img", "audio", "video"):
            yield from _piece(each, named=named)


def _markup(element: Element, *, named: bool) -> Iterator[str]:
    yield f"<{element.name}{''.join(element.markup_attributes())}>"
    yield from _pieces(element, named=named)
    if element.name not in ("img", "br", "hr"):
        yield f"</{element.name}>"


def _object(element: Element) -> str:
    address, kind = _attribute(element, "data"), _attribute(element, "type")
    label = element.content.strip()
    if kind.startswith("image/"):
        return f'<img src="{escape(address)}" alt="{escape(label)}">'
    return f'<a href="{escape(address)}">{escape(label or address.rpartition("/")[2])}</a>'


def _interactions(body: Element) -> Iterator[Element]:
    return _outermost(body, lambda name: name.endswith("interaction"))


def _type_of(interactions: Iterable[Element]) -> str:
    """Return the name of the interactions, in the spelling of QTI 2; ``composite`` if they differ."""
    names = {_camel(each.name) for each in interactions}
    return "composite" if len(names) > 1 else next(iter(names), "")


def _below(element: Element) -> Iterator[Element]:
    for child in element.children:
        yield child
        yield from _below(child)


def _outermost(element: Element, is_it: Callable[[str], bool]) -> Iterator[Element]:
    """Yield the elements below this one with certain names, but none within another: no text is read twice."""
    for child in element.children:
        if is_it(_plain(child.name)):
            yield child
        else:
            yield from _outermost(child, is_it)


def _all(element: Element, name: str) -> Iterator[Element]:
    return (each for each in _below(element) if _plain(each.name) == name)


def _children(element: Element, name: str) -> Iterator[Element]:
    return (each for each in element.children if _plain(each.name) == name)


def _child(element: Element, name: str) -> Element | None:
    return next(_children(element, name), None)


def _attribute(element: Element, name: str) -> str:
    """Return an attribute, whose name is given without hyphens and in small letters."""
    for each, value in element.attributes.items():
        if each.replace("-", "").lower() == name:
            return value
    return ""


def _plain(name: str) -> str:
    return name.removeprefix("qti-").replace("-", "").lower()


def _camel(name: str) -> str:
    first, *rest = name.removeprefix("qti-").split("-")
    return first + "".join(each.capitalize() for each in rest)
