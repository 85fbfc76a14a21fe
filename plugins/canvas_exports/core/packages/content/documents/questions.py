"""The questions of a quiz or a question bank: in QTI 1.2 of Canvas, in Common Cartridge's profile, or of another system.

What is in QTI 2 or 3 is read by ``newer_questions``.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from canvas_exports.core.packages.content.documents.answers import answers_of
from canvas_exports.core.packages.content.documents.material import RESPONSES, html_of
from canvas_exports.core.packages.content.documents.newer_questions import is_item, read_item
from canvas_exports.core.packages.content.documents.scoring import key_of, number
from canvas_exports.core.packages.content.model import Question
from canvas_exports.core.packages.content.xml_tree import Element, XmlTree, read_tree
from canvas_exports.core.packages.work_limits import WorkLimit
from canvas_exports.foreign_text import harmless

GROUP = "question_group"
#: The type of what only leads to a question elsewhere: its identifier, with the address of the document as the title, if given.
REFERENCE = "itemref"

_TYPES = (
    "question_type",
    "cc_profile",
    "bbmd_questiontype",
    "qmd_itemtype",
    "interaction_type",
    "qmd_questiontype",
)
_POINTS = ("points_possible", "cc_weighting", "qmd_weighting")
_MOST_FEEDBACK = 200


def read_questions(name: str, pieces: Iterable[bytes], work: WorkLimit) -> XmlTree[Question]:
    """Read the questions of a document one after the other; what remains of it are its settings.

    Among them are references to questions of other documents, see ``REFERENCE``.
    """
    found = read_tree(name, pieces, work, _taken)
    if not is_item(found.root):
        return found
    return XmlTree(found.root, (read_item(found.root),), found.problem)


def metadata_of(element: Element | None) -> dict[str, str]:
    """Return the metadata of a quiz, a bank or a question by label."""
    found: dict[str, str] = {}
    for name in ("qtimetadatafield", "qti_metadatafield"):
        for each in element.all(name) if element else ():
            found.setdefault(each.value("fieldlabel"), each.value("fieldentry"))
    return found


def _taken(element: Element, parents: list[Element]) -> Question | None:
    if element.name == "item":
        return _question(element)
    if is_item(element):
        return read_item(element)
    if element.name == REFERENCE:
        file = element.first("file")
        address = element.attributes.get("href") or (file.attributes.get("href", "") if file else "")
        return Question(element.attributes.get("linkrefid", ""), REFERENCE, address, "")
    if element.name == "selection_ordering" and parents[-1].name == "section":
        return _group(element, parents[-1])
    return None


def _question(item: Element) -> Question:
    metadata = metadata_of(item)
    for each in ("bbmd_questiontype", "qmd_itemtype", "qmd_weighting"):  # of older QTI, elements of their own
        metadata.setdefault(each, next((found.content.strip() for found in item.all(each)), ""))
    kind = next((metadata[name] for name in _TYPES if metadata.get(name)), "")
    points = next((metadata[name] for name in _POINTS if metadata.get(name)), "")
    feedback = filter(None, (html_of(each) for each in item.all("itemfeedback")))
    return Question(
        identifier=item.attributes.get("ident", ""),
        type=harmless(kind, most=100),
        title=harmless(item.attributes.get("title", "")),
        html=html_of(item.first("presentation"), without=RESPONSES),
        points=number(points),
        answers=answers_of(item, kind, key_of(item)),
        feedback=tuple(dict.fromkeys(feedback))[:_MOST_FEEDBACK],
    )


def _group(ordering: Element, section: Element) -> Question | None:
    """Return a group of questions of which some are drawn, from the group itself or from a bank."""
    selection = ordering.first("selection")
    if selection is None:
        return None
    drawn = selection.value("selection_number")
    bank = selection.value("sourcebank_ref") or next(
        (each.content.strip() for each in selection.all("sourcebank_ref")), ""
    )
    points = next((each.content for each in selection.all("points_per_item")), "")
    return Question(
        identifier=section.attributes.get("ident", ""),
        type=GROUP,
        title=harmless(section.attributes.get("title", "")),
        html=f"<p>Draws {escape(drawn)} at random.</p>" if drawn.isdigit() else "",
        points=number(points),
        bank=bank,
    )
