"""No log of this process holds a credential, whichever library writes it, at any level.

Libraries log what they are given: urllib3 the address of a request when an answer has an odd header, smart_open its
arguments with an SFTP password among them. A filter on a logger does not see its children's records, and one on a handler
is gone when somebody configures logging anew. So every record is made discreet where it is made.
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
#: Attributes whose types a formatter counts on.
_OF_THE_CALL = ("exc_info",)
_lock = threading.Lock()


def mask_secrets(*secrets: object) -> None:
    """Keep these out of every log from now on, and whatever has the shape of a credential; see ``redaction``.

    The first call takes effect for the whole process: records of the standard library's logging pass through ``redact`` as
    they are made, tracebacks included, and so do the events of structlog, which is what Airflow's own loggers are.

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
    """Makes records as the factory before it did, and takes out of them what nobody is to read."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *arguments: Any, **named: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*arguments, **named)
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit: the standard library would print them as they are
            said = f"{record.msg} {record.args!r}"
            record.msg, record.args = redact(said), ()
        else:
            _replace(record, said)
        if record.exc_info and record.exc_info[0] is not None:
            told = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            discreet, error = redact(told), record.exc_info[1]
            if discreet != told or _clean(error) is not error:
                record.msg, record.args = f"{redact(said)}\n{discreet}", ()
                record.exc_info = record.exc_text = None
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        # What ``extra`` says is set once the record is made, as is all that came from another process.
        record.__dict__ = _Attributes(record.__dict__)
        return record


class _Attributes(dict[str, Any]):
    """What a record holds, for formatters that print all of it."""

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value if name in _OF_THE_CALL else _behind(name, _clean(value)))

    def update(self, *given: Any, **named: Any) -> None:
        for name, value in dict(*given, **named).items():
            self[name] = value

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def _replace(record: logging.LogRecord, said: str) -> None:
    """Only where there is something to hide: who reads ``msg`` and ``args`` by themselves finds them otherwise."""
    discreet = redact(said)
    if discreet != said or _clean(record.msg) is not record.msg or _clean(record.args) is not record.args:
        record.msg, record.args = discreet, ()


def _join_structlog() -> None:
    """Become the last processor but the one that writes. Loggers share the list, so those that exist obey too."""
    structlog = sys.modules.get("structlog")
    if structlog is None:
        return
    processors = structlog.get_config()["processors"]
    if isinstance(processors, list) and processors and _discreet not in processors:
        processors.insert(len(processors) - 1, _discreet)


def _discreet(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog."""
    if event.get("exc_info"):  # a renderer may show local variables besides, which hold anything
        given = event.pop("exc_info")
        error = given if isinstance(given, BaseException) else sys.exc_info()[1]
        error = given[1] if isinstance(given, tuple) else error
        if error is not None:
            event["exception"] = "".join(traceback.format_exception(error)).rstrip()
    for name, value in list(event.items()):
        event[name] = _behind(name, _clean(value))
    return event


def _clean(value: Any, depth: int = 0) -> Any:
    """The same object if it shows nothing that is to be hidden, neither as ``str`` nor as ``repr``."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return value if (discreet := redact(value)) == value else discreet
    if depth < _DEEPEST and isinstance(value, (Mapping, list, tuple)):
        return _clean_parts(value, depth + 1)
    try:
        shown, whole = str(value), repr(value)
    except Exception:  # noqa: BLE001 - whatever an object does; the renderer fares no better
        return f"<{type(value).__name__}>"
    return value if redact(shown) == shown and redact(whole) == whole else redact(shown)


def _clean_parts(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        pairs = [(name, _clean(name, depth), each, _clean(each, depth)) for name, each in value.items()]
        kept = all(name is other and each is another for name, other, each, another in pairs)
        # By itself a value may look like none: what makes it one is the name before it.
        named = {other: _behind(other, another) for _, other, _, another in pairs}
        return value if kept and all(named[name] is each for name, _, each, _ in pairs) else named
    parts = [_clean(each, depth) for each in value]
    return value if all(map(operator.is_, parts, value)) else parts


def _behind(name: Any, value: Any) -> Any:
    """A text, unless its name tells that it is a secret."""
    if not isinstance(name, str) or not isinstance(value, str):
        return value
    said = f"{name!r}: {value!r}"
    return value if redact(said) == said else MASK
