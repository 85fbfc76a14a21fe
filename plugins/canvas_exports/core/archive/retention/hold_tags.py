"""Putting tags on stored copies, and lifting them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.archive.retention.holds import LIFTED, SET, tags_on
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import YEARS, format_time
from canvas_exports.errors import ArchiveUnavailableError, InputError, UnreadableDocumentError

SCHEMA = "urn:canvas-exports:hold:1"
_TAG = re.compile(r"[a-z]{1,12}")
_LATER = timedelta(seconds=1)  # than the record before, for names tell time in seconds


def put_tag(
    store: Store, copies: Iterable[Copy], tag: str, *, at: datetime, lift: bool = False
) -> tuple[str, ...]:
    """Put a tag on the packages of copies, or lift it: a record beside each manifest, under any policy a hold.

    A package on which the tag stands already (or does not) is passed over. Copies that are made later are not held.

    Args:
        store: the archive.
        copies: of any contexts. A package that several of them name is held once, for all.
        tag: a word of 1 to 12 letters ``a-z``: why. Never a person's name: it stands in the record's name.
        at: the time, aware of its zone.
        lift: end the hold.

    Returns:
        The keys of the records that were written.

    Raises:
        InputError: the tag is no such word.
        ArchiveDeniedError: no right to write (permanent).
        ArchiveUnavailableError: the store failed, or somebody else did the same in this second (retryable).
    """
    if not _TAG.fullmatch(tag):
        raise InputError("tag", f"{tag!r} is not a tag", accepted="1 to 12 letters of a-z, such as legal")
    state = LIFTED if lift else SET
    document = {"schema": SCHEMA, "tag": tag, "state": state, "at": format_time(at)}
    if wrong := problem("hold-1", document):
        raise ValueError(f"not a hold: {wrong}")
    written = {}
    for copy in copies:
        moment = max([at, *(record.at + _LATER for record in copy.records if record.kind is RecordKind.HOLD)])
        if moment.year not in YEARS:
            raise UnreadableDocumentError("a hold on it is of the end of time: delete that one", key=copy.key)
        name = RecordName(manifest_key(copy.package.key), RecordKind.HOLD, moment, tag, state)
        if name.key not in written and (tag in tags_on(copy.records)) == lift:
            if not store.put_if_absent(name.key, json.dumps(document, indent=2).encode() + b"\n"):
                raise ArchiveUnavailableError("the record is there already; try again", key=name.key)
            written[name.key] = name
    return tuple(written)
