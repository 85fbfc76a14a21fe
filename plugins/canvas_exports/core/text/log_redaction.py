"""Keep credentials out of every log of this process, of any library, at any level.

Libraries log their arguments: urllib3 the URL of a request whose response has an invalid header, smart_open an SFTP
password. A filter on a logger does not see the records of its children, and a filter on a handler is lost when logging is
configured again. So every record is redacted where it is created.
"""

from __future__ import annotations

import logging
import operator
import sys
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

from canvas_exports.core.text.redaction import MASK, redact, register_environment, register_secrets

_DEEPEST = 8
#: Attributes whose types formatters rely on.
_OF_THE_CALL = ("exc_info",)
_lock = threading.Lock()


def mask_secrets(*secrets: object) -> None:
    """Mask these secrets, and everything with the form of a credential, in every log from now on; see ``redaction``.

    The first call takes effect for the whole process: all records of the standard library's logging pass through ``redact``,
    with their tracebacks, and so do the events of structlog, which Airflow's own loggers use.

    Args:
        secrets: texts that may be ``None``.
    """
    register_secrets(*secrets)
    if not isinstance(logging.getLogRecordFactory(), _Factory):
        with _lock:
            if not isinstance(factory := logging.getLogRecordFactory(), _Factory):
                register_environment()
                logging.setLogRecordFactory(_Factory(factory))
    _join_structlog()


class _Factory:
    """Create records with the previous factory, and redact them."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *arguments: Any, **named: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*arguments, **named)
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - wrong arguments: the standard library would print them unredacted
            message = f"{record.msg} {record.args!r}"
            record.msg, record.args = redact(message), ()
        else:
            _replace(record, message)
        if record.exc_info and record.exc_info[0] is not None:
            formatted = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            redacted, error = redact(formatted), record.exc_info[1]
            if redacted != formatted or _clean(error) is not error:
                record.msg, record.args = f"{redact(message)}\n{redacted}", ()
                record.exc_info = record.exc_text = None
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        # The attributes of ``extra``, and all of a record from another process, are set after its creation.
        record.__dict__ = _Attributes(record.__dict__)
        return record


class _Attributes(dict[str, Any]):
    """The attributes of a record; values are redacted when they are set, for formatters that print all of them."""

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value if name in _OF_THE_CALL else _masked_by_name(name, _clean(value)))

    def update(self, *given: Any, **named: Any) -> None:
        for name, value in dict(*given, **named).items():
            self[name] = value

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def _replace(record: logging.LogRecord, message: str) -> None:
    """Replace ``msg`` and ``args`` only if there is something to redact: some handlers read them separately."""
    redacted = redact(message)
    if redacted != message or _clean(record.msg) is not record.msg or _clean(record.args) is not record.args:
        record.msg, record.args = redacted, ()


def _join_structlog() -> None:
    """Insert the processor before the one that writes. Loggers share the list, so existing ones use it, too."""
    structlog = sys.modules.get("structlog")
    if structlog is None:
        return
    processors = structlog.get_config()["processors"]
    if isinstance(processors, list) and processors and _redact_event not in processors:
        processors.insert(len(processors) - 1, _redact_event)


def _redact_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Redact an event: a processor of structlog."""
    if event.get("exc_info"):  # a renderer may also show local variables
        given = event.pop("exc_info")
        error = given if isinstance(given, BaseException) else sys.exc_info()[1]
        error = given[1] if isinstance(given, tuple) else error
        if error is not None:
            event["exception"] = "".join(traceback.format_exception(error)).rstrip()
    for name, value in list(event.items()):
        event[name] = _masked_by_name(name, _clean(value))
    return event


def _clean(value: Any, depth: int = 0) -> Any:
    """Return the same object if neither its ``str`` nor its ``repr`` has anything to redact."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return value if (redacted := redact(value)) == value else redacted
    if depth < _DEEPEST and isinstance(value, (Mapping, list, tuple)):
        return _clean_parts(value, depth + 1)
    try:
        shown, whole = str(value), repr(value)
    except Exception:  # noqa: BLE001 - an object without a readable form; the renderer would fail, too
        return f"<{type(value).__name__}>"
    return value if redact(shown) == shown and redact(whole) == whole else redact(shown)


def _clean_parts(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        pairs = [(name, _clean(name, depth), each, _clean(each, depth)) for name, each in value.items()]
        kept = all(name is other and each is another for name, other, each, another in pairs)
        # A value alone may not look like a secret; its name shows that it is one.
        named = {other: _masked_by_name(other, another) for _, other, _, another in pairs}
        return value if kept and all(named[name] is each for name, _, each, _ in pairs) else named
    parts = [_clean(each, depth) for each in value]
    return value if all(map(operator.is_, parts, value)) else parts


def _masked_by_name(name: Any, value: Any) -> Any:
    """Return the value, or the mask if its name is that of a secret."""
    if not isinstance(name, str) or not isinstance(value, str):
        return value
    pair = f"{name!r}: {value!r}"
    return value if redact(pair) == pair else MASK
