"""Collect the findings of a proof, most severe first, and at most as many as a person reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from canvas_exports.core.packages.proof import Finding, Severity

MAX_FINDINGS = 200
MAX_MESSAGE = 500
MAX_MEMBER = 1_000
_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)


class Findings:
    """Collect findings in bounded memory: keep the first of each severity and count the others."""

    def __init__(self) -> None:
        self._kept: dict[Severity, list[Finding]] = {severity: [] for severity in _ORDER}
        self._seen: Counter[Severity] = Counter()

    @property
    def has_errors(self) -> bool:
        """Return whether content is missing: there is a finding of severity ``error``."""
        return self._seen[Severity.ERROR] > 0

    def add(self, finding: Finding) -> None:
        """Add a finding, shortened if it is long."""
        self._seen[finding.severity] += 1
        kept = self._kept[finding.severity]
        if len(kept) < MAX_FINDINGS:
            kept.append(_shortened(finding))

    def update(self, findings: Iterable[Finding]) -> None:
        """Add several findings."""
        for finding in findings:
            self.add(finding)

    def most_severe(self) -> tuple[Finding, ...]:
        """Return the most severe findings, and the number of the others as a last one."""
        found = [finding for severity in _ORDER for finding in self._kept[severity]]
        rest = self._seen.total() - min(len(found), MAX_FINDINGS)
        if not rest:
            return tuple(found)
        severity = found[MAX_FINDINGS].severity if len(found) > MAX_FINDINGS else found[-1].severity
        return (*found[:MAX_FINDINGS], Finding("more_findings", severity, f"and {rest:,} more findings"))


def _shortened(finding: Finding) -> Finding:
    message, member = finding.message, finding.member
    if len(message) <= MAX_MESSAGE and (member is None or len(member) <= MAX_MEMBER):
        return finding
    return replace(finding, message=_cut(message, MAX_MESSAGE), member=member and _cut(member, MAX_MEMBER))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
