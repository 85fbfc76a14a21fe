"""Ways to break one place of a package, each with what a full proof has to make of it.

``docs/proof.md`` lists them under the same names.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from hypothesis import assume
from tests.support.packages.build import context_xml
from tests.support.packages.courses import Course, assignment_settings, course, quizzes, without_resource
from tests.support.packages.zips import Entry, entries_of, packed_zip

from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.packages.zip import members
from canvas_exports.errors import CorruptPackageError, WrongPackageError

#: How an error is called in ``docs/proof.md``; everything else is the code of a finding.
ERRORS = {"corrupt": CorruptPackageError, "wrong": WrongPackageError}


@dataclass(frozen=True)
class Broken:
    """A package, the member that the error or the finding has to name, and what the package should be."""

    data: bytes
    named: str | None = None
    expect: Expectation = course().expect


Breaker = Callable[["Place"], Broken]


class Place:
    """A whole course, and a random place in it."""

    def __init__(self, whole: Course, number: int, bits: int) -> None:
        self.course = whole
        self.number = number
        self.bits = bits

    @property
    def entries(self) -> list[Entry]:
        return entries_of(self.course.members())

    def index(self, count: int) -> int:
        return self.number % count

    def file(self, *, apart: tuple[str, ...] = ()) -> int:
        """The position of one of the members that hold something."""
        known = [
            at
            for at, entry in enumerate(self.entries)
            if entry.content
            and entry.name not in apart
            and not entry.name.startswith("course_settings/canvas")
        ]
        return known[self.index(len(known))]

    def changed(self, at: int, **changes: object) -> list[Entry]:
        entries = self.entries
        entries[at] = replace(entries[at], **changes)  # type: ignore[arg-type]
        return entries


#: What is broken, how it is noticed, and who breaks it.
BREAKERS: dict[tuple[str, str], Breaker] = {}


def breaker(what: str, noticed: str) -> Callable[[Breaker], Breaker]:
    def known(function: Breaker) -> Breaker:
        BREAKERS[what, noticed] = function
        return function

    return known


def _unzipped(data: bytes) -> Mapping[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {info.filename: package.read(info) for info in package.infolist()}


@breaker("a byte of a member flipped", "corrupt")
def flip(place: Place) -> Broken:
    at = place.file()
    packed = bytearray(place.entries[at].data)
    packed[place.index(len(packed))] ^= place.bits
    entries = place.changed(at, packed=bytes(packed))
    data, name = packed_zip(entries), entries[at].name
    try:
        same = _unzipped(data)[name] == entries[at].content
    except (zipfile.BadZipFile, zlib.error, EOFError):
        same = False
    assume(not same)  # the last byte of a deflated member may have bits that say nothing
    return Broken(data, name)


@breaker("the end cut off", "corrupt")
def cut(place: Place) -> Broken:
    data = packed_zip(place.entries)
    return Broken(data[: place.index(len(data))])


@breaker("a file dropped", "missing_file")
def drop_file(place: Place) -> Broken:
    names = [name for each in place.course.resources for name in each.files]
    name = names[place.index(len(names))]
    return Broken(packed_zip(entries_of(place.course.without(name).members())), name)


@breaker("the manifest dropped", "corrupt")
def drop_manifest(place: Place) -> Broken:
    return Broken(packed_zip(entries_of(place.course.files)), "imsmanifest.xml")


@breaker("a resource dropped that another one needs", "missing_resource")
def drop_resource(place: Place) -> Broken:
    needed = [name for each in place.course.resources for name in each.needs]
    broken = without_resource(place.course, [needed[place.index(len(needed))]])
    return Broken(packed_zip(entries_of(broken.members())))


@breaker("a resource dropped that a module refers to", "missing_item")
def drop_target(place: Place) -> Broken:
    title, target = place.course.items[place.index(2)]
    broken = without_resource(place.course, [target])
    return Broken(packed_zip(entries_of(broken.members())), title)


@breaker("a member twice", "duplicate_name")
def twice(place: Place) -> Broken:
    at = place.file(apart=("imsmanifest.xml", "course_settings/context.xml"))
    again = place.entries[at]
    return Broken(packed_zip([*place.entries, again]), again.name)


@breaker("the manifest twice", "corrupt")
def manifest_twice(place: Place) -> Broken:
    at = place.index(len(place.entries))
    entries = place.entries
    entries.insert(at, entries[-1])
    return Broken(packed_zip(entries), "imsmanifest.xml")


def _lie(place: Place, where: str, what: str) -> Broken:
    at = place.file()
    entry = place.entries[at]
    wrong = int(entry.facts({})[what]) ^ (1 << place.index(20))
    return Broken(packed_zip(place.changed(at, **{where: {what: wrong}})), entry.name)


@breaker("a wrong size in the directory", "corrupt")
def size_lie(place: Place) -> Broken:
    return _lie(place, "central", "size")


@breaker("a wrong packed size in the directory", "corrupt")
def packed_size_lie(place: Place) -> Broken:
    return replace(_lie(place, "central", "compressed"), named=None)


@breaker("a wrong checksum in the directory", "corrupt")
def crc_lie(place: Place) -> Broken:
    return _lie(place, "central", "crc")


@breaker("a wrong offset in the directory", "corrupt")
def offset_lie(place: Place) -> Broken:
    at = place.index(len(place.entries))
    return Broken(packed_zip(place.changed(at, central={"offset": 5 + place.number % 70_000})))


@breaker("a wrong name in the directory", "corrupt")
def name_lie(place: Place) -> Broken:
    at = place.file(apart=("imsmanifest.xml",))
    name = place.entries[at].name
    changed = name[:-1] + "~"  # as long as before, or nothing would be where it should be
    return Broken(packed_zip(place.changed(at, central={"name": changed})), changed)


@breaker("a member's own header changed", "corrupt")
def header_lie(place: Place) -> Broken:
    at = place.file()
    entry = place.entries[at]
    what = ("size", "compressed", "crc", "method", "name")[place.index(5)]
    said = entry.facts({})[what]
    lie = said ^ 1 if isinstance(said, int) else said[:-1] + "~"
    return Broken(packed_zip(place.changed(at, local={what: lie})), entry.name)


@breaker("the headers of two members swapped", "corrupt")
def swap(place: Place) -> Broken:
    files = [at for at, entry in enumerate(place.entries) if len(entry.name) == len("d1.xml")]
    one, other = (files[(place.number + step) % len(files)] for step in (0, 1))
    first, second = place.entries[one], place.entries[other]
    entries = place.changed(one, local=second.facts({}))
    entries[other] = replace(second, local=first.facts({}))
    return Broken(packed_zip(entries), (first if one < other else second).name)


@breaker("a wrong data descriptor after a member", "corrupt")
def descriptor_lie(place: Place) -> Broken:
    at = place.file(apart=("imsmanifest.xml", "course_settings/context.xml"))
    what = ("size", "compressed", "crc")[place.index(3)]
    lie = {what: int(place.entries[at].facts({})[what]) ^ (1 << place.index(30))}
    entries = place.changed(at, descriptor=True, lying_descriptor=lie, zip64=bool(place.number % 2))
    return Broken(packed_zip(entries), entries[at].name)


@breaker("two members at one offset", "corrupt")
def overlap(place: Place) -> Broken:
    at = 1 + place.index(len(place.entries) - 1)
    entries = place.entries
    offset = sum(len(each.header() + each.data) for each in entries[: at - 1])
    return Broken(packed_zip(place.changed(at, central={"offset": offset})))


@breaker("a zip bomb: more inside than the directory states", "corrupt")
def swelling(place: Place) -> Broken:
    at = place.file(apart=("imsmanifest.xml", "course_settings/context.xml"))
    entry = place.entries[at]
    inside = Entry(entry.name, entry.content + bytes(10_000_000)).data
    facts = {"crc": zlib.crc32(entry.content), "size": len(entry.content)}
    return Broken(packed_zip(place.changed(at, packed=inside, local=facts, central=facts)), entry.name)


@breaker("a zip bomb: a stated size beyond any compression", "corrupt")
def impossible(place: Place) -> Broken:
    at = place.file()
    size = {"size": members.MAX_RATIO * len(place.entries[at].data) + 2000 + place.number}
    return Broken(packed_zip(place.changed(at, local=size, central=size)), place.entries[at].name)


@breaker("a zip bomb: hundreds of times its size once unpacked", "corrupt")
def bomb(place: Place) -> Broken:
    packed = bytes(4_200_000)
    lies = {"size": 0xFFFFFFFE - place.number}
    bombs = [Entry(f"web_resources/{at}", packed=packed, local=lies, central=lies) for at in range(5)]
    return Broken(packed_zip([*bombs, *place.entries]))


@breaker("a name with a path out of the package", "unsafe_name")
def hostile_name(place: Place) -> Broken:
    names = ("../up", "/etc/passwd", "a/../../b", "C:/windows", "a\\b", "a\nb", "a\0b", "..", "\x7f")
    name = names[place.index(len(names))]
    return Broken(packed_zip([Entry(name, b"x"), *place.entries]), name)


@breaker("entities in the manifest or the context", "corrupt")
def hostile_manifest(place: Place) -> Broken:
    doctype = '<!DOCTYPE manifest [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    if place.number % 2:
        broken = replace(place.course, doctype=doctype)
    else:
        context = context_xml().replace(b"<context_info", doctype.encode() + b"<context_info")
        broken = place.course.having({"course_settings/context.xml": context})
    return Broken(packed_zip(entries_of(broken.members())))


def _documents(place: Place) -> list[str]:
    files = place.course.files
    return [name for name in files if name.endswith((".xml", ".qti")) and "context" not in name]


@breaker("entities in another document of Canvas's", "hostile_xml")
def hostile_document(place: Place) -> Broken:
    names = _documents(place)
    name = names[place.index(len(names))]
    hostile = b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x">' + place.course.files[name].split(b"?>")[-1]
    return Broken(packed_zip(entries_of(place.course.having({name: hostile}).members())), name)


@breaker("another document of Canvas's written as only a recovering parser reads it", "odd_xml")
def odd_document(place: Place) -> Broken:
    names = _documents(place)
    name = names[place.index(len(names))]
    text = place.course.files[name]
    odd = b"\n<?xml version='1.0'?>" + text.split(b"?>")[-1]
    if place.number % 2:
        at = odd.rindex(b"</") if b"</" in odd else odd.rindex(b"/>") + 2
        odd = odd[:at] + (b"&nbsp;" if b"</" in odd else b"") + odd[at:]
    return Broken(packed_zip(entries_of(place.course.having({name: odd}).members())), name)


@breaker("another document of Canvas's cut", "broken_xml")
def broken_document(place: Place) -> Broken:
    names = _documents(place)
    name = names[place.index(len(names))]
    text = place.course.files[name]
    shorter = text[: place.number % (len(text) - 1)]
    return Broken(packed_zip(entries_of(place.course.having({name: shorter}).members())), name)


@breaker("another course", "wrong")
def other_course(place: Place) -> Broken:
    context = {"course_settings/context.xml": context_xml(102 + place.number)}
    return Broken(packed_zip(entries_of(place.course.having(context).members())))


@breaker("another Canvas", "wrong")
def other_canvas(place: Place) -> Broken:
    context = {"course_settings/context.xml": context_xml(host=f"canvas{place.number}.example.org")}
    return Broken(packed_zip(entries_of(place.course.having(context).members())))


@breaker("an encrypted member", "encrypted")
def encrypted(place: Place) -> Broken:
    at = place.file(apart=("imsmanifest.xml", "course_settings/context.xml"))
    return Broken(
        packed_zip(place.changed(at, flags=(0x1, 0x20, 0x41, 0x2001)[place.index(4)])),
        place.entries[at].name,
    )


@breaker("an unknown compression method", "unknown_method")
def unknown_method(place: Place) -> Broken:
    at = place.file(apart=("imsmanifest.xml", "course_settings/context.xml"))
    method = (1, 9, 12, 14, 93, 99)[place.index(6)]
    return Broken(packed_zip(place.changed(at, method=method)), place.entries[at].name)


@breaker("an error that Canvas noted", "export_error")
def noted(place: Place) -> Broken:
    notes = ("Export errors for export 501:", f"The page {place.number} failed to export")
    return Broken(packed_zip(entries_of(replace(place.course, comments=notes).members())))


@breaker("bytes between two members", "stray_bytes")
def stray(place: Place) -> Broken:
    at = place.index(len(place.entries))
    entries = place.changed(at, after=bytes(1 + place.number % 60_000))
    return Broken(packed_zip(entries), entries[at].name)


@breaker("bytes before the first member", "corrupt")
def before(place: Place) -> Broken:
    return Broken(bytes(1 + place.number % 1000) + packed_zip(place.entries))


@breaker("bytes after the end", "corrupt")
def after(place: Place) -> Broken:
    return Broken(packed_zip(place.entries) + bytes(1 + place.number % 70_000))


@breaker("a wrong number of members", "corrupt")
def miscounted(place: Place) -> Broken:
    return Broken(packed_zip(place.entries, count_off_by=1 + place.number % 100))


@breaker("a New Quiz", "new_quiz")
def new_quiz(place: Place) -> Broken:
    url = f"https://campus.quiz-lti-{('iad', 'dub', 'syd')[place.index(3)]}-prod.instructure.com/lti/launch"
    shell = assignment_settings("Exam", submission_types="external_tool", external_tool_url=url)
    name = "a1/assignment_settings.xml"
    return Broken(packed_zip(entries_of(place.course.having({name: shell}).members())), name)


@breaker("a link to a file that is not there", "broken_links")
def broken_link(place: Place) -> Broken:
    name = ("wiki_content/welcome.html", "a1/essay.html", "d1.xml", "z1/assessment_qti.xml")[place.index(4)]
    text = place.course.files[name]
    link = b'<img src="$IMS-CC-FILEBASE$/%d.png"/>' % place.number
    at = text.rindex(b"</") if name.endswith(".xml") else len(text)
    data = packed_zip(entries_of(place.course.having({name: text[:at] + link + text[at:]}).members()))
    return Broken(data, name)


@breaker("a member that is a symbolic link", "special_file")
def symbolic_link(place: Place) -> Broken:
    at = place.file(apart=("imsmanifest.xml", "course_settings/context.xml"))
    return Broken(packed_zip(place.changed(at, mode=stat.S_IFLNK | 0o777)), place.entries[at].name)


@breaker("a quiz of a QTI package without its questions", "quiz_without_questions")
def no_questions(_: Place) -> Broken:
    whole = quizzes()
    without = tuple(replace(each, files=()) if each.identifier == "z1" else each for each in whole.resources)
    data = packed_zip(entries_of(replace(whole, resources=without).members()))
    return Broken(data, "z1", whole.expect)
