"""Write a change probe as one short text, as a checkpoint holds up to 200 of them."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from canvas_exports.core.model.probes import ProbeFacts
from canvas_exports.core.text.wording import YEARS

_UNKNOWN = "-"
_FLAGS = {None: _UNKNOWN, True: "1", False: "0"}
_TEXT = re.compile(
    r"(?P<read_at>[0-9]{1,11}) (?P<source>[a-z-]{1,20}) (?P<fingerprint>-|[0-9a-f]{64}) (?P<version>[0-9]{1,9}) "
    r"(?P<new_quizzes>[01-]) (?P<updated_at>.{0,64})"
)


def probe_to_text(probe: ProbeFacts) -> str:
    """Return what was read, in some 130 characters; the results of comparisons are left out: they come after the export."""
    return " ".join(
        (
            str(int(probe.read_at.timestamp())),
            probe.source or _UNKNOWN,
            probe.fingerprint or _UNKNOWN,
            str(probe.fingerprint_version),
            _FLAGS[probe.new_quizzes],
            probe.updated_at or "",
        )
    )


def probe_from_text(text: object) -> ProbeFacts | None:
    """Read the inverse of ``probe_to_text``; ``None`` if it is none: then the copy is stored without a probe."""
    found = _TEXT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    known = {name: None if value == _UNKNOWN else value for name, value in found.groupdict().items()}
    try:
        read_at = datetime.fromtimestamp(int(found["read_at"]), timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    if read_at.year not in YEARS:
        return None
    return ProbeFacts(
        read_at=read_at,
        updated_at=known["updated_at"] or None,
        source=known["source"],
        fingerprint=known["fingerprint"],
        fingerprint_version=int(found["version"]),
        new_quizzes={value: flag for flag, value in _FLAGS.items()}[found["new_quizzes"]],
    )
