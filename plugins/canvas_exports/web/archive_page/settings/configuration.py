"""Read and check what the administrator configured for the page. No user can change it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from canvas_exports.airflow_compat import conf
from canvas_exports.foreign_text import harmless
from canvas_exports.hooks.archive_location import is_name
from canvas_exports.web.archive_page.settings.options import (
    CACHE_SECONDS,
    DEFAULTS,
    LEAST_CACHE,
    MOST_CACHE,
    SECTION,
)

_MOST_ARCHIVES = 50
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_URI = re.compile(r"[a-z0-9]+://\S+")
_DAG = re.compile(r"[A-Za-z0-9_.-]{1,250}")


@dataclass(frozen=True)
class NamedArchive:
    """An archive that the page may open.

    Attributes:
        name: in the page's addresses.
        place: the id of a connection of type ``canvas_archive``, or a root URI.
    """

    name: str
    place: str

    @property
    def connection(self) -> str | None:
        """Return the id of its connection, which a trigger form accepts; ``None`` where it has none."""
        return self.place if is_name(self.place) else None


@dataclass(frozen=True)
class Configuration:
    """The section ``[canvas_exports]``.

    Attributes:
        archives: that the page may open.
        content_roles: whose users may read contents of packages.
        cache_seconds: how long what was read is shown.
        restore_dag_id: of the button *Restore*.
        export_dag_id: of the button *Back up now*.
        hold_dag_id: of the button *Hold*.
        problems: what is wrong with it, a sentence each. A wrong option counts as its default, a wrong archive as absent.
    """

    archives: tuple[NamedArchive, ...] = ()
    content_roles: frozenset[str] = frozenset()
    cache_seconds: int = CACHE_SECONDS
    restore_dag_id: str = DEFAULTS["restore_dag_id"]
    export_dag_id: str = DEFAULTS["export_dag_id"]
    hold_dag_id: str = DEFAULTS["hold_dag_id"]
    problems: tuple[str, ...] = field(default=())

    def archive(self, name: str) -> NamedArchive | None:
        """Return the archive of this name; ``None`` if the administrator named none so."""
        return next((each for each in self.archives if each.name == name), None)


def _option(name: str) -> str:
    return str(conf.get(SECTION, name, fallback=DEFAULTS[name]) or "")


def read_configuration(option: Callable[[str], str] = _option) -> Configuration:
    """Read the configuration. Nothing is opened, and no mistake is an error: see ``Configuration.problems``.

    Args:
        option: returns the text of an option.
    """
    problems: list[str] = []
    archives: dict[str, NamedArchive] = {}
    for entry in _entries(option("archives")):
        archive = _archive(entry)
        if archive is None:
            problems.append(
                f"archives: {harmless(entry, most=60)!r} is neither the id of a connection, nor NAME = ID, nor "
                "NAME = scheme://path. A name has letters, digits, dots, hyphens and underscores."
            )
        elif archive.name in archives:
            problems.append(f"archives: two are called {archive.name}; the first counts.")
        elif len(archives) == _MOST_ARCHIVES:
            problems.append(f"archives: there are more than {_MOST_ARCHIVES}; {archive.name} is left out.")
        else:
            archives[archive.name] = archive
    return Configuration(
        archives=tuple(archives.values()),
        content_roles=frozenset(_entries(option("content_roles"))),
        cache_seconds=_cache_seconds(option("cache_seconds"), problems),
        restore_dag_id=_dag_id("restore_dag_id", option, problems),
        export_dag_id=_dag_id("export_dag_id", option, problems),
        hold_dag_id=_dag_id("hold_dag_id", option, problems),
        problems=tuple(problems),
    )


def _entries(text: str) -> list[str]:
    return [entry for part in re.split(r"[,\n]", text) if (entry := part.strip())]


def _archive(entry: str) -> NamedArchive | None:
    name, given, place = (part.strip() for part in entry.partition("="))
    if not given:
        place = name
    if not _NAME.fullmatch(name):
        return None
    is_place = _NAME.fullmatch(place) or (given and _URI.fullmatch(place))
    return NamedArchive(name, place) if is_place else None


def _cache_seconds(text: str, problems: list[str]) -> int:
    text = text.strip()
    if re.fullmatch("[0-9]{1,6}", text) and LEAST_CACHE <= int(text) <= MOST_CACHE:
        return int(text)
    problems.append(
        f"cache_seconds: it is no number from {LEAST_CACHE} to {MOST_CACHE}; {CACHE_SECONDS} counts."
    )
    return CACHE_SECONDS


def _dag_id(name: str, option: Callable[[str], str], problems: list[str]) -> str:
    text = option(name).strip()
    if _DAG.fullmatch(text):
        return text
    problems.append(f"{name}: it is no id of a DAG; {DEFAULTS[name]} counts.")
    return DEFAULTS[name]
