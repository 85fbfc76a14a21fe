"""What a proof noticed, gravest first, and no more of it than a person reads: a package may be wrong in a million places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from canvas_exports.core.packages.proof import Finding, Severity

MOST = 200
LONGEST_MESSAGE = 500
LONGEST_MEMBER = 1_000
_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)


class Findings:
    """Collects findings in bounded memory: of each severity the first are kept, the others counted."""

    def __init__(self) -> None:
        self._kept: dict[Severity, list[Finding]] = {severity: [] for severity in _ORDER}
        self._seen: Counter[Severity] = Counter()

    @property
    def has_errors(self) -> bool:
        """Whether content is missing."""
        return self._seen[Severity.ERROR] > 0

    def add(self, finding: Finding) -> None:
        """Remember one, shortened where it is long."""
        self._seen[finding.severity] += 1
        kept = self._kept[finding.severity]
        if len(kept) < MOST:
            kept.append(_shortened(finding))

    def update(self, findings: Iterable[Finding]) -> None:
        """Remember several."""
        for finding in findings:
            self.add(finding)

    def gravest(self) -> tuple[Finding, ...]:
        """The gravest, and how many more there are."""
        found = [finding for severity in _ORDER for finding in self._kept[severity]]
        rest = self._seen.total() - min(len(found), MOST)
        if not rest:
            return tuple(found)
        severity = found[MOST].severity if len(found) > MOST else found[-1].severity
        return (*found[:MOST], Finding("more_findings", severity, f"and {rest:,} more findings"))


def _shortened(finding: Finding) -> Finding:
    message, member = finding.message, finding.member
    if len(message) <= LONGEST_MESSAGE and (member is None or len(member) <= LONGEST_MEMBER):
        return finding
    return replace(
        finding, message=_cut(message, LONGEST_MESSAGE), member=member and _cut(member, LONGEST_MEMBER)
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
