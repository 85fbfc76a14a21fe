"""Holds: what no rule deletes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import YEARS, format_time
from canvas_exports.errors import ArchiveUnavailableError, InputError, UnreadableDocumentError

SET, LIFTED = "set", "lifted"

_ACCEPTED = "a Canvas number, sis_course_id:BIO-101, uuid:..., group:7, sis_group_id:... or user:3"
_SIS = ("sis_course_id", "sis_group_id", "sis_user_id")


@dataclass(frozen=True)
class Holds:
    """What a policy holds, whatever its rules say. Tags hold under every policy and are not named here.

    Attributes:
        contexts: courses, groups and users, by what a manifest tells of them: number, SIS id or uuid.
        terms: names of terms, as Canvas shows them; case does not matter.

    Raises:
        InputError: a context by something that no manifest tells.
    """

    contexts: tuple[Context, ...] = ()
    terms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for context in self.contexts:
            if context.canvas_id is None and _asked(context) not in (*_SIS, "uuid"):
                raise InputError(
                    "hold.courses", f"no manifest tells which copies are of {context}", accepted=_ACCEPTED
                )

    @classmethod
    def of(cls, courses: Iterable[str | int] = (), terms: Iterable[str | int] = ()) -> Holds:
        """From what a person wrote.

        Raises:
            InputError: not a context, or one by something that no manifest tells.
        """
        return cls(
            tuple(Context.parse(text, field="hold.courses") for text in courses),
            tuple(str(term).strip() for term in terms),
        )

    def on(self, copies: Sequence[Copy]) -> dict[str, tuple[str, ...]]:
        """Which holds lie on the copies of one context, by the key of the manifest.

        An SIS id may be missing in some manifests, or change: one copy that bears it holds all of its context.
        """
        names = [str(context) for context in self.contexts if any(_is(copy, context) for copy in copies)]
        found = {}
        for copy in copies:
            terms = [term for term in self.terms if term.casefold() == (copy.context.term or "").casefold()]
            tags = tags_on(copy.records)
            held = (
                *(f"hold {name}" for name in names),
                *(f"hold term {term}" for term in terms),
                *(f"hold tag {tag}" for tag in tags),
            )
            if held:
                found[copy.key] = held
        return found

    def sentence(self) -> str:
        """Which copies no rule deletes, tags among them."""
        named = [str(context) for context in self.contexts]
        named += [f"the term {term}" for term in self.terms]
        parts = [f"those of {each}" for each in named] + ["those with a tag"]
        listed = ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]
        return f"Held whatever their age: {listed}."


def tags_on(records: Iterable[RecordName]) -> tuple[str, ...]:
    """The tags that stand on a package: put on it, and not lifted since."""
    last: dict[str, RecordName] = {}
    for record in records:
        if record.kind is RecordKind.HOLD:
            known = last.get(record.detail)
            # Of two in one second, the one that holds counts.
            if known is None or (record.at, record.result != LIFTED) > (known.at, known.result != LIFTED):
                last[record.detail] = record
    return tuple(sorted(tag for tag, record in last.items() if record.result != LIFTED))


def _asked(context: Context) -> str:
    return context.id.partition(":")[0]


def _is(copy: Copy, context: Context) -> bool:
    facts = copy.context
    if facts.kind != context.kind.value:
        return False
    if context.canvas_id is not None:
        return facts.id == context.canvas_id
    asked, _, value = context.id.partition(":")
    return value == (facts.uuid if asked == "uuid" else facts.sis_id)


def unmatched(holds: Holds, seen: Iterator[str] | Iterable[str]) -> tuple[str, ...]:
    """The policy's own holds that lie on no copy: a misspelt one protects nothing."""
    known = set(seen)
    named = [f"hold {context}" for context in holds.contexts] + [f"hold term {term}" for term in holds.terms]
    return tuple(name for name in named if name not in known)


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
