"""The QTI package, ``.zip``: the classic quizzes of a course."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from canvas_sandbox.content.model import Item, Kind, create_key
from canvas_sandbox.exports.cartridge_package import EXPORT_ERRORS
from canvas_sandbox.exports.package_spec import PackageSpec
from canvas_sandbox.faults import Fault
from canvas_sandbox.packages import documents
from canvas_sandbox.packages.manifest import Resource, qti_manifest, with_errors
from canvas_sandbox.packages.zip_layout import Member, directory_member, text_member


def imported_quiz(spec: PackageSpec, quiz: Item) -> list[Member] | None:
    """Return the questions and settings of an imported quiz, unchanged; ``None`` for a quiz of the course's own."""
    if spec.verbatim is None or not spec.verbatim.has(quiz):
        return None
    members = spec.verbatim.of(quiz)
    full, plain = f"non_cc_assessments/{quiz.key}.xml.qti", f"{quiz.key}/assessment_qti.xml"
    questions = members.get(full) or members.get(plain)
    meta = members.get(f"{quiz.key}/assessment_meta.xml")
    named = [(questions, f"{quiz.key}/{quiz.key}.xml"), (meta, f"{quiz.key}/assessment_meta.xml")]
    return [replace(member, name=name) for member, name in named if member is not None]


def qti_members(spec: PackageSpec) -> Iterator[Member]:
    """Return the members, the manifest last. With ``INCOMPLETE`` the last quiz is named but missing."""
    resources: list[Resource] = []
    quizzes = list(spec.content.of(Kind.QUIZ))
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
        imported = imported_quiz(spec, quiz)
        if imported is not None:
            yield from imported
            continue
        if Fault.INCOMPLETE not in spec.faults or quiz is not quizzes[-1]:
            yield text_member(questions, documents.quiz_qti(quiz))
        yield text_member(meta, documents.quiz_meta(quiz))
    yield directory_member("non_cc_assessments/")
    course_id = spec.context_id + 1 if Fault.WRONG_COURSE in spec.faults else spec.context_id
    manifest = qti_manifest(
        create_key(f"course_{course_id}", "qti_export_"), spec.name, spec.moment, resources
    )
    if Fault.EXPORT_ERRORS in spec.faults:
        manifest = with_errors(manifest, spec.export_id, EXPORT_ERRORS)
    yield text_member("imsmanifest.xml", manifest)
