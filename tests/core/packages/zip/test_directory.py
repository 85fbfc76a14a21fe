from __future__ import annotations

import io
import random
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.packages.build import EMPTY_ZIP, real, zipped
from tests.support.packages.stored import buffered

from canvas_exports.core.packages.random_access import BytesNotKeptError
from canvas_exports.core.packages.zip.directory import inflate, read_directory
from canvas_exports.errors import CorruptPackageError

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\\"), min_size=1, max_size=30)
FILES = st.dictionaries(NAMES, st.binary(max_size=300), max_size=8)


def patched(data: bytes, at: int, form: str, *values: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(form, changed, at if at >= 0 else len(data) + at, *values)
    return bytes(changed)


def entry(data: bytes, number: int) -> int:
    """Where an entry of the directory begins."""
    at = struct.unpack_from("<L", data, len(data) - 6)[0]
    for _ in range(number):
        names = struct.unpack_from("<3H", data, at + 28)
        at += 46 + sum(names)
    return int(at)


@settings(max_examples=100)
@given(files=FILES, zip64=st.booleans(), stored=st.booleans())
def test_the_directory_is_what_zipfile_reads(files: dict[str, bytes], zip64: bool, stored: bool) -> None:
    data = zipped(files, zip64=zip64, method=zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    members = read_directory(buffered(data))
    with zipfile.ZipFile(io.BytesIO(data)) as known:
        expected = [
            (info.filename, info.file_size, info.compress_size, info.CRC) for info in known.infolist()
        ]
        assert [(member.name, member.size, member.compressed, member.crc) for member in members] == expected
        for member in members:
            assert b"".join(inflate(member, buffered(data), limit=1000)) == known.read(member.name)


@settings(max_examples=100)
@given(files=FILES.filter(bool), data=st.data())
def test_a_cut_package_is_always_noticed(files: dict[str, bytes], data: st.DataObject) -> None:
    package = zipped(files)
    length = data.draw(st.integers(0, len(package) - 1))
    with pytest.raises(CorruptPackageError):
        read_directory(buffered(package[:length]))


def test_a_damaged_directory_never_raises_anything_else() -> None:
    whole = zipped({"a": b"1" * 50, "b/": b"", "b/c": b"2" * 50}, zip64=True)
    dice = random.Random(7)  # noqa: S311 - a repeatable one
    noticed = 0
    for _ in range(2000):
        broken = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        try:
            for member in read_directory(buffered(bytes(broken))):
                for _ in inflate(member, buffered(bytes(broken)), limit=1000):
                    pass
        except CorruptPackageError:
            noticed += 1
    assert noticed > 1300


def test_real_cartridges_are_read() -> None:
    for name, count in (("canvas_cc_gem_course", 20), ("latex", 14), ("single-page", 10)):
        assert len(read_directory(buffered(real(name)))) == count


def test_the_archive_of_nothing_is_a_zip() -> None:
    assert read_directory(buffered(EMPTY_ZIP)) == []


def test_names_are_utf8_with_or_without_the_flag_and_old_ones_are_read_too() -> None:
    data = zipped({"données/été.html": b"x"})
    at = entry(data, 0)
    assert struct.unpack_from("<H", data, at + 8)[0] & 0x800
    unflagged = patched(data, at + 8, "<H", 0)
    assert [member.name for member in read_directory(buffered(unflagged))] == ["données/été.html"]
    old = zipped({"caf?.txt": b"x"}).replace(b"caf?", b"caf\x82")
    assert [member.name for member in read_directory(buffered(old))] == ["café.txt"]


def test_a_comment_after_the_end_record_is_fine_and_anything_else_is_not() -> None:
    data = zipped({"a": b"1"})
    commented = patched(data, -2, "<H", 4) + b"PK\x05\x06"
    assert len(read_directory(buffered(commented))) == 1
    with pytest.raises(CorruptPackageError, match="end is missing"):
        read_directory(buffered(data + b"\n"))


def commented(data: bytes, comment: bytes) -> bytes:
    return patched(data, -2, "<H", len(comment)) + comment


END = b"PK\x05\x06" + bytes(18)
FAKES = {
    "an end of nothing": END,
    "two ends of nothing": END + END,
    "an end that points elsewhere": patched(END, 8, "<2H2L", 1, 1, 46, 7),
    "an end whose comment reaches the end": patched(END, 20, "<H", 5) + b"hello",
    "an end of several parts": patched(END, 4, "<2H", 1, 1),
    "an end after a false locator": b"PK\x06\x07" + bytes(16) + END,
    "an end after a locator of what is no record": b"PK\x06\x07" + struct.pack("<LQL", 0, 5, 1) + END,
    "a signature and nothing else": b"PK\x05\x06",
}


@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("fake", FAKES.values(), ids=FAKES.keys())
def test_an_end_record_inside_the_comment_is_a_comment(fake: bytes, zip64: bool) -> None:
    data = zipped({"a": b"1", "b/c": b"2"}, zip64=zip64)
    for comment in (fake, b"before " + fake, fake * 3):
        members = read_directory(buffered(commented(data, comment)))
        assert [member.name for member in members] == ["a", "b/c"]


@settings(max_examples=100)
@given(
    files=FILES,
    comment=st.lists(st.sampled_from([END, b"PK\x05\x06", b"PK\x06\x07", b"x", b"\0" * 9]), max_size=9),
)
def test_whatever_stands_in_the_comment_the_directory_is_the_same(
    files: dict[str, bytes], comment: list[bytes]
) -> None:
    data = zipped(files)
    assert read_directory(buffered(commented(data, b"".join(comment)))) == read_directory(buffered(data))


def test_a_locator_that_is_only_the_comment_of_the_last_entry_is_no_locator() -> None:
    data = zipped({"a": b"1"})
    at = entry(data, 0)
    likeness = b"PK\x06\x07" + bytes(16)
    longer = data[:-22] + likeness + data[-22:]
    longer = patched(longer, at + 32, "<H", len(likeness))
    length = len(data) - 22 - at + len(likeness)
    assert [member.name for member in read_directory(buffered(patched(longer, -10, "<L", length)))] == ["a"]


def test_a_zip_with_two_directories_is_refused() -> None:
    """Programs differ on which one counts: who looks at it sees other files than who imports it."""
    data = zipped({"a": b"1"})
    at = entry(data, 0)
    line = data[at:-22]
    shift = len(data)
    second = line + patched(data[-22:], 16, "<L", shift)
    with pytest.raises(CorruptPackageError, match="two directories"):
        read_directory(buffered(commented(data, second)))


def test_a_real_end_that_is_damaged_is_not_replaced_by_one_in_the_comment() -> None:
    data = commented(zipped({"a": b"1"}), END)
    with pytest.raises(CorruptPackageError):
        read_directory(buffered(patched(data, len(data) - 22 - 22 + 16, "<L", 3)))


TWO = zipped({"first": b"1" * 100, "second": b"2" * 100}, method=zipfile.ZIP_STORED)
DIRECTORY = entry(TWO, 0)
LIES = {
    "counts more members than it lists": (patched(TWO, -14, "<2H", 3, 3), "lists 2 members"),
    "claims to be part of a set": (patched(TWO, -18, "<H", 1), "several parts"),
    "counts differently on this disk": (patched(TWO, -14, "<H", 1), "several parts"),
    "ends before its end record": (patched(TWO, -10, "<L", 90), "does not end where"),
    "begins later than it does": (patched(TWO, -6, "<L", DIRECTORY + 1), "does not end where"),
    "has a member that overlaps": (patched(TWO, entry(TWO, 1) + 42, "<L", 100), "overlaps"),
    "has a member outside of the file": (patched(TWO, entry(TWO, 1) + 42, "<L", 9999), "outside"),
    "has a member that is too long": (patched(TWO, entry(TWO, 1) + 20, "<L", 9999), "outside"),
    "has a damaged entry": (patched(TWO, entry(TWO, 1), "<L", 0), "damaged"),
    "has a name that does not end": (patched(TWO, entry(TWO, 1) + 28, "<H", 9999), "damaged"),
    "does not begin with a member": (patched(TWO, entry(TWO, 0) + 42, "<L", 1), "first member"),
    "is not a zip": (b"<html>Log in</html>", "not a zip"),
    "is not there": (b"", "not a zip"),
}


@pytest.mark.parametrize(("data", "reason"), LIES.values(), ids=LIES.keys())
def test_a_directory_that_lies_is_corrupt(data: bytes, reason: str) -> None:
    with pytest.raises(CorruptPackageError, match=reason):
        read_directory(buffered(data))


def test_bytes_that_no_member_accounts_for_are_corrupt() -> None:
    hidden = 70_000
    data = patched(TWO, -6, "<L", DIRECTORY + hidden)
    with pytest.raises(CorruptPackageError, match="belong to no member"):
        read_directory(buffered(data[:DIRECTORY] + bytes(hidden) + data[DIRECTORY:]))


def test_a_zip64_record_in_another_place_is_corrupt() -> None:
    data = zipped({"a": b"1"}, zip64=True)
    locator = data.rindex(b"PK\x06\x07")
    for at, value in ((locator + 8, 0), (locator + 8, len(data))):
        with pytest.raises(CorruptPackageError, match="zip64"):
            read_directory(buffered(patched(data, at, "<Q", value)))


def test_a_claim_of_millions_of_members_is_refused_before_they_are_read() -> None:
    data = zipped({"a": b"1"}, zip64=True)
    record = data.rindex(b"PK\x06\x06")
    with pytest.raises(CorruptPackageError, match="no course has more"):
        read_directory(buffered(patched(data, record + 24, "<2Q", 10**7, 10**7)))


def test_a_directory_longer_than_what_was_kept_is_asked_for() -> None:
    data = zipped({f"{number:05}": b"" for number in range(2000)})
    with pytest.raises(BytesNotKeptError) as raised:
        read_directory(buffered(data, tail=70_000))
    assert len(read_directory(buffered(data, raised.value.missing, tail=70_000))) == 2000


def only(data: bytes) -> bytes:
    members = read_directory(buffered(data))
    return b"".join(inflate(members[-1], buffered(data), limit=10_000))


def test_a_member_that_is_not_what_the_directory_says_is_corrupt() -> None:
    data = zipped({"page": b"hello " * 50})
    at = entry(data, 0)
    with pytest.raises(CorruptPackageError, match="not the member"):
        only(patched(data, at + 16, "<L", 1234))
    with pytest.raises(CorruptPackageError, match="not the member"):
        only(patched(data, at + 24, "<L", 299))
    with pytest.raises(CorruptPackageError, match="is not where"):
        only(patched(data, 0, "<L", 0))
    with pytest.raises(CorruptPackageError, match="cannot be inflated"):
        only(data[:34] + b"\xff" * 6 + data[40:])


@pytest.mark.parametrize(("at", "value"), [(8, 1), (10, 12)], ids=["encrypted", "bzip2"])
def test_packing_that_canvas_does_not_use_is_corrupt(at: int, value: int) -> None:
    data = zipped({"page": b"x" * 50}, method=zipfile.ZIP_STORED)
    both = patched(patched(data, entry(data, 0) + at, "<H", value), at - 2, "<H", value)
    with pytest.raises(CorruptPackageError, match="a way that Canvas does not use"):
        only(both)


def test_a_bomb_is_inflated_no_further_than_it_claims() -> None:
    bomb = zipped({"imsmanifest.xml": b"\0" * 5_000_000})
    with pytest.raises(CorruptPackageError, match="more than"):
        only(bomb)
    modest = patched(bomb, entry(bomb, 0) + 24, "<L", 5000)
    members = read_directory(buffered(modest))
    pieces: list[bytes] = []
    with pytest.raises(CorruptPackageError, match="not the member"):
        pieces.extend(inflate(members[0], buffered(modest), limit=10_000))
    assert sum(map(len, pieces)) <= 5001
