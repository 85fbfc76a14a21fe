"""Close a stream of smart_open only if it ended well.

For smart_open, closing a writer *is* committing. Its ``with`` block aborts on an exception, but if the abort fails
too (the network is down: the very case that broke the source), the writer stays armed, and its finalizer closes it:
a truncated object is committed after all. Here a writer that was not closed on purpose is disarmed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

# The attributes by which smart_open's writers decide to commit, and the values that prevent it.
_ARMED_BY: dict[str, Any] = {
    "_upload_id": None,  # s3, multipart: no upload to complete
    "_buf": None,  # s3 and azure: nothing buffered
    "_is_terminated": True,  # azure
}


@contextmanager
def guarded(writer: Any) -> Iterator[Any]:
    """Close the writer at the end of the block; on any exception abort it, and make sure it can never commit."""
    try:
        yield writer
        writer.close()
    except BaseException:
        disarm(writer)
        raise


def disarm(writer: Any) -> None:
    """Abort a writer. Afterwards neither ``close`` nor its finalizer commits anything, even if the abort failed."""
    inner = getattr(writer, "__wrapped__", writer)
    with suppress(Exception):
        inner.terminate()
    for name, disarmed in _ARMED_BY.items():
        if name in getattr(inner, "__dict__", {}):
            setattr(inner, name, disarmed)
    with suppress(Exception):
        inner.close()
