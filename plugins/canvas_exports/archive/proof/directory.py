"""The proof at level ``directory``: is this package whole, and is it the one that was asked for?"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from canvas_exports.archive.held import Held, OutOfReachError
from canvas_exports.archive.proof import cartridge
from canvas_exports.archive.proof.content_digest import content_digest
from canvas_exports.archive.proof.model import Expectation, Finding, Proof, ProofLevel, Severity, Verdict
from canvas_exports.archive.proof.references import match
from canvas_exports.archive.proof.zip_directory import Member, check_size, inflate, read_directory
from canvas_exports.errors import CorruptPackageError, WrongPackageError

_MAX_FINDINGS = 200
_GLOBAL = (
    10**13
)  # Canvas numbers the objects of shard 2 from 2 * 10^13; on their own shard they go without it


def prove(held: Held, expect: Expectation) -> Proof:
    """Inspect a package at level ``DIRECTORY``.

    Args:
        held: the package, or what was kept of it; its ``size`` is the number of bytes that arrived.
        expect: what it must be.

    Raises:
        CorruptPackageError: of another length, not a zip, truncated, a directory that lies, or a cartridge without
            a sound manifest (retryable).
        WrongPackageError: the cartridge names another course or another Canvas (permanent).
        OutOfReachError: the proof needs bytes that were not kept.
    """
    if expect.size is not None and held.size != expect.size:
        raise CorruptPackageError(f"{held.size:,} bytes arrived of the {expect.size:,} that Canvas announced")
    members = read_directory(held)
    findings = list(_names(members))
    counts = {
        "files": sum(not member.is_folder for member in members),
        "folders": sum(member.is_folder for member in members),
        "bytes": sum(member.size for member in members),
    }
    manifest = None
    if expect.export_type != "zip":
        found, more = _contents(members, held, expect)
        manifest = inflate(_manifest_of(members), held, limit=cartridge.MAX_MANIFEST)
        findings += found
        counts |= more
    return Proof(
        level=ProofLevel.DIRECTORY,
        verdict=_verdict(findings, members, expect),
        findings=_bounded(findings),
        member_count=counts["files"],
        content_digest=content_digest(members, manifest),
        counts=counts,
    )


def _verdict(findings: list[Finding], members: list[Member], expect: Expectation) -> Verdict:
    if any(finding.severity is Severity.ERROR for finding in findings):
        return Verdict.INCOMPLETE
    return Verdict.WHOLE if any(_is_content(member, expect) for member in members) else Verdict.EMPTY


def _is_content(member: Member, expect: Expectation) -> bool:
    """Whether a person put it there: every cartridge has a manifest and settings, that of an empty course too."""
    if member.is_folder:
        return False
    if expect.export_type == "zip":
        return True
    if member.name == "course_settings/syllabus.html":
        return True
    return member.name != cartridge.MANIFEST and not member.name.startswith("course_settings/")


def _names(members: list[Member]) -> Iterator[Finding]:
    seen: set[str] = set()
    for member in members:
        if member.name in seen:
            if member.name in (cartridge.MANIFEST, cartridge.CONTEXT):
                raise CorruptPackageError(f"the zip holds {member.name} twice")
            yield Finding("duplicate_name", Severity.WARNING, "two members share a name", member.name)
        seen.add(member.name)
        if member.name.startswith("/") or "\\" in member.name or ".." in member.name.split("/"):
            yield Finding("unsafe_name", Severity.WARNING, "the name leads out of the package", member.name)


def _contents(members: list[Member], held: Held, expect: Expectation) -> tuple[list[Finding], dict[str, int]]:
    """What a cartridge's own manifest and context say."""
    by_name = {member.name: member for member in members if not member.is_folder}
    if cartridge.MANIFEST not in by_name:
        raise CorruptPackageError(f"there is no {cartridge.MANIFEST} in the package")
    _within_reach(held, by_name)
    findings = list(_identity(by_name.get(cartridge.CONTEXT), held, expect))
    manifest = cartridge.read_manifest(
        inflate(by_name[cartridge.MANIFEST], held, limit=cartridge.MAX_MANIFEST)
    )
    matched = match(manifest.references, by_name.keys())
    findings += [
        Finding(
            "missing_file",
            Severity.ERROR,
            "the cartridge refers to it, but the package does not hold it",
            href,
        )
        for href in matched.missing
    ]
    findings += [
        Finding("export_error", Severity.ERROR, f"Canvas noted while it exported: {_harmless(text)}")
        for text in manifest.export_errors
    ]
    findings += [
        Finding("renamed_file", Severity.INFO, f"the cartridge refers to it as {href}", name)
        for href, name in matched.renamed
    ]
    return findings, {
        "references": len(set(manifest.references)),
        "missing": len(matched.missing),
        "export_errors": len(manifest.export_errors),
    }


def _manifest_of(members: list[Member]) -> Member:
    return next(member for member in members if member.name == cartridge.MANIFEST)


def _within_reach(held: Held, by_name: Mapping[str, Member]) -> None:
    """Ask for all members at once: another pass over the package should be the last."""
    missing: list[range] = []
    for name, limit in (
        (cartridge.MANIFEST, cartridge.MAX_MANIFEST),
        (cartridge.CONTEXT, cartridge.MAX_CONTEXT),
    ):
        if name in by_name:
            check_size(by_name[name], limit)
            try:
                held.read(by_name[name].extent)
            except OutOfReachError as error:
                missing += error.missing
    if missing:
        raise OutOfReachError(*missing)


def _identity(member: Member | None, held: Held, expect: Expectation) -> Iterator[Finding]:
    if expect.course_id is None:
        return
    context = None
    if member is not None:
        context = cartridge.read_context(inflate(member, held, limit=cartridge.MAX_CONTEXT))
    if context is None or context.course_id is None:
        yield Finding("course_unproven", Severity.INFO, "the package does not say which course it is")
        return
    if not _same_id(context.course_id, expect.course_id):
        raise WrongPackageError(f"the package is of course {context.course_id}, not {expect.course_id}")
    if context.canvas_domain is None or expect.canvas_host is None:
        yield Finding("canvas_unproven", Severity.INFO, "the package does not say which Canvas it is from")
        return
    written, asked = _host(context.canvas_domain), _host(expect.canvas_host)
    if written == asked:
        return
    if (
        context.root_account_id is not None
        and expect.root_account_id is not None
        and _same_id(context.root_account_id, expect.root_account_id)
    ):
        text = f"the package calls its Canvas {written!r}; the root account is the same"
        yield Finding("other_host_name", Severity.INFO, text)
        return
    raise WrongPackageError(
        f"the package is from {written!r}, not {asked!r}; if both are the same Canvas, make the first the connection's host"
    )


def _same_id(one: int, other: int) -> bool:
    return one == other or (min(one, other) < _GLOBAL and max(one, other) % _GLOBAL == min(one, other))


def _host(name: str) -> str:
    """The host alone, in one spelling; the vendor's beta and test copies call themselves by either name."""
    host = name.strip().lower().partition("://")[2] or name.strip().lower()
    host = re.sub(r"[:/].*", "", host).rstrip(".")
    return re.sub(r"\.(beta|test)\.instructure\.com$", ".instructure.com", host)


def _harmless(text: str) -> str:
    """Canvas's own words, readable, and without the query of any URL in them."""
    return re.sub(r"(https?://[^\s?]+)\?\S*", r"\1", html.unescape(text))[:500]


def _bounded(findings: list[Finding]) -> tuple[Finding, ...]:
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    findings = sorted(findings, key=lambda finding: order.index(finding.severity))
    if len(findings) <= _MAX_FINDINGS:
        return tuple(findings)
    rest = len(findings) - _MAX_FINDINGS
    severity = findings[_MAX_FINDINGS].severity
    return (*findings[:_MAX_FINDINGS], Finding("more_findings", severity, f"and {rest:,} more findings"))
