"""The XML of lists: whatever a store sends, a name is read as it is, or is none of ours; and nothing but our own error comes out."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.storage.cloud.xml_lists import read_list
from canvas_exports.core.storage.object_keys import is_key
from canvas_exports.errors import ArchiveUnavailableError

NAMES = st.one_of(
    st.text(min_size=1, max_size=80),
    st.from_regex(r"courses/[0-9]{1,4}/[A-Za-z0-9._=-]{1,40}", fullmatch=True),
    st.from_regex(r"[a-z/.+%&<\x00-\x1f]{1,30}", fullmatch=True),
)


def listed(text: str) -> list[dict[str, str]]:
    document = f"<ListBucketResult><IsTruncated>false</IsTruncated>{text}</ListBucketResult>"
    return read_list(document.encode(errors="replace"), "Contents")[0]


@given(names=st.lists(NAMES.filter(lambda name: name.encode(errors="ignore").decode() == name), max_size=5))
def test_an_encoded_name_is_read_as_it_is(names: list[str]) -> None:
    rows = "".join(f"<Contents><Key>{quote(name)}</Key></Contents>" for name in names)
    assert [row["Key"] for row in listed(f"<EncodingType>url</EncodingType>{rows}")] == names


@given(names=st.lists(NAMES, max_size=5))
def test_a_name_that_is_not_encoded_is_read_as_it_is_if_it_can_be_one_of_ours_and_else_is_none(
    names: list[str],
) -> None:
    def written(name: str) -> str:
        return "".join(each if each >= " " else f"&#x{ord(each):x};" for each in escape(name))

    rows = listed("".join(f"<Contents><Key>{written(name)}</Key></Contents>" for name in names))
    assert len(rows) == len(names)
    for row, name in zip(rows, names, strict=True):
        assert is_key(row.get("Key", "")) == is_key(name)
        if is_key(name):
            assert row["Key"] == name


@given(
    document=st.one_of(
        st.binary(max_size=400), st.text(max_size=400).map(lambda text: text.encode(errors="replace"))
    )
)
def test_whatever_is_sent_nothing_but_our_own_error_comes_out(document: bytes) -> None:
    for around in (b"%s", b"<L><Contents><Key>%s</Key></Contents></L>", b"<L>%s"):
        with suppress(ArchiveUnavailableError):
            read_list(around.replace(b"%s", document), "Contents")


def test_a_document_type_is_refused() -> None:
    bomb = b"<!DOCTYPE l [<!ENTITY a 'xxxxxxxxxx'><!ENTITY b '&a;&a;&a;'>]><l><Contents><Key>&b;</Key></Contents></l>"
    with pytest.raises(ArchiveUnavailableError):
        read_list(bomb, "Contents")
