"""The documents of every kind of item: text, settings, tables and links, as the package has them."""

from __future__ import annotations

import json

from tests.support.packages.courses import CANVAS, Course, Res, course
from tests.support.packages.opened import document, opened, the, values

from canvas_exports.core.packages.content.model import ItemKind

_XMLNS = 'xmlns="http://canvas.instructure.com/xsd/cccv1p0"'


def settings(name: str, text: str) -> Course:
    return course().having({f"course_settings/{name}.xml": text.encode()})


class TestTexts:
    def test_an_assignment_has_its_settings_in_a_fixed_order_and_its_group_by_name(self) -> None:
        groups = f"<assignmentGroups {_XMLNS}><assignmentGroup identifier='g1'><title>Homework</title></assignmentGroup></assignmentGroups>"
        text = (
            f"<assignment identifier='a1' {_XMLNS}><title>Essay</title><due_at>2026-12-01T23:59:59</due_at><lock_at/>"
            "<assignment_group_identifierref>g1</assignment_group_identifierref><workflow_state>unpublished</workflow_state>"
            "<points_possible>10.0</points_possible><peer_reviews>true</peer_reviews><position>3</position></assignment>"
        )
        whole = settings("assignment_groups", groups).having({"a1/assignment_settings.xml": text.encode()})
        found = document(opened(whole), ItemKind.ASSIGNMENT)
        assert [(field.name, field.label, field.value) for field in found.fields] == [
            ("points_possible", "Points", "10.0"),
            ("assignment_group", "Assignment group", "Homework"),
            ("due_at", "Due", "2026-12-01T23:59:59"),
            ("workflow_state", "State", "unpublished"),
            ("peer_reviews", "Peer reviews", "true"),
        ]
        assert found.item.is_published is False

    def test_an_assignment_names_its_rubric(self) -> None:
        text = b"<assignment><title>Essay</title><rubric_identifierref>r1</rubric_identifierref></assignment>"
        rubrics = "<rubrics><rubric identifier='r1'><title>How we grade</title></rubric></rubrics>"
        found = document(
            opened(settings("rubrics", rubrics).having({"a1/assignment_settings.xml": text})),
            ItemKind.ASSIGNMENT,
        )
        assert values(found)["rubric"] == "How we grade"

    def test_a_discussion_has_its_text_and_its_attachments(self) -> None:
        topic = (
            "<topic xmlns='http://www.imsglobal.org/xsd/imsccv1p1/imsdt_v1p1'><title>Hello</title>"
            "<text texttype='text/html'>&lt;p&gt;Talk &lt;a href='https://example.org'&gt;here&lt;/a&gt;&lt;/p&gt;</text>"
            "<attachments><attachment href='../web_resources/picture.png'/></attachments></topic>"
        )
        content = opened(course().having({"d1.xml": topic.encode()}))
        found = document(content, ItemKind.DISCUSSION)
        assert found.html.startswith("<p>Talk")
        assert found.links == ("https://example.org", "../web_resources/picture.png")
        assert content.resolve(found.links[1], base=found.item) == the(content, ItemKind.FILE)

    def test_a_plain_topic_is_shown_as_it_is_written(self) -> None:
        topic = b"<topic><title>Hello</title><text texttype='text/plain'>1 &lt; 2</text></topic>"
        assert document(opened(course().having({"d1.xml": topic})), ItemKind.DISCUSSION).html == "1 &lt; 2"

    def test_a_page_of_blocks_shows_its_texts_in_order(self) -> None:
        blocks = {
            "ROOT": {"props": {}, "nodes": ["b", "a"], "linkedNodes": {}},
            "a": {"props": {"src": "/courses/1/files/2"}, "nodes": ["b"]},
            "b": {"props": {"text": "<h2>First</h2>"}, "nodes": [], "linkedNodes": {"x": "c"}},
            "c": {"props": {"text": "1 & 2"}, "nodes": ["ROOT"]},
        }
        page = {
            "title": "Blocks",
            "workflow_state": "active",
            "block_editor_data": {"blocks": json.dumps(blocks)},
        }
        whole = course()
        resource = Res("p2", "webcontent", ("wiki_content/blocks.json",), "wiki_content/blocks.json")
        files = {**whole.files, "wiki_content/blocks.json": json.dumps(page).encode()}
        content = opened(Course(files, (*whole.resources, resource), whole.items))
        item = content.find(ItemKind.PAGE, "p2")
        assert item is not None
        found = content.read(item)
        assert (found.item.title, found.item.is_published) == ("Blocks", True)
        assert found.html.splitlines() == [
            "<h2>First</h2>",
            "<p>1 &amp; 2</p>",
            '<img src="/courses/1/files/2" alt="">',
        ]

    def test_json_that_is_no_page_is_a_problem(self) -> None:
        for text in (b"[" * 100_000, b"[]", b"{", b'"x"', b"\xff"):
            resource = Res("p1", "webcontent", ("wiki_content/a.json",), "wiki_content/a.json")
            content = opened(Course({"wiki_content/a.json": text}, (resource,), ()))
            assert document(content, ItemKind.PAGE).problem

    def test_a_syllabus_that_is_no_web_page_is_a_link_to_it(self) -> None:
        resource = Res("s", "webcontent", ("syllabus.pdf",), "syllabus.pdf", use="syllabus")
        content = opened(Course({"syllabus.pdf": b"%PDF"}, (resource,), ()))
        found = document(content, ItemKind.SYLLABUS)
        assert found.links == ("syllabus.pdf",)
        assert content.resolve("syllabus.pdf", base=found.item) == found.item


class TestLinks:
    def test_a_web_link_leads_to_its_address(self) -> None:
        link = b'<webLink xmlns="http://www.imsglobal.org/xsd/imsccv1p1/imswl_v1p1"><title>Library</title><url href="https://example.org/?a=1&amp;b=2" target="_blank"/></webLink>'
        found = document(opened(course().having({"w1.xml": link})), ItemKind.WEB_LINK)
        assert (found.links, values(found)) == (
            ("https://example.org/?a=1&b=2",),
            {"url": "https://example.org/?a=1&b=2"},
        )

    def test_web_content_elsewhere_is_a_web_link(self) -> None:
        content = opened(
            Course({}, (Res("r", "webcontent", (), "https://example.org/a"),), (("There", "r"),))
        )
        assert document(content, ItemKind.WEB_LINK).links == ("https://example.org/a",)
        assert content.modules[0].items[0].target == the(content, ItemKind.WEB_LINK)

    def test_a_tool_has_its_addresses_and_properties(self) -> None:
        tool = (
            b"<cartridge_basiclti_link xmlns:blti='b' xmlns:lticm='m'><blti:title>Lab</blti:title><blti:description>Do</blti:description>"
            b"<blti:launch_url>http://tool.example.org/</blti:launch_url><blti:secure_launch_url>https://tool.example.org/</blti:secure_launch_url>"
            b"<blti:vendor><lticp:name xmlns:lticp='p'>Maker</lticp:name></blti:vendor><blti:extensions platform='canvas.instructure.com'>"
            b"<lticm:property name='domain'>tool.example.org</lticm:property></blti:extensions></cartridge_basiclti_link>"
        )
        found = document(opened(course().having({"x0.xml": tool})), ItemKind.EXTERNAL_TOOL)
        assert found.item.title == "Lab"
        assert found.links == ("https://tool.example.org/", "http://tool.example.org/")
        assert values(found).items() >= {"domain": "tool.example.org", "vendor": "Maker"}.items()


class TestLists:
    def test_a_rubric_is_a_table_of_criteria_and_ratings(self) -> None:
        text = (
            f"<rubrics {_XMLNS}><rubric identifier='r1'><title>Essay</title><points_possible>5.0</points_possible><criteria>"
            "<criterion><criterion_id>c1</criterion_id><points>5.0</points><description>Ideas</description><long_description>Own ones</long_description>"
            "<ratings><rating><description>Full</description><points>5.0</points></rating><rating><description>None</description><points>0.0</points></rating>"
            "</ratings></criterion><criterion><description>Form</description><points>1.0</points></criterion></criteria></rubric></rubrics>"
        )
        found = document(opened(settings("rubrics", text)), ItemKind.RUBRIC)
        (table,) = found.tables
        assert table.header == ("Criterion", "Description", "Points", "Rating 1", "Rating 2")
        assert table.rows == (
            ("Ideas", "Own ones", "5.0", "Full (5.0)", "None (0.0)"),
            ("Form", "", "1.0", "", ""),
        )
        assert values(found) == {"points_possible": "5.0"}

    def test_an_outcome_has_its_group_mastery_and_ratings(self) -> None:
        text = (
            f"<learningOutcomes {_XMLNS}><learningOutcomeGroup identifier='g'><title>Skills</title><learningOutcomes>"
            "<learningOutcome identifier='o1'><title>Writes</title><description>&lt;b&gt;Well&lt;/b&gt;</description><mastery_points>3</mastery_points>"
            "<ratings><rating><description>Good</description><points>3</points></rating></ratings></learningOutcome>"
            "</learningOutcomes></learningOutcomeGroup></learningOutcomes>"
        )
        found = document(opened(settings("learning_outcomes", text)), ItemKind.OUTCOME)
        assert (found.item.identifier, found.item.title, found.html) == ("o1", "Writes", "<b>Well</b>")
        assert values(found) == {"mastery_points": "3", "group": "Skills"}
        assert found.tables[0].rows == (("Good", "3"),)

    def test_events_of_one_identifier_are_read_each_for_itself(self) -> None:
        text = f"<events {_XMLNS}><event identifier='e'><title>A</title></event><event identifier='e'><title>B</title><start_at>2026</start_at></event></events>"
        content = opened(settings("events", text))
        events = [item for item in content.items if item.kind is ItemKind.EVENT]
        assert [(each.item.title, values(each)) for each in content.read_all(events)] == [
            ("A", {}),
            ("B", {"start_at": "2026"}),
        ]


class TestSettings:
    def test_all_settings_are_in_one_document(self) -> None:
        whole = course().having(
            {
                "course_settings/course_settings.xml": (
                    b'<course><title>Biology</title><course_code>BIO</course_code><tab_configuration>[{"id":0},{"id":11,"hidden":true}]'
                    b"</tab_configuration><default_post_policy><post_manually>false</post_manually></default_post_policy></course>"
                ),
                "course_settings/assignment_groups.xml": (
                    b"<assignmentGroups><assignmentGroup identifier='g'><title>Homework</title><group_weight>40.0</group_weight><rules><rule>"
                    b"<drop_type>drop_lowest</drop_type><drop_count>1</drop_count></rule></rules></assignmentGroup></assignmentGroups>"
                ),
                "course_settings/grading_standards.xml": (
                    b'<gradingStandards><gradingStandard identifier="s"><title>Letters</title><data>[["A", 0.9], ["B", 0.825], "x", [1]]</data>'
                    b"</gradingStandard></gradingStandards>"
                ),
                "course_settings/late_policy.xml": b"<late_policy><late_submission_deduction>10.0</late_submission_deduction></late_policy>",
            }
        )
        found = document(opened(whole), ItemKind.SETTINGS)
        assert (
            values(found).items()
            >= {
                "name": "Biology",
                "course_code": "BIO",
                "post_manually": "false",
                "late_submission_deduction": "10.0",
                "canvas_domain": "canvas.example.edu",
            }.items()
        )
        assert {table.caption: table.rows for table in found.tables} == {
            "Course navigation": (("Home", "visible"), ("Files", "hidden")),
            "Assignment groups": (("Homework", "40.0 %", "drop lowest: 1"),),
            "Grading scheme: Letters": (("A", "90 %"), ("B", "82.5 %")),
        }

    def test_settings_that_cannot_be_read_are_a_problem_and_the_others_are_there(self) -> None:
        found = document(
            opened(
                settings("late_policy", "<late").having(
                    {"course_settings/course_settings.xml": b"<course><course_code>X</course_code></course>"}
                )
            ),
            ItemKind.SETTINGS,
        )
        assert found.problem
        assert values(found)["course_code"] == "X"

    def test_hostile_json_is_passed_over(self) -> None:
        for data in ("[" * 100_000, "[" * 300_000, "{}", "[[NaN, NaN]]", '[["A", 1e400]]'):
            text = (
                f"<gradingStandards><gradingStandard><data>{data}</data></gradingStandard></gradingStandards>"
            )
            assert not document(opened(settings("grading_standards", text)), ItemKind.SETTINGS).problem


def test_a_file_has_its_display_name_and_says_that_it_is_hidden() -> None:
    meta = f"<fileMeta {_XMLNS}><files><file identifier='f1'><display_name>Photo.png</display_name><hidden>true</hidden></file></files></fileMeta>"
    found = document(opened(settings("files_meta", meta)), ItemKind.FILE)
    assert (found.item.title, found.item.is_published, found.problem) == ("Photo.png", False, "")


def test_a_resource_of_settings_alone_is_no_item() -> None:
    content = opened(
        Course(
            {"course_settings/canvas_export.txt": b""},
            (Res("s", CANVAS, ("course_settings/canvas_export.txt",)),),
            (),
        )
    )
    assert content.items == ()
