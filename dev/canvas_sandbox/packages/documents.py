"""The small documents inside a package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from canvas_sandbox.content.model import Content, Item, Kind, Question

_XMLNS = (
    'xmlns="http://canvas.instructure.com/xsd/cccv1p0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://canvas.instructure.com/xsd/cccv1p0 https://canvas.instructure.com/xsd/cccv1p0.xsd"'
)
_CLASSES = {
    Kind.PAGE: "WikiPage",
    Kind.ASSIGNMENT: "Assignment",
    Kind.QUIZ: "Quizzes::Quiz",
    Kind.DISCUSSION: "DiscussionTopic",
    Kind.ANNOUNCEMENT: "DiscussionTopic",
    Kind.FILE: "Attachment",
    Kind.TOOL: "ContextExternalTool",
}
_ACTIVE = {"workflow_state": "active"}
_OWN_DOCUMENTS = ("syllabus_body", "late_policy")
_WRITTEN = ("short_answer", "essay")


def canvas_xml(root: str, inner: str, attributes: str = "") -> str:
    """Return a document in Canvas's own schema."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {attributes}{" " if attributes else ""}{_XMLNS}>\n{inner}</{root}>\n'


def _elements(item: Item, usual: Mapping[str, str], indent: str = "  ") -> str:
    """Return the settings of an item: the usual ones, and what edits set beside or instead of them."""
    return "".join(
        f"{indent}<{name}>{escape(value)}</{name}>\n"
        for name, value in {**usual, **dict(item.settings)}.items()
    )


def html_page(item: Item, links: Iterable[str], *, kind: str = "") -> str:
    """Return a page or the text of an assignment; links to files are percent-encoded, as Canvas does."""
    anchors = "".join(
        f'<p><a href="$IMS-CC-FILEBASE$/{quote(path)}">{escape(path.rpartition("/")[2])}</a></p>\n'
        for path in links
    )
    prefix = f"{kind}: " if kind else ""
    marks = {"workflow_state": "active", **dict(item.settings)} if not kind else {"workflow_state": "active"}
    meta = "".join(f'<meta name="{name}" content="{escape(value)}"/>\n' for name, value in marks.items())
    return (
        "<html>\n<head>\n"
        '<meta http-equiv="Content-Type" content="text/html; charset=utf-8"/>\n'
        f"<title>{prefix}{escape(item.title)}</title>\n"
        f'<meta name="identifier" content="{item.key}"/>\n'
        '<meta name="editing_roles" content="teachers"/>\n'
        f"{meta}</head>\n<body>\n{item.text}\n{anchors}</body>\n</html>\n"
    )


def assignment_settings(item: Item, group_key: str) -> str:
    """Write ``assignment_settings.xml``."""
    return canvas_xml(
        "assignment",
        f"  <title>{escape(item.title)}</title>\n"
        f"  <assignment_group_identifierref>{group_key}</assignment_group_identifierref>\n"
        + _elements(
            item,
            {"workflow_state": "published", "points_possible": "10.0", "submission_types": "online_upload"},
        )
        + _overrides(item),
        f'identifier="{item.key}"',
    )


def _overrides(item: Item) -> str:
    """Return the due dates for some students: of the sets that a cartridge may name, those without members."""
    if not item.overrides:
        return ""
    rows = "".join(
        f'    <override set_type="Noop" set_id="{number}" due_at={quoteattr(moment)}/>\n'
        for number, moment in enumerate(item.overrides, start=1)
    )
    return f"  <assignment_overrides>\n{rows}  </assignment_overrides>\n"


def assignment_cc13(item: Item) -> str:
    """Return the assignment of Common Cartridge 1.3."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<assignment xmlns="http://www.imsglobal.org/xsd/imscc_extensions/assignment" identifier="{item.key}">\n'
        f'  <title>{escape(item.title)}</title>\n  <text texttype="text/html">{escape(item.html or item.body)}</text>\n'
        '  <gradable points_possible="10.0">true</gradable>\n</assignment>\n'
    )


def topic(item: Item, version: str) -> str:
    """Return a discussion topic or an announcement."""
    family = "imsccv1p3" if version.startswith("1.3") else "imsccv1p1"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<topic xmlns="http://www.imsglobal.org/xsd/{family}/imsdt_v1p1">\n'
        f'  <title>{escape(item.title)}</title>\n  <text texttype="text/html">{escape(item.html or item.body)}</text>\n</topic>\n'
    )


def topic_meta(item: Item, meta_key: str) -> str:
    """Return Canvas's own document about a topic; ``type`` distinguishes announcements and discussions."""
    kind = "announcement" if item.kind is Kind.ANNOUNCEMENT else "topic"
    return canvas_xml(
        "topicMeta",
        f"  <topic_id>{item.key}</topic_id>\n  <title>{escape(item.title)}</title>\n"
        + _elements(item, {"position": "1", "type": kind, "workflow_state": "active"}),
        f'identifier="{meta_key}"',
    )


def quiz_qti(item: Item, picture: str = "") -> str:
    """Return a quiz of three true-or-false questions in QTI 1.2, each with a picture if there is a link to one."""
    image = escape(f'<img src="{picture}">') if picture else ""
    questions = "".join(_question(item, question, image) for question in item.all_questions)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<questestinterop xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2">\n'
        f'  <assessment ident="{item.key}" title="{escape(item.title)}">\n    <section ident="root_section">\n'
        f"{questions}    </section>\n  </assessment>\n</questestinterop>\n"
    )


def question_bank(item: Item) -> str:
    """Return a question bank with its questions."""
    questions = "".join(_question(item, question, "") for question in item.all_questions)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<questestinterop xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2">\n'
        f'  <objectbank ident="{item.key}">\n    <qtimetadata><qtimetadatafield><fieldlabel>bank_title</fieldlabel>'
        f"<fieldentry>{escape(item.title)}</fieldentry></qtimetadatafield></qtimetadata>\n"
        f"{questions}  </objectbank>\n</questestinterop>\n"
    )


def _question(item: Item, question: Question, image: str) -> str:
    """Return one question as Canvas writes it, with its correct answer."""
    marks = {"question_type": f"{question.type}_question", "points_possible": str(question.points)}
    fields = "".join(
        f"<qtimetadatafield><fieldlabel>{name}</fieldlabel><fieldentry>{value}</fieldentry></qtimetadatafield>"
        for name, value in marks.items()
    )
    return (
        f'      <item ident="{item.key}_{question.number}" title="Question {question.number}">\n'
        f"        <itemmetadata><qtimetadata>{fields}</qtimetadata></itemmetadata>\n        <presentation>\n"
        f'          <material><mattext texttype="text/html">{escape(question.text)}{image}</mattext></material>\n'
        f"{_responses(question)}        </presentation>\n"
        '        <resprocessing><outcomes><decvar varname="SCORE" vartype="Decimal" maxvalue="100" minvalue="0"/></outcomes>'
        f"{_conditions(question)}</resprocessing>\n      </item>\n"
    )


def _responses(question: Question) -> str:
    """Return what a student may answer: one of several texts, or a text of their own."""
    if question.type in _WRITTEN:
        return '          <response_str ident="response1" rcardinality="Single"><render_fib><response_label ident="answer1"/></render_fib></response_str>\n'
    answers = "".join(
        f'            <response_label ident="{number}"><material><mattext>{escape(text)}</mattext></material>'
        "</response_label>\n"
        for number, text in enumerate(question.answers, start=1)
    )
    return (
        '          <response_lid ident="response1" rcardinality="Single"><render_choice>\n'
        f"{answers}          </render_choice></response_lid>\n"
    )


def _conditions(question: Question) -> str:
    """Return what is correct; an essay is read by a person."""
    if question.type == "essay":
        return '<respcondition continue="No"><conditionvar><other/></conditionvar></respcondition>'
    correct = question.answers if question.type in _WRITTEN else (str(question.correct + 1),)
    equal = "".join(f'<varequal respident="response1">{escape(each)}</varequal>' for each in correct)
    return (
        f'<respcondition continue="No"><conditionvar>{equal}</conditionvar>'
        '<setvar action="Set" varname="SCORE">100</setvar></respcondition>'
    )


def quiz_meta(item: Item) -> str:
    """Write ``assessment_meta.xml``."""
    return canvas_xml(
        "quiz",
        f"  <title>{escape(item.title)}</title>\n  <description>{escape(item.html or item.body)}</description>\n"
        + _elements(item, {"quiz_type": "assignment", "points_possible": "3.0"}),
        f'identifier="{item.key}"',
    )


def module_meta(content: Content) -> str:
    """Return modules with their items."""
    inner = ""
    for module in content.of(Kind.MODULE):
        items = "".join(
            f'      <item identifier="{item.key}">\n        <content_type>{_CLASSES[content.items[item.target].kind]}'
            f"</content_type>\n{_elements(item, _ACTIVE, ' ' * 8)}        <title>{escape(item.title)}</title>\n"
            f"        <identifierref>{content.items[item.target].key}</identifierref>\n      </item>\n"
            for item in content.of(Kind.MODULE_ITEM)
            if item.parent == module.id and item.target is not None
        )
        inner += (
            f'  <module identifier="{module.key}">\n    <title>{escape(module.title)}</title>\n'
            f"{_elements(module, _ACTIVE, ' ' * 4)}    <items>\n{items}    </items>\n  </module>\n"
        )
    return canvas_xml("modules", inner)


def external_tool(item: Item) -> str:
    """Return an external tool of the course."""
    settings = {"launch_url": "https://tool.example.org/launch", **dict(item.settings)}
    elements = "".join(f"  <blti:{name}>{escape(value)}</blti:{name}>\n" for name, value in settings.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<cartridge_basiclti_link xmlns="http://www.imsglobal.org/xsd/imslticc_v1p0" '
        'xmlns:blti="http://www.imsglobal.org/xsd/imsbasiclti_v1p0">\n'
        f"  <blti:title>{escape(item.title)}</blti:title>\n  <blti:description>{escape(item.body)}</blti:description>\n"
        f"{elements}</cartridge_basiclti_link>\n"
    )


def course_settings(content: Content, title: str, key: str) -> str:
    """Write ``course_settings.xml``. Syllabus and late policy are documents of their own."""
    settings = "".join(
        f"  <{name}>{escape(value)}</{name}>\n"
        for name, value in content.settings
        if name not in _OWN_DOCUMENTS
    )
    return canvas_xml("course", f"  <title>{escape(title)}</title>\n{settings}", f'identifier="{key}"')


def syllabus(body: str) -> str:
    """Return ``syllabus.html``."""
    return f"<html>\n<head>\n<title>Syllabus</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n"


def late_policy(percent: str) -> str:
    """Write ``late_policy.xml``: what is deducted from late work each day."""
    return canvas_xml(
        "late_policy",
        "  <late_submission_deduction_enabled>true</late_submission_deduction_enabled>\n"
        f"  <late_submission_deduction>{escape(percent)}</late_submission_deduction>\n"
        "  <late_submission_interval>day</late_submission_interval>\n",
    )


def media_tracks(files: Iterable[Item]) -> str:
    """Write ``media_tracks.xml``: the captions of films."""
    inner = "".join(
        f'  <media identifierref="{file.key}">\n'
        + "".join(f'    <track kind="subtitles" locale={quoteattr(each)}/>\n' for each in file.captions)
        + "  </media>\n"
        for file in files
        if file.captions
    )
    return canvas_xml("media_tracks", inner)


def files_meta(content: Content, files: Sequence[Item]) -> str:
    """Return folders, and the files that are locked or have usage rights."""
    folders = "".join(
        f'    <folder path="{escape(content.path(folder))}">\n    </folder>\n'
        for folder in content.of(Kind.FOLDER)
        if folder.id != content.root
    )
    rows = "".join(
        f'    <file identifier="{item.key}">\n'
        + ("      <locked>true</locked>\n" if item.locked else "")
        + (
            f'      <usage_rights use_justification="own_copyright"><license>{escape(item.usage_rights)}</license></usage_rights>\n'
            if item.usage_rights
            else ""
        )
        + "    </file>\n"
        for item in files
    )
    return canvas_xml("fileMeta", f"  <folders>\n{folders}  </folders>\n  <files>\n{rows}  </files>\n")


def titled_list(
    root: str, element: str, items: Iterable[Item], inside: Callable[[Item], str] = lambda _: ""
) -> str:
    """Return a settings document that lists titled items, with what else is inside of each."""
    inner = "".join(
        f'  <{element} identifier="{item.key}">\n    <title>{escape(item.title)}</title>\n'
        f"{_elements(item, {}, ' ' * 4)}{inside(item)}  </{element}>\n"
        for item in items
    )
    return canvas_xml(root, inner)


def rubrics(items: Iterable[Item]) -> str:
    """Write ``rubrics.xml``, with criteria and ratings."""
    return titled_list("rubrics", "rubric", items, _criteria)


def _criteria(item: Item) -> str:
    if not item.criteria:
        return ""
    rows = "".join(
        f"      <criterion>\n        <criterion_id>{number}</criterion_id>\n"
        f"        <points>{criterion.ratings[0][1]}</points>\n        <description>{escape(criterion.text)}</description>\n"
        "        <ratings>\n"
        + "".join(
            f"          <rating>\n            <description>{escape(text)}</description>\n"
            f"            <points>{points}</points>\n            <criterion_id>{number}</criterion_id>\n"
            f"            <id>{number}_{place}</id>\n          </rating>\n"
            for place, (text, points) in enumerate(criterion.ratings)
        )
        + "        </ratings>\n      </criterion>\n"
        for number, criterion in enumerate(item.criteria, start=1)
    )
    return f"    <criteria>\n{rows}    </criteria>\n"


def context_xml(course_id: int, course_name: str, canvas_domain: str) -> str:
    """Return the document that names the origin of the cartridge."""
    return canvas_xml(
        "context_info",
        f"  <course_id>{course_id}</course_id>\n  <course_name>{escape(course_name)}</course_name>\n"
        "  <root_account_id>1</root_account_id>\n  <root_account_name>Sandbox University</root_account_name>\n"
        f"  <root_account_uuid>{'S4ndb0x' * 5 + 'root0'}</root_account_uuid>\n"
        f"  <canvas_domain>{escape(canvas_domain)}</canvas_domain>\n",
    )
