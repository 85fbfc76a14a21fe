"""Keep errors of metrics and tracing away from the work that is counted or traced."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol

from canvas_exports.airflow_compat import trace

_log = logging.getLogger(__name__)


class Span(Protocol):
    """The part of a span that is needed here."""

    def set_status(self, status: Any) -> None:
        """Set how the work ended."""
        ...


def call_safely(call: Callable[..., object], *arguments: Any, **named: Any) -> None:
    """Call, and log an exception instead of raising it."""
    try:
        call(*arguments, **named)
    except Exception as error:  # noqa: BLE001 - whatever a metrics backend raises
        _log.debug("a metric or span was not recorded: %s", type(error).__name__)


class SafeSpan(AbstractContextManager[None]):
    """Open a span, mark an error in it by its type alone, and let the error pass.

    Messages and stack traces are not recorded: those of a library might hold a signed URL. The exception with which Airflow
    defers a task is no error.

    Args:
        begin: starts the span.
    """

    def __init__(self, begin: Callable[[], AbstractContextManager[Span]]) -> None:
        self._begin = begin
        self._manager: AbstractContextManager[Span] | None = None
        self._span: Span | None = None

    def __enter__(self) -> None:
        call_safely(self._enter)

    def _enter(self) -> None:
        manager = self._begin()
        self._span = manager.__enter__()
        self._manager = manager

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._span is not None and isinstance(error, Exception):
            call_safely(self._span.set_status, trace.Status(trace.StatusCode.ERROR, type(error).__name__))
        if self._manager is not None:
            call_safely(self._manager.__exit__, None, None, None)
