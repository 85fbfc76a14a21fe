"""Random packages: courses of every kind of content, in the forms of Canvas and of other systems, and damaged ones."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from hypothesis import strategies as st
from tests.support.packages.build import HOST, context_xml, zipped
from tests.support.packages.courses import CANVAS, Res
from tests.support.packages.questions import FIELD, assessment, bank, choice, condition, equal, question

from canvas_exports.core.packages.proof import Expectation

EXPECT = Expectation("common_cartridge", canvas_host=HOST)

_NAMES = st.text("abÜé %+&;#?.-_(){}[]'~\u0301\u202e\x07", min_size=1, max_size=12).filter(
    lambda name: name.strip(". /")
)
_TITLES = st.text(min_size=0, max_size=20).map(
    lambda text: "".join(each for each in text if each.isprintable())
)
_IDENTIFIERS = st.sampled_from([f"i{number}" for number in range(12)] + ["", "é", "a b"])
_HTML = st.sampled_from(
    [
        "<html><head><title>{title}</title><meta name='workflow_state' content='active'/></head><body><p>x</p></body></html>",
        "<p>{title}",
        "",
        "<html><head><title>{title}</title><meta name='front_page' content='true'></head><body><a href='$WIKI_REFERENCE$/pages/a'>x",
        "<!doctype html><title>{title}</title><body><body></body>",
    ]
)
_ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"])


@dataclass(frozen=True)
class Thing:
    """Members by name, and the resources that name them."""

    files: dict[str, bytes]
    resources: tuple[Res, ...]


@st.composite
def _page(draw: st.DrawFn) -> Thing:
    folder = draw(st.sampled_from(["wiki_content/", "wiki_content/", "", "unit 1/", "web_resources/"]))
    name = f"{folder}{draw(_NAMES)}{draw(st.sampled_from(['.html', '.htm', '.HTML']))}"
    text = draw(_HTML).replace("{title}", escape(draw(_TITLES))).encode(draw(_ENCODINGS), "replace")
    further = (
        {}
        if folder == "wiki_content/"
        else {f"{folder}{each}.gif": b"GIF" for each in draw(st.lists(_NAMES, max_size=2))}
    )
    href = draw(st.sampled_from([name, ""]))
    return Thing({name: text, **further}, (Res(draw(_IDENTIFIERS), "webcontent", (name, *further), href),))


@st.composite
def _file(draw: st.DrawFn) -> Thing:
    name = f"web_resources/{draw(st.sampled_from(['', 'a/', 'a b/ü/']))}{draw(_NAMES)}"
    return Thing(
        {name: draw(st.binary(max_size=40))}, (Res(draw(_IDENTIFIERS), "webcontent", (name,), name),)
    )


@st.composite
def _topic(draw: st.DrawFn) -> Thing:
    identifier = draw(_IDENTIFIERS)
    key = f"{identifier}{draw(st.integers(0, 99))}"
    version = draw(st.sampled_from(["imsdt_xmlv1p0", "imsdt_xmlv1p1", "imsdt_xmlv1p3"]))
    topic = f"<topic><title>{escape(draw(_TITLES))}</title><text texttype='text/html'>&lt;p&gt;</text></topic>".encode()
    if not draw(st.booleans()):
        return Thing({f"{key}.xml": topic}, (Res(key, version, (f"{key}.xml",)),))
    kind = draw(st.sampled_from(["topic", "announcement"]))
    meta = f"<topicMeta><topic_id>{key}</topic_id><type>{kind}</type></topicMeta>".encode()
    return Thing(
        {f"{key}.xml": topic, f"{key}meta.xml": meta},
        (
            Res(key, version, (f"{key}.xml",), needs=(f"{key}meta",)),
            Res(f"{key}meta", CANVAS, (f"{key}meta.xml",), f"{key}meta.xml"),
        ),
    )


_QUESTIONS = st.lists(
    st.sampled_from(
        [
            question("essay_question", FIELD),
            question("multiple_choice_question", choice({"1": "a", "2": "b"}), condition(equal("1"))),
            question("", choice({"1": "a"}), labels={"cc_profile": "cc.multiple_choice.v0p1"}),
            "<item/>",
            "<item><presentation/><resprocessing><respcondition/></resprocessing></item>",
            "<section><selection_ordering><selection><sourcebank_ref>b</sourcebank_ref></selection></selection_ordering></section>",
        ]
    ),
    max_size=4,
)


@st.composite
def _quiz(draw: st.DrawFn) -> Thing:
    key = f"z{draw(st.integers(0, 99))}"
    folder = f"{key}/assessment_qti.xml"
    kind = draw(
        st.sampled_from(
            [
                "imsqti_xmlv1p2/imscc_xmlv1p1/assessment",
                "imsqti_xmlv1p2/imscc_xmlv1p3/assessment",
                "imsqti_xmlv1p2",
            ]
        )
    )
    files = {folder: assessment(*draw(_QUESTIONS))}
    if not draw(st.booleans()):
        return Thing(files, (Res(key, kind, (folder,)),))
    files |= {
        f"{key}/assessment_meta.xml": f"<quiz><title>{escape(draw(_TITLES))}</title><description>d</description></quiz>".encode(),
        f"non_cc_assessments/{key}.xml.qti": assessment(*draw(_QUESTIONS)),
    }
    own = (f"{key}/assessment_meta.xml", f"non_cc_assessments/{key}.xml.qti")
    return Thing(
        files, (Res(key, kind, (folder,), needs=(f"{key}meta",)), Res(f"{key}meta", CANVAS, own, own[0]))
    )


@st.composite
def _bank(draw: st.DrawFn) -> Thing:
    name = f"non_cc_assessments/b{draw(st.integers(0, 99))}.xml.qti"
    kind = draw(st.sampled_from([CANVAS, "imsqti_xmlv1p2/imscc_xmlv1p2/question-bank"]))
    return Thing({name: bank(*draw(_QUESTIONS))}, (Res(draw(_IDENTIFIERS), kind, (name,), name),))


@st.composite
def _assignment(draw: st.DrawFn) -> Thing:
    key = f"a{draw(st.integers(0, 99))}"
    own = {
        f"{key}/text.html": b"<p>Do",
        f"{key}/assignment_settings.xml": b"<assignment><title>A</title></assignment>",
    }
    standard = {f"{key}/assignment.xml": b"<assignment><title>A</title><text>x</text></assignment>"}
    form = draw(st.sampled_from(["own", "standard", "both"]))
    files = {**(own if form != "standard" else {}), **(standard if form != "own" else {})}
    resources = []
    if form != "standard":
        resources.append(Res(key, CANVAS, tuple(own), f"{key}/text.html"))
    if form != "own":
        resources.append(Res(f"{key}_cc", "assignment_xmlv1p0", tuple(standard), f"{key}/assignment.xml"))
    return Thing(files, tuple(resources))


@st.composite
def _link(draw: st.DrawFn) -> Thing:
    name = f"{draw(_NAMES).replace('.', '')}.xml"
    kind = draw(st.sampled_from(["imswl_xmlv1p1", "imsbasiclti_xmlv1p0", "imsbasiclti_xmlv1p3"]))
    document = draw(
        st.sampled_from([b"<webLink><title>t</title><url href='https://example.org'/></webLink>", b"<x/>"])
    )
    return Thing({name: document}, (Res(draw(_IDENTIFIERS), kind, (name,)),))


_ELSEWHERE = _IDENTIFIERS.map(
    lambda name: Thing({}, (Res(name, "webcontent", (), "https://example.org/a b?c"),))
)
_SYLLABUS = st.sampled_from(["course_settings/syllabus.html", "plan.pdf"]).map(
    lambda name: Thing({name: b"<p>Plan"}, (Res("syllabus", CANVAS, (name,), name, use="syllabus"),))
)


def _list(root: str, element: str) -> st.SearchStrategy[bytes]:
    entries = st.lists(st.tuples(_IDENTIFIERS, _TITLES), max_size=4)
    return entries.map(
        lambda found: (
            f"<{root}>{''.join(f'<{element} identifier={chr(34)}{name}{chr(34)}><title>{escape(title)}</title></{element}>' for name, title in found)}</{root}>".encode()
        )
    )


_SETTINGS = st.fixed_dictionaries(
    {"course_settings/context.xml": st.just(context_xml())},
    optional={
        "course_settings/rubrics.xml": _list("rubrics", "rubric"),
        "course_settings/events.xml": _list("events", "event"),
        "course_settings/learning_outcomes.xml": _list("learningOutcomes", "learningOutcome"),
        "course_settings/course_settings.xml": st.just(b"<course><title>C</title></course>"),
        "course_settings/module_meta.xml": st.just(
            b"<modules><module identifier='m'><title>M</title><items><item identifier='x'><identifierref>i1</identifierref>"
            b"<indent>99</indent></item></items></module></modules>"
        ),
    },
)


def _item(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(_IDENTIFIERS, _IDENTIFIERS, _TITLES, st.lists(children, max_size=3)).map(
        lambda found: (
            f'<item identifier="{found[0]}"{f" identifierref={chr(34)}{found[1]}{chr(34)}" if found[1] else ""}>'
            f"<title>{escape(found[2])}</title>{''.join(found[3])}</item>"
        )
    )


_OUTLINE = st.recursive(_item(st.just("")), _item, max_leaves=10)
_THINGS = st.one_of(
    _page(), _file(), _topic(), _quiz(), _bank(), _assignment(), _link(), _ELSEWHERE, _SYLLABUS
)
_SPACES = st.sampled_from(
    [""] + [f' xmlns="http://www.imsglobal.org/xsd/imsccv1p{n}/imscp_v1p1"' for n in range(1, 4)]
)


@st.composite
def packages(draw: st.DrawFn) -> dict[str, bytes]:
    """The members of a cartridge; what its manifest names is nearly always there."""
    files = dict(draw(_SETTINGS))
    resources: list[Res] = []
    for thing in draw(st.lists(_THINGS, max_size=8)):
        if files.keys().isdisjoint(thing.files):  # two resources of one document are none of Canvas's
            files |= thing.files
            resources += thing.resources
    known = [name for name in files if name.startswith("course_settings/")]
    resources.append(Res("settings", CANVAS, tuple(known), known[0]))
    if draw(st.integers(0, 9)) == 0:
        files.pop(draw(st.sampled_from(sorted(files))))
    manifest = (
        f"<manifest identifier='g1'{draw(_SPACES)}><metadata><schema>IMS Common Cartridge</schema></metadata><organizations>"
        f"<organization><item>{draw(_OUTLINE)}{draw(_OUTLINE)}</item></organization></organizations>"
        f"<resources>{''.join(each.xml() for each in resources)}</resources></manifest>"
    )
    order = draw(st.permutations(sorted(files)))
    members = {name: files[name] for name in order}
    return {
        **members,
        "imsmanifest.xml": manifest.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))),
    }


_JUNK = st.sampled_from(
    [
        b"",
        b"\x00",
        b"<",
        b"\xff\xfe<",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<a>" * 200,
        b"{",
        b"PK\x03\x04",
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A zip of which documents, or bytes of the zip itself, are damaged."""
    members = draw(packages())
    for name in draw(st.lists(st.sampled_from(sorted(members)), max_size=3)):
        data = members[name]
        cut = draw(st.integers(0, len(data)))
        members[name] = draw(
            st.sampled_from([data[:cut], data[cut:], data[:cut] + draw(_JUNK) + data[cut:], draw(_JUNK)])
        )
    package = bytearray(zipped(members, method=draw(st.sampled_from([0, 8]))))
    for _ in range(draw(st.integers(0, 3))):
        package[draw(st.integers(0, len(package) - 1))] = draw(st.integers(0, 255))
    return bytes(package)
