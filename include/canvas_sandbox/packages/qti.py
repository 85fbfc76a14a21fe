"""The QTI package: the classic quizzes of a course, ``.zip``."""

from __future__ import annotations

from collections.abc import Iterator

from canvas_sandbox.content.model import Kind, create_key
from canvas_sandbox.faults import Fault
from canvas_sandbox.packages import documents
from canvas_sandbox.packages.archive import Member, directory_member, text_member
from canvas_sandbox.packages.cartridge import EXPORT_ERRORS
from canvas_sandbox.packages.manifest import Resource, qti_manifest, with_errors
from canvas_sandbox.packages.order import PackageOrder


def qti_members(order: PackageOrder) -> Iterator[Member]:
    """The members, the manifest last; with ``INCOMPLETE`` the last quiz is named and missing."""
    resources: list[Resource] = []
    quizzes = list(order.content.of(Kind.QUIZ))
    for quiz in quizzes:
        questions, meta = f"{quiz.key}/{quiz.key}.xml", f"{quiz.key}/assessment_meta.xml"
        meta_key = create_key(quiz.asset_string, "quiz_meta_")
        resources.append(Resource(quiz.key, "imsqti_xmlv1p2", (questions,), href=False, depends_on=meta_key))
        resources.append(
            Resource(meta_key, "associatedcontent/imscc_xmlv1p1/learning-application-resource", (meta,))
        )
        yield directory_member(f"{quiz.key}/")
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
