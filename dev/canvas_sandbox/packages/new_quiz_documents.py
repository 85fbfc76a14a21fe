"""Documents of New Quizzes in a cartridge: Canvas's own, and those of the New Quizzes service.

To Canvas a New Quiz is an assignment that launches a tool. The service's documents have the assignment's identifier, so
two resources of the manifest have it; banks come without ``assessment_meta.xml``, and pictures in a folder of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from canvas_sandbox.content.model import Item, create_key
from canvas_sandbox.packages import documents
from canvas_sandbox.packages.manifest import Resource
from canvas_sandbox.packages.zip_layout import Member, filler_member, text_member

MEDIA = "Uploaded Media/"
CANVAS_DATA = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
_PICTURE = 700
# The service declares the location of a schema as the name of a namespace. It is well-formed all the same.
_XMLNS = (
    'xmlns="http://canvas.instructure.com/xsd/cccv1p0" '
    'xmlns:xsi="http://canvas.instructure.com/xsd/cccv1p0 https://canvas.instructure.com/xsd/cccv1p0.xsd"'
)


def shell(item: Item, group_key: str, tool: str) -> str:
    """Return ``assignment_settings.xml``: what Canvas itself knows."""
    return documents.canvas_xml(
        "assignment",
        f"  <title>{escape(item.title)}</title>\n"
        f"  <assignment_group_identifierref>{group_key}</assignment_group_identifierref>\n"
        "  <workflow_state>published</workflow_state>\n  <points_possible>3.0</points_possible>\n"
        "  <submission_types>external_tool</submission_types>\n"
        "  <external_tool_external_identifier>2</external_tool_external_identifier>\n"
        f"  <external_tool_url>{escape(tool)}</external_tool_url>\n"
        "  <external_tool_new_tab>false</external_tool_new_tab>\n",
        f'identifier="{item.key}"',
    )


def body_members(item: Item, key: str) -> Iterator[Member]:
    """Return the service's documents: the quiz twice, settings, bank and picture. ``key`` is that of the picture's bytes."""
    questions = documents.quiz_qti(item, f"$IMS-CC-FILEBASE$/{MEDIA.replace(' ', '%20')}{_picture(item)}")
    yield text_member(f"{item.key}/assessment_qti.xml", questions)
    yield text_member(f"{item.key}/assessment_meta.xml", _meta(item))
    yield text_member(f"non_cc_assessments/{item.key}.xml.qti", questions)
    yield text_member(f"non_cc_assessments/{_bank(item)}.xml.qti", _bank_qti(item))
    yield filler_member(f"{MEDIA}{_picture(item)}", key, _PICTURE)


def body_resources(item: Item, *, cc13: bool) -> Iterator[Resource]:
    """Return the resources of `body_members`."""
    kind = f"imsqti_xmlv1p2/imscc_xmlv1p{3 if cc13 else 1}/assessment"
    meta, full = f"{item.key}/assessment_meta.xml", f"non_cc_assessments/{item.key}.xml.qti"
    meta_key = create_key(item.key)
    yield Resource(item.key, kind, (f"{item.key}/assessment_qti.xml",), href=False, depends_on=(meta_key,))
    yield Resource(meta_key, CANVAS_DATA, (meta, full))
    yield Resource(_bank(item), CANVAS_DATA, (f"non_cc_assessments/{_bank(item)}.xml.qti",))
    yield Resource(create_key(_picture(item)), "webcontent", (f"{MEDIA}{_picture(item)}",))


def _meta(item: Item) -> str:
    return (
        f'<?xml version="1.0"?>\n<quiz identifier="{item.key}" {_XMLNS}>\n'
        f"  <title>{escape(item.title)}</title>\n  <description>{escape(item.body)}</description>\n"
        "  <shuffle_answers>false</shuffle_answers>\n  <calculator_type>none</calculator_type>\n"
        "  <quiz_type>assignment</quiz_type>\n  <points_possible>3.0</points_possible>\n</quiz>\n"
    )


def _bank_qti(item: Item) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<questestinterop xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2">\n'
        f'  <objectbank ident="{_bank(item)}">\n    <qtimetadata><qtimetadatafield><fieldlabel>bank_title</fieldlabel>'
        f"<fieldentry>{escape(item.title)}</fieldentry></qtimetadatafield></qtimetadata>\n"
        f'    <item ident="{_bank(item)}_1" title="Spare question"/>\n  </objectbank>\n</questestinterop>\n'
    )


def _bank(item: Item) -> str:
    return create_key(item.key, "bank_")


def _picture(item: Item) -> str:
    digits = create_key(item.key, "picture_")[1:]
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
