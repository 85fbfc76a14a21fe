"""Zips written by hand: what stands before a member, after it, and in the directory can each be made to lie."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_LOCAL = struct.Struct("<4s5HLLL2H")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_END = struct.Struct("<4s4H2LH")


@dataclass
class Entry:
    """A member. ``local`` and ``central`` replace what its header and its line in the directory truthfully say."""

    name: str
    content: bytes = b""
    method: int = 8
    flags: int = 0
    descriptor: bool = False
    zip64: bool = False
    signed: bool = True
    packed: bytes | None = None
    after: bytes = b""
    extra: bytes = b""
    mode: int = 0
    local: Mapping[str, int | str] = field(default_factory=dict)
    central: Mapping[str, int | str] = field(default_factory=dict)
    lying_descriptor: Mapping[str, int] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        """What lies in the zip."""
        if self.packed is not None:
            return self.packed
        if self.method != 8:
            return self.content
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        return packer.compress(self.content) + packer.flush()

    def facts(self, lies: Mapping[str, int | str]) -> dict[str, int | str]:
        """What is said of it."""
        return {
            "name": self.name,
            "method": self.method,
            "flags": self.flags | (8 if self.descriptor else 0),
            "crc": zlib.crc32(self.content),
            "compressed": len(self.data),
            "size": len(self.content),
            **lies,
        }

    def header(self) -> bytes:
        """The local header, with name and extra field."""
        lies = dict(self.local)
        if self.descriptor:
            lies = {"crc": 0, "compressed": 0, "size": 0, **lies}
        said = self.facts(lies)
        name = str(said["name"]).encode()
        sizes, extra = (said["compressed"], said["size"]), self.extra
        if self.zip64:
            extra = struct.pack("<2H2Q", 1, 16, said["size"], said["compressed"]) + extra
            sizes = (0xFFFFFFFF, 0xFFFFFFFF)
        head = (b"PK\x03\x04", 20, said["flags"], said["method"], 0, 0, said["crc"], *sizes)
        return _LOCAL.pack(*head, len(name), len(extra)) + name + extra

    def trailer(self) -> bytes:
        """The data descriptor, if there is one, and whatever else lies there."""
        if not self.descriptor:
            return self.after
        said = self.facts(self.lying_descriptor)
        form = "<L2Q" if self.zip64 else "<3L"
        record = struct.pack(form, said["crc"], said["compressed"], said["size"])
        return (b"PK\x07\x08" if self.signed else b"") + record + self.after

    def line(self, offset: int) -> bytes:
        """The line in the directory."""
        said = self.facts(self.central)
        name = str(said["name"]).encode()
        sizes, extra = (said["compressed"], said["size"]), b""
        if self.zip64:
            extra = struct.pack("<2H2Q", 1, 16, said["size"], said["compressed"])
            sizes = (0xFFFFFFFF, 0xFFFFFFFF)
        head = (b"PK\x01\x02", 20, 3, 20, 0, said["flags"], said["method"], 0, 0, said["crc"], *sizes)
        return (
            _ENTRY.pack(*head, len(name), len(extra), 0, 0, 0, self.mode << 16, said.get("offset", offset))
            + name
            + extra
        )


def packed_zip(entries: Iterable[Entry], *, count_off_by: int = 0) -> bytes:
    """The zip of these entries, in their order."""
    body, lines = b"", []
    for entry in entries:
        lines.append(entry.line(len(body)))
        body += entry.header() + entry.data + entry.trailer()
    directory = b"".join(lines)
    count = len(lines) + count_off_by
    return body + directory + _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)


def entries_of(files: Mapping[str, bytes], *, method: int = 8) -> list[Entry]:
    """Truthful entries; names that end in a slash are folders."""
    return [
        Entry(name, content, method=0 if name.endswith("/") else method) for name, content in files.items()
    ]
