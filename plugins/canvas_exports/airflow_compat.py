"""Hide the differences between the releases of Airflow from 3.1 to 3.4. No other module depends on the release.

Names that moved are imported here from where the installed release has them, and the rest of the package imports them from
here. A feature that an older release lacks is a function, whose docstring states what takes its place.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from airflow.sdk import BaseHook, Connection
from opentelemetry import trace

if TYPE_CHECKING:
    from airflow.sdk import Context, CronTriggerTimetable, conf
    from airflow.sdk.configuration import get_airflow_config
    from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException
    from airflow.sdk.plugins_manager import AirflowPlugin

    _HAS_ASYNC_WORKERS: bool
else:
    try:  # from 3.2 on
        from airflow.sdk import CronTriggerTimetable, conf
        from airflow.sdk.configuration import get_airflow_config
        from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException
        from airflow.sdk.plugins_manager import AirflowPlugin

        _HAS_ASYNC_WORKERS = True
    except ImportError:  # 3.1
        from airflow.configuration import conf, get_airflow_home
        from airflow.configuration import get_airflow_config as _config_below
        from airflow.exceptions import AirflowFailException, AirflowNotFoundException
        from airflow.plugins_manager import AirflowPlugin
        from airflow.timetables.trigger import CronTriggerTimetable

        _HAS_ASYNC_WORKERS = False

        def get_airflow_config() -> str:
            """Return the path of airflow.cfg."""
            return _config_below(get_airflow_home())


Hook = TypeVar("Hook", bound=type)

__all__ = [
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowPlugin",
    "CronTriggerTimetable",
    "TaskStateStore",
    "conf",
    "connection_form",
    "connection_of",
    "extra_of",
    "get_airflow_config",
    "task_state_store",
    "task_stats",
    "trace",
    "triggerer_stats",
]


class Stats(Protocol):
    """The part of Airflow's metrics that is needed here."""

    def incr(self, stat: str, count: int, *, tags: Mapping[str, str] | None = None) -> object:
        """Count."""

    def gauge(self, stat: str, value: float, *, tags: Mapping[str, str] | None = None) -> object:
        """Set a value."""

    def timing(self, stat: str, dt: Any, *, tags: Mapping[str, str] | None = None) -> object:
        """Record a duration."""


class TaskStateStore(Protocol):
    """The part of Airflow's task state store that is needed here."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value."""

    def set(self, key: str, value: Any) -> object:
        """Store a value; fails once another attempt of the task has begun."""


def _stats(*modules: str) -> Stats:
    """Return the metrics of the first of the modules that this release has; those of 3.1 and 3.2 are a class in it."""
    for name in modules:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return cast("Stats", module if hasattr(module, "incr") else module.Stats)
    raise ImportError(f"this Airflow has none of {', '.join(modules)}")


_FIXED: set[type] = set()  # classes of channels that threads can use

#: Metrics of a process that runs a task.
task_stats = _stats("airflow.sdk.observability.stats", "airflow.stats")
#: Metrics of a triggerer, which Airflow sets up before it starts the process that runs triggers.
triggerer_stats = _stats("airflow.observability.stats", "airflow.stats")


async def connection_of(conn_id: str) -> Connection:
    """Return a connection, without blocking the event loop. In a worker of 3.1, a thread asks for it.

    Raises:
        AirflowNotFoundException: there is none.
    """
    channel = _channel()
    if _answers_threads_only(channel):
        return await asyncio.to_thread(BaseHook.get_connection, conn_id)
    _let_threads_ask(channel)
    return await BaseHook.aget_connection(conn_id)


def _channel() -> Any:
    """Return what a task or trigger asks Airflow through; ``None`` in other processes."""
    return getattr(sys.modules.get("airflow.sdk.execution_time.task_runner"), "SUPERVISOR_COMMS", None)


def _answers_threads_only(channel: Any) -> bool:
    """Return whether it is that of a worker of 3.1, whose asynchronous method is not implemented."""
    return not _HAS_ASYNC_WORKERS and type(channel).__name__ == "CommsDecoder"


def _let_threads_ask(channel: Any) -> None:
    """Let threads of a triggerer of 3.1 ask Airflow as they can from 3.2 on.

    There, a thread's question is written, and its answer is left for the next question, which takes it for its own.
    """
    kind = type(channel)
    if _HAS_ASYNC_WORKERS or kind.__name__ != "TriggerCommsDecoder" or kind in _FIXED:
        return
    loop = asyncio.get_running_loop()
    in_loop, thread = kind.send, threading.get_ident()

    def send(self: Any, msg: Any) -> Any:
        if threading.get_ident() == thread:
            return in_loop(self, msg)
        return asyncio.run_coroutine_threadsafe(self.asend(msg), loop).result()

    kind.send = send
    _FIXED.add(kind)


async def extra_of(connection: Connection) -> Mapping[str, Any]:
    """Return the extra of a connection, without blocking the event loop. Before 3.3.2, a thread reads it.

    Reading it registers its secrets with Airflow, which is a request to another process.
    """
    if hasattr(connection, "aextra_dejson"):
        return cast("Mapping[str, Any]", await connection.aextra_dejson())
    return cast("Mapping[str, Any]", await asyncio.to_thread(lambda: connection.extra_dejson))


def task_state_store(context: Context) -> TaskStateStore | None:
    """Return Airflow's state store of the running task. ``None`` before 3.3: the state is kept in the archive."""
    return cast("TaskStateStore | None", context.get("task_state_store"))


def connection_form(form: Mapping[str, Any]) -> Callable[[Hook], Hook]:
    """Decorate a hook with the methods that 3.1 asks for the form of its connections.

    From 3.2 on Airflow reads the form from the provider's info, and warns of a hook that has the methods.

    Args:
        form: ``ui-field-behaviour`` and ``conn-fields``, as in the provider's info.
    """

    def add(hook: Hook) -> Hook:
        if importlib.util.find_spec("airflow.sdk.plugins_manager") is None:  # 3.1
            names: dict[str, Any] = {"hidden_fields": [], "relabeling": {}, "placeholders": {}}
            shown = form["ui-field-behaviour"]
            behaviour = {key: shown.get(key.replace("_", "-"), default) for key, default in names.items()}
            setattr(hook, "get_ui_field_behaviour", staticmethod(lambda: behaviour))  # noqa: B010 - mypy knows neither
            setattr(hook, "get_connection_form_widgets", staticmethod(lambda: _widgets(form)))  # noqa: B010
        return hook

    return add


def _widgets(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a form as those of wtforms, which Airflow replaces where it is not installed."""
    fields = importlib.import_module("wtforms")
    widgets = importlib.import_module("flask_appbuilder.fieldwidgets")
    optional = importlib.import_module("wtforms.validators").Optional

    def field(label: str, description: str, schema: Mapping[str, Any]) -> Any:
        kind, widget = fields.StringField, widgets.BS3TextFieldWidget
        if "integer" in schema["type"]:
            kind = fields.IntegerField
        elif schema.get("format") == "password":
            kind, widget = fields.PasswordField, widgets.BS3PasswordFieldWidget
        return kind(label, validators=[optional()], description=description, widget=widget())

    return {name: field(**each) for name, each in form["conn-fields"].items()}
