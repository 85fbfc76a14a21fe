"""Check that a cartridge is of the requested course and Canvas."""

from __future__ import annotations

import re
from collections.abc import Iterator

from canvas_exports.core.packages.cartridge.manifest import CartridgeContext
from canvas_exports.core.packages.proof import Expectation, Finding, Severity
from canvas_exports.errors import WrongPackageError

# Global ids of objects of shard 2 begin at 2 * 10^13; on their own shard, objects have the id without it.
_GLOBAL = 10**13


def check_identity(context: CartridgeContext | None, expect: Expectation) -> Iterator[Finding]:
    """Compare ``context.xml``, if there is one, with the expected course and Canvas.

    Raises:
        WrongPackageError: of another course, or another Canvas (permanent).
        CanvasExportsError: as ``expect.root_account_id``.
    """
    if expect.course_id is None:
        return
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
    expected = None if context.root_account_id is None else expect.root_account_id()
    if (
        context.root_account_id is not None
        and expected is not None
        and _same_id(context.root_account_id, expected)
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
    """Return the host in one spelling. The vendor's beta and test instances use either name."""
    host = name.strip().lower().partition("://")[2] or name.strip().lower()
    host = re.sub(r"[:/].*", "", host).rstrip(".")
    return re.sub(r"\.(beta|test)\.instructure\.com$", ".instructure.com", host)
