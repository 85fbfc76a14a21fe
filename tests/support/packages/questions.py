"""Questions in QTI 1.2, as Canvas and other systems write them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape


def question(
    kind: str,
    presentation: str,
    conditions: str = "",
    *,
    name: str = "q1",
    text: str = "<p>Why?</p>",
    points: str = "2.0",
    more: str = "",
    labels: Mapping[str, str] | None = None,
) -> str:
    """One item: its metadata by label are Canvas's, unless others are given."""
    metadata = {"question_type": kind, "points_possible": points} if labels is None else labels
    fields = "".join(
        f"<qtimetadatafield><fieldlabel>{label}</fieldlabel><fieldentry>{entry}</fieldentry></qtimetadatafield>"
        for label, entry in metadata.items()
    )
    return (
        f'<item ident="{name}" title="Question"><itemmetadata><qtimetadata>{fields}</qtimetadata></itemmetadata>'
        f'<presentation><material><mattext texttype="text/html">{escape(text)}</mattext></material>{presentation}</presentation>'
        f"<resprocessing><outcomes><decvar maxvalue='100' minvalue='0' varname='SCORE'/></outcomes>{conditions}</resprocessing>"
        f"{more}</item>"
    )


def choice(
    answers: Mapping[str, str], *, name: str = "response1", label: str = "", cardinality: str = "Single"
) -> str:
    """A response of answers to choose from, by identifier."""
    labels = "".join(
        f'<response_label ident="{key}"><material><mattext texttype="text/plain">{escape(text)}</mattext></material></response_label>'
        for key, text in answers.items()
    )
    own = f"<material><mattext>{escape(label)}</mattext></material>" if label else ""
    return f'<response_lid ident="{name}" rcardinality="{cardinality}">{own}<render_choice>{labels}</render_choice></response_lid>'


FIELD = '<response_str ident="response1"><render_fib><response_label ident="answer1"/></render_fib></response_str>'


def condition(variables: str, score: str = "100", action: str = "Set") -> str:
    """A condition that gives points."""
    return (
        f'<respcondition continue="No"><conditionvar>{variables}</conditionvar>'
        f'<setvar action="{action}" varname="SCORE">{score}</setvar></respcondition>'
    )


def equal(answer: str, name: str = "response1") -> str:
    return f'<varequal respident="{name}">{escape(answer)}</varequal>'


def assessment(*items: str, name: str = "z1", title: str = "Test") -> bytes:
    """A quiz of items, or of sections, in Canvas's namespace."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><questestinterop xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2">'
        f'<assessment ident="{name}" title="{title}"><section ident="root_section">{"".join(items)}</section></assessment>'
        "</questestinterop>"
    ).encode()


def bank(*items: str, name: str = "b1", title: str = "Bank") -> bytes:
    """A question bank."""
    return (
        f'<questestinterop xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2"><objectbank ident="{name}"><qtimetadata>'
        f"<qtimetadatafield><fieldlabel>bank_title</fieldlabel><fieldentry>{title}</fieldentry></qtimetadatafield></qtimetadata>"
        f"{''.join(items)}</objectbank></questestinterop>"
    ).encode()
