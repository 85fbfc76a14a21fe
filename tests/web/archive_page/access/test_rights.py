"""Who may read contents of packages: users with a role that the administrator names, and in doubt nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi import HTTPException

from canvas_exports.web.archive_page.access import rights
from canvas_exports.web.archive_page.access.rights import may_read_content, role_names
from canvas_exports.web.archive_page.routes.actions import started_run
from canvas_exports.web.archive_page.settings.configuration import Configuration


@dataclass
class Named:
    name: Any


@dataclass
class Group:
    """A group of the FAB auth manager: it has roles."""

    name: str
    roles: list[Named] = field(default_factory=list)


@dataclass
class User:
    """A user of another auth manager."""

    roles: list[Any] = field(default_factory=list)
    groups: list[Any] = field(default_factory=list)


@pytest.mark.parametrize(
    ("user", "names"),
    [
        (SimpleAuthManagerUser(username="a", role="op"), {"op"}),
        (SimpleAuthManagerUser(username="a", role=None), set()),
        (User(roles=[Named("Admin"), Named("Op")]), {"Admin", "Op"}),
        (User(groups=[Group("Admin", [Named("Registrar")])]), {"Registrar"}),
        (User(groups=["5f1c"]), {"5f1c"}),
        (User(roles=[Named(None), Named(7), 7, ""]), set()),
        (object(), set()),
    ],
)
def test_roles_of_every_auth_manager(user: Any, names: set[str]) -> None:
    assert role_names(user) == names


def test_roles_that_cannot_be_read_are_none(caplog: pytest.LogCaptureFixture) -> None:
    class Detached:
        @property
        def roles(self) -> list[str]:
            raise RuntimeError("no session")

    assert role_names(Detached()) == frozenset()  # type: ignore[arg-type]
    assert "could not be read" in caplog.text


def test_only_named_roles_may_read_contents() -> None:
    named = Configuration(content_roles=frozenset({"Registrar"}))
    assert may_read_content(User(roles=[Named("Registrar")]), named)  # type: ignore[arg-type]
    for other in ("registrar", "Admin", "Registrars", ""):
        assert not may_read_content(User(roles=[Named(other)]), named)  # type: ignore[arg-type]


def test_without_a_named_role_nobody_may() -> None:
    for role in ("admin", "Admin", ""):
        assert not may_read_content(SimpleAuthManagerUser(username="a", role=role), Configuration())


def test_whoever_may_not_read_the_runs_of_a_dag_is_told_of_none(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(method: str, entity: DagAccessEntity, dag_id: str) -> Any:
        def check(*_: Any) -> None:
            asked.append((method, entity, dag_id))
            raise HTTPException(403)

        return check

    monkeypatch.setattr(rights, "requires_access_dag", refuse)
    assert started_run(object(), object(), "restore", "manual__1") is None  # type: ignore[arg-type]
    assert asked == [("GET", DagAccessEntity.RUN, "canvas_restore")]
