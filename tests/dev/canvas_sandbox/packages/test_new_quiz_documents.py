"""New Quizzes in cartridges, as Canvas writes them since 2024, and on hosts whose quiz service delivers nothing."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from canvas_sandbox import Course, Fault, NewQuizzes, Switches

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

WHOLE = Switches(manual_clock=True, new_quizzes=NewQuizzes.WHOLE)
SCHEMA = "http://canvas.instructure.com/xsd/cccv1p0 https://canvas.instructure.com/xsd/cccv1p0.xsd"


def shells(package: zipfile.ZipFile) -> list[str]:
    """Identifiers of the New Quizzes, by what Canvas itself says of them."""
    settings = [name for name in package.namelist() if name.endswith("/assignment_settings.xml")]
    return [name.partition("/")[0] for name in settings if b">external_tool<" in package.read(name)]


def resources(package: zipfile.ZipFile) -> list[tuple[str, str, tuple[str, ...]]]:
    root = ET.fromstring(package.read("imsmanifest.xml"))  # noqa: S314  our own document
    return [
        (
            row.get("identifier", ""),
            row.get("type", ""),
            tuple(file.get("href", "") for file in row if file.tag.endswith("}file")),
        )
        for row in root.iter()
        if row.tag.endswith("}resource")
    ]


@pytest.mark.parametrize("version", ["1.1", "1.3"])
def test_a_new_quiz_comes_with_its_questions_under_the_identifier_of_its_assignment(
    start: Start, call: Call, version: str
) -> None:
    package = call(start(switches=WHOLE)).package(version=version)
    (key,) = shells(package)
    names = package.namelist()
    for name in (
        f"{key}/assessment_qti.xml",
        f"{key}/assessment_meta.xml",
        f"non_cc_assessments/{key}.xml.qti",
    ):
        assert name in names
    types = [kind.rpartition("/")[2] for identifier, kind, _ in resources(package) if identifier == key]
    assert types == ["learning-application-resource", "assessment"]
    assert {file for *_, files in resources(package) for file in files} <= set(names)


def test_the_settings_declare_a_namespace_whose_name_holds_a_blank(start: Start, call: Call) -> None:
    package = call(start(switches=WHOLE)).package()
    (key,) = shells(package)
    meta = package.read(f"{key}/assessment_meta.xml").decode()
    assert f'xmlns:xsi="{SCHEMA}"' in meta
    assert ET.fromstring(meta).get("identifier") == key  # noqa: S314  our own document


def test_a_bank_and_a_picture_come_with_it(start: Start, call: Call) -> None:
    package = call(start(switches=WHOLE)).package()
    names = package.namelist()
    metas = {name.partition("/")[0] for name in names if name.endswith("/assessment_meta.xml")}
    quizzes = {
        name[len("non_cc_assessments/") : -len(".xml.qti")] for name in names if name.endswith(".xml.qti")
    }
    (bank,) = quizzes - metas
    assert b"<objectbank" in package.read(f"non_cc_assessments/{bank}.xml.qti")
    (picture,) = (name for name in names if name.startswith("Uploaded Media/"))
    (key,) = shells(package)
    link = f"$IMS-CC-FILEBASE$/{picture.replace(' ', '%20')}"
    assert link in package.read(f"{key}/assessment_qti.xml").decode()


@pytest.mark.parametrize(
    ("switches", "faults"),
    [
        (Switches(manual_clock=True, new_quizzes="shell"), ()),
        (WHOLE, (Fault.NEW_QUIZ_SHELLS,)),
    ],
    ids=["host", "course"],
)
def test_a_shell_has_a_name_and_no_questions(
    start: Start, call: Call, switches: Switches, faults: tuple[Fault, ...]
) -> None:
    package = call(start(Course(id=101, faults=faults), switches=switches)).package()
    (key,) = shells(package)
    assert not [name for name in package.namelist() if name.startswith("Uploaded Media")]
    assert f"{key}/assessment_meta.xml" not in package.namelist()
    assert f"non_cc_assessments/{key}.xml.qti" not in package.namelist()
    settings = package.read(f"{key}/assignment_settings.xml").decode()
    assert re.search(r"<external_tool_url>https://[^<]*quiz-lti[^<]*</external_tool_url>", settings)


def test_hosts_launch_new_quizzes_at_different_addresses(start: Start, call: Call) -> None:
    switches = Switches(
        manual_clock=True, new_quizzes="shell", new_quiz_tool="https://gateway.example/quiz?a=1&b=2"
    )
    package = call(start(switches=switches)).package()
    (key,) = shells(package)
    assert b"https://gateway.example/quiz?a=1&amp;b=2" in package.read(f"{key}/assignment_settings.xml")


def test_there_are_canvases_without_new_quizzes(start: Start, call: Call) -> None:
    package = call(start(switches=Switches(manual_clock=True, new_quizzes="none"))).package()
    assert shells(package) == []


def test_a_new_quiz_is_an_assignment_to_the_api_and_not_in_a_qti_package(start: Start, call: Call) -> None:
    admin = call(start(switches=WHOLE))
    assert any("New Quiz" in name for name in admin.names("assignments", 101))
    assert not any("New Quiz" in name for name in admin.names("quizzes", 101))
    assert all(b"New Quiz" not in admin.package("qti").read(name) for name in admin.package("qti").namelist())


@pytest.mark.parametrize("keeps_identifiers", [True, False])
def test_a_new_quiz_that_was_restored_is_exported_again(
    start: Start, call: Call, keeps_identifiers: bool
) -> None:
    switches = Switches(manual_clock=True, new_quizzes="whole", keeps_identifiers=keeps_identifiers)
    admin = call(start(Course(id=101), Course(id=102, size=0), switches=switches))
    package = admin.exported()
    assert admin.restore(package)["workflow_state"] == "completed"
    back = zipfile.ZipFile(io.BytesIO(admin.exported(context="courses/102")))
    before = zipfile.ZipFile(io.BytesIO(package))
    assert len(shells(back)) == 1
    assert (shells(back) == shells(before)) is keeps_identifiers
    assert len(resources(back)) == len(resources(before))
    (key,) = shells(back)
    assert f"{key}/assessment_meta.xml" in back.namelist()
    assert admin.names("assignments") == admin.names("assignments", 101)
    assert admin.names("files") == admin.names("files", 101)


def test_a_cartridge_that_holds_only_a_new_quiz_of_another_canvas_is_understood(admin: Caller) -> None:
    archive = io.BytesIO()
    manifest = (
        '<manifest identifier="m" xmlns="http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"><metadata>'
        "<schemaversion>1.1.0</schemaversion></metadata><organizations/><resources>"
        '<resource identifier="q" type="imsqti_xmlv1p2/imscc_xmlv1p1/assessment">'
        '<file href="q/assessment_qti.xml"/><dependency identifierref="m1"/></resource>'
        '<resource identifier="m1" type="associatedcontent/imscc_xmlv1p1/learning-application-resource" '
        'href="q/assessment_meta.xml"><file href="q/assessment_meta.xml"/></resource></resources></manifest>'
    )
    xmlns = f'xmlns="http://canvas.instructure.com/xsd/cccv1p0" xmlns:xsi="{SCHEMA}"'
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("q/assessment_qti.xml", "<questestinterop/>")
        package.writestr("q/assessment_meta.xml", f'<quiz {xmlns} identifier="q"><title>Quiz</title></quiz>')
        package.writestr("imsmanifest.xml", manifest)
    migration = admin.restore(archive.getvalue(), context="courses/101")
    assert migration["workflow_state"] == "completed"
    assert "Quiz" in admin.names("quizzes", 101)
