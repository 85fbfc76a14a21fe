"""Holds: copies that no rule deletes, by the policy or by a tag beside the copy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.model.contexts import SIS_FIELDS, Context
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import YEARS, format_time, join_words
from canvas_exports.errors import ArchiveUnavailableError, InputError, UnreadableDocumentError

if TYPE_CHECKING:  # a DAG is parsed without the catalog
    from canvas_exports.core.archive.catalog.copies import Copy

SET, LIFTED = "set", "lifted"
#: The tag of copies from before an alarm; see ``archive.alarms``.
ALARM = "alarm"

SCHEMA = "urn:canvas-exports:hold:1"

_ACCEPTED = "a Canvas number, sis_course_id:BIO-101, uuid:..., group:7, sis_group_id:... or user:3"
_TAG = re.compile(r"[a-z]{1,12}")
_LATER = timedelta(seconds=1)  # than the record before: the names of records have whole seconds


@dataclass(frozen=True)
class Holds:
    """The holds of a policy. Tags hold under every policy and are not part of it.

    Attributes:
        contexts: courses, groups and users, by an id that manifests contain: number, SIS id or uuid.
        terms: names of terms, as Canvas shows them, in any case.

    Raises:
        InputError: a context is named by an id that no manifest contains (permanent).
    """

    contexts: tuple[Context, ...] = ()
    terms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for context in self.contexts:
            if context.canvas_id is None and _id_field(context) not in (*SIS_FIELDS, "uuid"):
                raise InputError(
                    "hold.courses",
                    f"no manifest contains this id, so the copies of {context} are unknown",
                    accepted=_ACCEPTED,
                )

    @classmethod
    def of(cls, courses: Iterable[str | int] = (), terms: Iterable[str | int] = ()) -> Holds:
        """Parse holds from courses and terms as a person writes them.

        Raises:
            InputError: not a context, or one by an id that no manifest contains (permanent).
        """
        return cls(
            tuple(Context.parse(text, field="hold.courses") for text in courses),
            tuple(str(term).strip() for term in terms),
        )

    def on(self, copies: Sequence[Copy]) -> dict[str, tuple[str, ...]]:
        """Return the holds on each copy of one context, by the key of its manifest.

        An SIS id may be absent from some manifests, or change: if one copy has it, all copies of the context are held.
        """
        names = [str(context) for context in self.contexts if any(_is(copy, context) for copy in copies)]
        found = {}
        for copy in copies:
            terms = [term for term in self.terms if term.casefold() == (copy.context.term or "").casefold()]
            tags = tags_on(copy.records)
            holds = (
                *(f"hold {name}" for name in names),
                *(f"hold term {term}" for term in terms),
                *(f"hold tag {tag}" for tag in tags),
            )
            if holds:
                found[copy.key] = holds
        return found

    def sentence(self) -> str:
        """Describe in English which copies no rule deletes."""
        named = [str(context) for context in self.contexts]
        named += [f"the term {term}" for term in self.terms]
        parts = [f"those of {each}" for each in named] + ["those with a tag"]
        return f"Held whatever their age: {join_words(parts)}."


def tags_on(records: Iterable[RecordName]) -> tuple[str, ...]:
    """Return the tags of a package that were set and not lifted since."""
    last: dict[str, RecordName] = {}
    for record in records:
        if record.kind is RecordKind.HOLD:
            known = last.get(record.detail)
            # Of two in one second, the one that sets the tag counts.
            if known is None or (record.at, record.result != LIFTED) > (known.at, known.result != LIFTED):
                last[record.detail] = record
    return tuple(sorted(tag for tag, record in last.items() if record.result != LIFTED))


def _id_field(context: Context) -> str:
    return context.id.partition(":")[0]


def _is(copy: Copy, context: Context) -> bool:
    facts = copy.context
    if facts.kind != context.kind.value:
        return False
    if context.canvas_id is not None:
        return facts.id == context.canvas_id
    field, _, value = context.id.partition(":")
    return value == (facts.uuid if field == "uuid" else facts.sis_id)


def unmatched(holds: Holds, seen: Iterator[str] | Iterable[str]) -> tuple[str, ...]:
    """Return the holds of a policy that match no copy, such as misspelt ones."""
    known = set(seen)
    named = [f"hold {context}" for context in holds.contexts] + [f"hold term {term}" for term in holds.terms]
    return tuple(name for name in named if name not in known)


def put_tag(
    store: Store,
    copies: Iterable[Copy],
    tag: str,
    *,
    at: datetime,
    lift: bool = False,
    alarms: Sequence[Alarm] = (),
) -> tuple[str, ...]:
    """Set a tag on the packages of copies, or lift it, by a record beside each manifest. It holds under any policy.

    A package that has the tag already (or, to lift it, does not have it) is skipped, unless there are alarms to be recorded.
    Later copies are not held.

    Args:
        store: the archive.
        copies: of any contexts. A package that several copies name gets one record.
        tag: the reason: a word of 1 to 12 letters ``a-z``. Never a person's name: the key of the record contains it.
        at: the time, with its time zone.
        lift: end the hold.
        alarms: why the tag is set, with the evidence.

    Returns:
        The keys of the records that were written.

    Raises:
        InputError: the tag is not such a word (permanent).
        ArchiveDeniedError: no right to write (permanent).
        ArchiveUnavailableError: the store failed, or another process wrote the same record in this second (retryable).
    """
    if not _TAG.fullmatch(tag):
        raise InputError("tag", f"{tag!r} is not a tag", accepted="1 to 12 letters of a-z, such as legal")
    state = LIFTED if lift else SET
    document: dict[str, Any] = {"schema": SCHEMA, "tag": tag, "state": state, "at": format_time(at)}
    if alarms:
        document["alarms"] = [alarm.to_json() for alarm in alarms]
    if wrong := problem("hold-1", document):
        raise ValueError(f"not a hold: {wrong}")
    written = {}
    for copy in copies:
        moment = max([at, *(record.at + _LATER for record in copy.records if record.kind is RecordKind.HOLD)])
        if moment.year not in YEARS:
            raise UnreadableDocumentError(
                "a hold on it is dated in the last year there is: delete that record", key=copy.key
            )
        name = RecordName(manifest_key(copy.package.key), RecordKind.HOLD, moment, tag, state)
        if name.key not in written and (alarms or (tag in tags_on(copy.records)) == lift):
            is_new = store.put_if_absent(name.key, json.dumps(document, indent=2).encode() + b"\n")
            if not is_new and not alarms:  # who records an alarm in the same second records the same one
                raise ArchiveUnavailableError("the record exists already; try again", key=name.key)
            written[name.key] = name
    return tuple(written)
