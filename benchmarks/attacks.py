"""Packages that are made to cost whoever proves them as much time or memory as possible: small, and without end inside."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping

MIB = 1024**2

Part = bytes | Iterable[bytes]
Attack = Callable[[], bytes]

_LOCAL = struct.Struct("<4s5HLLL2H")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_MANY = 0xFFFF
_MANIFEST = "imsmanifest.xml"
_RESOURCES = b"<manifest><resources>"
_WHOLE = _RESOURCES + b"</resources></manifest>"
_META = "z1/assessment_meta.xml"


def package(
    members: Iterable[tuple[str, Part]], *, comment: bytes = b"", method: int = 8, extra: bytes = b""
) -> bytes:
    """A zip of members whose content may be made piece by piece."""
    body, lines = bytearray(), []
    for name, content in members:
        raw = name.encode()
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        crc = size = 0
        packed = bytearray()
        for piece in (content,) if isinstance(content, bytes) else content:
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            packed += packer.compress(piece) if method else piece
        packed += packer.flush() if method else b""
        facts = (method, 0, 0, crc, len(packed), size, len(raw))
        lines.append(
            _ENTRY.pack(b"PK\x01\x02", 20, 3, 20, 0, 0x800, *facts, len(extra), 0, 0, 0, 0, len(body))
            + raw
            + extra
        )
        body += _LOCAL.pack(b"PK\x03\x04", 20, 0x800, *facts, 0) + raw + packed
    directory = b"".join(lines)
    if len(lines) >= _MANY:
        at = len(body)
        body += directory  # of more members than the short end record can count
        where = len(lines), len(lines), len(directory), at
        body += _END64.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, *where) + _LOCATOR.pack(
            b"PK\x06\x07", 0, at + len(directory), 1
        )
        return bytes(body) + _END.pack(b"PK\x05\x06", 0, 0, _MANY, _MANY, 2**32 - 1, 2**32 - 1, 0)
    end = _END.pack(b"PK\x05\x06", 0, 0, len(lines), len(lines), len(directory), len(body), len(comment))
    return bytes(body) + directory + end + comment


def _times(piece: bytes, count: int, before: bytes = b"", after: bytes = b"") -> Iterator[bytes]:
    yield before
    many = max(1, MIB // len(piece))
    for _ in range(count // many):
        yield piece * many
    yield piece * (count % many)
    yield after


def _numbered(form: str, count: int, before: bytes = b"", after: bytes = b"") -> Iterator[bytes]:
    yield before
    for start in range(0, count, 1000):
        yield "".join(form.format(number) for number in range(start, min(start + 1000, count))).encode()
    yield after


def _document(content: Part, name: str = _META) -> bytes:
    return package([(name, content), (_MANIFEST, _WHOLE)])


def _manifest(content: Part) -> bytes:
    return package([("wiki_content/a.html", b"a"), (_MANIFEST, content)])


_Maker = Callable[[bytes], Iterator[bytes]]

_XML: Mapping[str, _Maker] = {
    "a long namespace on many elements": lambda odd: _times(
        b"<a/>", 400_000, b'<quiz xmlns="' + b"n" * 100_000 + b'">' + odd, b"</quiz>"
    ),
    "a namespace as long as allowed on many elements": lambda odd: _times(
        b"<a/>", 400_000, b'<quiz xmlns="' + b"n" * 1_999 + b'">' + odd, b"</quiz>"
    ),
    "a namespace of 3 MB on many elements": lambda odd: _times(
        b"<a/>", 200_000, b"<quiz>" + odd + b'<a xmlns="' + b"n" * 3_000_000 + b'">', b"</a></quiz>"
    ),
    "a namespace on each element": lambda odd: _times(
        b'<a xmlns:x="' + b"n" * 1_500 + b'"/>', 19_000, b"<quiz>" + odd, b"</quiz>"
    ),
    "an attribute of 31 MB": lambda odd: _times(
        b"a" * 1000, 31_000, b"<quiz>" + odd + b'<a b="', b'"/></quiz>'
    ),
    "a comment of 31 MB": lambda odd: _times(b"a" * 1000, 31_000, b"<quiz>" + odd + b"<!--", b"--></quiz>"),
    "a name of 31 MB": lambda odd: _times(b"a" * 1000, 31_000, b"<quiz>" + odd + b"<", b"/></quiz>"),
    "a text of 31 MB": lambda odd: _times(b"a" * 1000, 31_000, b"<quiz><title>" + odd, b"</title></quiz>"),
    "a million lines of text": lambda odd: _times(
        b"a\n", 15_000_000, b"<quiz><title>" + odd, b"</title></quiz>"
    ),
    "tokens as long as allowed": lambda odd: _times(
        b'<a b="' + b"c" * 250_000 + b'"/>', 120, b"<quiz>" + odd, b"</quiz>"
    ),
    "many attributes in an element": lambda odd: _numbered(
        ' a{}=""', 2_000_000, b"<quiz>" + odd + b"<a", b"/></quiz>"
    ),
    "different names of elements": lambda odd: _numbered("<a{0}/>", 499_000, b"<quiz>" + odd, b"</quiz>"),
    "different names of attributes": lambda odd: _numbered(
        "<a " + " ".join(f'{name}{{0}}=""' for name in "abcdefghijklmnop") + "/>",
        200_000,
        b"<quiz>" + odd,
        b"</quiz>",
    ),
    "many attributes in many elements": lambda odd: _times(
        b"<a " + " ".join(f'a{number}=""' for number in range(250)).encode() + b"/>",
        15_000,
        b"<quiz>" + odd,
        b"</quiz>",
    ),
    "deep nesting": lambda odd: _times(b"<a>", 1_000_000, b"<quiz>" + odd),
    "many references": lambda odd: _times(b"&#65;", 6_000_000, b"<quiz><title>" + odd, b"</title></quiz>"),
    "many small elements": lambda odd: _times(b"<a/>", 499_000, b"<quiz>" + odd, b"</quiz>"),
    "identifiers": lambda odd: _numbered('<a identifier="{0:090}"/>', 300_000, b"<quiz>" + odd, b"</quiz>"),
    "mistakes": lambda odd: _times(b"& ", 15_000_000, b"<quiz>" + odd, b"</quiz>"),
    "mistakes of mismatch": lambda odd: _times(b"<a></b>", 400_000, b"<quiz>" + odd, b"</quiz>"),
    "unknown entities": lambda odd: _numbered("&e{0};", 3_000_000, b"<quiz>" + odd, b"</quiz>"),
}

_ACCENTS = "\u0316\u0301" * 400


def _documents() -> bytes:
    full = b"<quiz>" + b"<a/>" * 499_000 + b"</quiz>"
    return package(
        [*((f"z{number}/assessment_meta.xml", full) for number in range(100)), (_MANIFEST, _WHOLE)]
    )


def _named(names: Iterable[str], *, extra: bytes = b"") -> bytes:
    return package([*((name, b"") for name in names), (_MANIFEST, _WHOLE)], extra=extra)


def _hrefs(form: str, count: int) -> bytes:
    return _manifest(
        _numbered(
            f'<resource><file href="{form}"/></resource>', count, _RESOURCES, b"</resources></manifest>"
        )
    )


def _ends() -> bytes:
    comment = b"".join(_END.pack(b"PK\x05\x06", 0, 0, 1, 1, 46, at, 22 * (2900 - at)) for at in range(2901))
    return package([("a", b"a"), (_MANIFEST, _WHOLE)], comment=comment)


def _in_document(make: _Maker, odd: bytes) -> Attack:
    return lambda: _document(make(odd))


def _in_manifest(make: _Maker, odd: bytes) -> Attack:
    def attack() -> bytes:
        pieces = (
            piece.replace(b"quiz>", b"manifest>").replace(b"<quiz", b"<manifest") for piece in make(odd)
        )
        return _manifest(pieces)

    return attack


ATTACKS: dict[str, Attack] = {
    **{name: _in_document(make, b"") for name, make in _XML.items()},
    **{f"{name}, to be recovered": _in_document(make, b"&") for name, make in _XML.items()},
    **{f"{name}, in the manifest": _in_manifest(make, b"") for name, make in _XML.items()},
    **{f"{name}, in a manifest to be recovered": _in_manifest(make, b"&") for name, make in _XML.items()},
    "a hundred documents full of elements": _documents,
    "links": lambda: _document(_times(b"$WIKI_REFERENCE$/pages/a ", 4_000_000), "wiki_content/a.html"),
    "links that differ": lambda: _document(
        _numbered('"$CANVAS_OBJECT_REFERENCE$/assignments/{}"', 1_000_000), "wiki_content/a.html"
    ),
    "links full of accents": lambda: _document(
        _times(b"$IMS-CC-FILEBASE$/pages/" + "e\u0316\u0301/../".encode() * 100 + b'&amp;%61+ #"', 30_000),
        "wiki_content/a.html",
    ),
    "links full of escapes": lambda: _document(
        _times(b"$IMS-CC-FILEBASE$/" + b"&qxxx%2e%2e/%FF" * 60 + b'"', 30_000), "wiki_content/a.html"
    ),
    "a hundred thousand members": lambda: _named(f"web_resources/{number:06}" for number in range(99_000)),
    "as many members and resources as allowed": lambda: package(
        [
            *((f"web_resources/{number:050}", b"") for number in range(99_000)),
            (
                _MANIFEST,
                _numbered(
                    '<resource identifier="{0:040}" type="t{0}" href="{0}x"/>',
                    149_000,
                    _RESOURCES,
                    b"</resources></manifest>",
                ),
            ),
        ]
    ),
    "more members than any course has": lambda: _named(f"{number:06}" for number in range(250_000)),
    "members with long names": lambda: _named(
        ("\U0001f600" * 3 + "_" * 60_000 + str(number)) for number in range(400)
    ),
    "names of low lines": lambda: _manifest(
        _numbered('<file href="b{}"/>', 1000, _RESOURCES, b"</resources></manifest>")
    ),
    "low lines in a name": lambda: package(
        [
            ("_" * 32_000 + "x", b""),
            (_MANIFEST, _RESOURCES + b'<resource><file href="a"/></resource></resources></manifest>'),
        ]
    ),
    "members full of accents": lambda: _named("a" + _ACCENTS + str(number) for number in range(3000)),
    "references full of accents": lambda: _hrefs("a" + _ACCENTS[:450] + "{}", 15_000),
    "references of low lines": lambda: _hrefs("a" + "_" * 900 + "{}x", 30_000),
    "references that lead up and down": lambda: _hrefs("a/../" * 600 + "{}", 9_000),
    "references": lambda: _hrefs("{}", 74_000),
    "resources": lambda: _manifest(
        _numbered(
            '<resource identifier="{0}" type="t{0}" href="{0}x"/>',
            149_000,
            _RESOURCES,
            b"</resources></manifest>",
        )
    ),
    "items": lambda: _manifest(
        _numbered(
            '<item identifier="i{0}" identifierref="r{0}"><title>t{0}</title></item>',
            74_000,
            b"<manifest><organizations><organization><item>",
            b"</item></organization></organizations></manifest>",
        )
    ),
    "long titles": lambda: _manifest(
        _times(
            b"<item><title>" + "\U0001f600".encode() * 1_900 + b"</title></item>",
            4_000,
            b"<manifest><organizations><organization><item>",
            b"</item></organization></organizations></manifest>",
        )
    ),
    "export errors": lambda: _manifest(_times(b"<!-- " + b"http://" * 280 + b" -->", 15_000, _WHOLE)),
    "a manifest that is not packed": lambda: package(
        [("a", b"a"), (_MANIFEST, _RESOURCES + b" " * (31 * MIB) + b"</resources></manifest>")], method=0
    ),
    "a manifest that is not packed, at the front": lambda: package(
        [
            (
                _MANIFEST,
                _RESOURCES
                + b'<resource href="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"/>' * 149_000
                + b"</resources></manifest>",
            ),
            ("a", bytes(6 * MIB)),
        ],
        method=0,
    ),
    "end records in the comment": _ends,
    "extra fields": lambda: _named(
        (str(number) for number in range(900)), extra=struct.pack("<2H", 2, 0) * 16_000
    ),
    "tools and shells": lambda: package(
        [
            *(
                (
                    f"a{number}/assignment_settings.xml",
                    b"<assignment><submission_types>external_tool</submission_types><title>"
                    + b"t" * 2000
                    + b"</title></assignment>",
                )
                for number in range(20_000)
            ),
            (_MANIFEST, _WHOLE),
        ]
    ),
    "zeros": lambda: package([("web_resources/a", _times(bytes(1000), 1_000_000)), (_MANIFEST, _WHOLE)]),
}
