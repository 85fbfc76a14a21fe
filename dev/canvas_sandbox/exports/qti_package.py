"""The QTI package: the classic quizzes of a course, ``.zip``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from canvas_sandbox.content.model import Item, Kind, create_key
from canvas_sandbox.exports.cartridge_package import EXPORT_ERRORS
from canvas_sandbox.exports.package_order import PackageOrder
from canvas_sandbox.faults import Fault
from canvas_sandbox.packages import documents
from canvas_sandbox.packages.manifest import Resource, qti_manifest, with_errors
from canvas_sandbox.packages.zip_layout import Member, directory_member, text_member


def imported_quiz(order: PackageOrder, quiz: Item) -> list[Member] | None:
    """The questions and Canvas's own data of an imported quiz, as they came in; ``None`` for the course's own."""
    if order.verbatim is None or not order.verbatim.has(quiz):
        return None
    members = order.verbatim.of(quiz)
    full, plain = f"non_cc_assessments/{quiz.key}.xml.qti", f"{quiz.key}/assessment_qti.xml"
    questions = members.get(full) or members.get(plain)
    meta = members.get(f"{quiz.key}/assessment_meta.xml")
    named = [(questions, f"{quiz.key}/{quiz.key}.xml"), (meta, f"{quiz.key}/assessment_meta.xml")]
    return [replace(member, name=name) for member, name in named if member is not None]


def qti_members(order: PackageOrder) -> Iterator[Member]:
    """The members, the manifest last; with ``INCOMPLETE`` the last quiz is named and missing."""
    resources: list[Resource] = []
    quizzes = list(order.content.of(Kind.QUIZ))
    for quiz in quizzes:
        questions, meta = f"{quiz.key}/{quiz.key}.xml", f"{quiz.key}/assessment_meta.xml"
        meta_key = create_key(quiz.asset_string, "quiz_meta_")
        resources.append(
            Resource(quiz.key, "imsqti_xmlv1p2", (questions,), href=False, depends_on=(meta_key,))
        )
        resources.append(
            Resource(meta_key, "associatedcontent/imscc_xmlv1p1/learning-application-resource", (meta,))
        )
        yield directory_member(f"{quiz.key}/")
        imported = imported_quiz(order, quiz)
        if imported is not None:
            yield from imported
            continue
        if Fault.INCOMPLETE not in order.faults or quiz is not quizzes[-1]:
            yield text_member(questions, documents.quiz_qti(quiz))
        yield text_member(meta, documents.quiz_meta(quiz))
    yield directory_member("non_cc_assessments/")
    course_id = order.context_id + 1 if Fault.WRONG_COURSE in order.faults else order.context_id
    manifest = qti_manifest(
        create_key(f"course_{course_id}", "qti_export_"), order.name, order.moment, resources
    )
    if Fault.EXPORT_ERRORS in order.faults:
        manifest = with_errors(manifest, order.export_id, EXPORT_ERRORS)
    yield text_member("imsmanifest.xml", manifest)
