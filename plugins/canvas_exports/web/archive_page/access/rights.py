"""Who may see what: the page, contents of packages, and the DAGs that its buttons trigger."""

from __future__ import annotations

import logging
from typing import Annotated, Any, Literal

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import get_user, requires_access_dag, requires_access_view
from airflow.models.dag import DagModel
from airflow.utils.session import create_session
from fastapi import Depends, HTTPException, Request, status
from sqlalchemy import select

from canvas_exports.web.archive_page.settings.archives import configuration
from canvas_exports.web.archive_page.settings.configuration import Configuration

log = logging.getLogger(__name__)

#: Every route asks for it. Airflow shows the entry in its navigation to the same users.
requires_page = requires_access_view(AccessView.PLUGINS)


def note_rights(request: Request, user: Annotated[BaseUser, Depends(get_user)]) -> None:
    """Note for the navigation of the page whether the user may read contents; no route relies on it."""
    request.state.may_read_archive = may_read_content(user, configuration())


CurrentUser = Annotated[BaseUser, Depends(get_user)]


def role_names(user: BaseUser) -> frozenset[str]:
    """Return the names of the roles of a user, as its auth manager has them; none if it has no roles, or hides them.

    ``SimpleAuthManager`` has one role. Users of the FAB auth manager have roles, also through their groups. Those of the AWS
    auth manager have the ids of groups.
    """
    try:
        return frozenset(_names(user))
    except Exception:
        log.exception("The roles of a user could not be read, so that user may read no package.")
        return frozenset()


def _names(user: Any) -> list[str]:
    groups = list(getattr(user, "groups", None) or ())
    roles = [getattr(user, "role", None), *(getattr(user, "roles", None) or ())]
    for group in groups:  # the name of a group with roles is no role: somebody else may give it
        roles += [group] if isinstance(group, str) else getattr(group, "roles", None) or ()
    names = [role if isinstance(role, str) else getattr(role, "name", None) for role in roles]
    return [name for name in names if isinstance(name, str) and name]


def may_read_content(user: BaseUser, configuration: Configuration) -> bool:
    """Return whether a user may read contents of packages: has a role that the administrator names."""
    return not configuration.content_roles.isdisjoint(role_names(user))


def check_content(user: BaseUser, configuration: Configuration) -> None:
    """Refuse users who may not read contents of packages.

    Raises:
        HTTPException: 403, with a sentence.
    """
    if not may_read_content(user, configuration):
        raise HTTPException(
            status.HTTP_403_FORBIDDEN,
            "Contents of packages are shown to the roles that the administrator names in content_roles, and yours is none.",
        )


def may_trigger(request: Request, user: BaseUser, dag_id: str) -> bool:
    """Return whether there is such a DAG and the user may trigger it. Blocks: it asks Airflow's database.

    Airflow itself lets some users trigger DAGs that are absent.
    """
    with create_session() as session:
        is_stale = session.scalar(select(DagModel.is_stale).where(DagModel.dag_id == dag_id))
    return is_stale is False and _may(request, user, "POST", dag_id)


def may_see_runs(request: Request, user: BaseUser, dag_id: str) -> bool:
    """Return whether the user may see the runs of a DAG. Blocks."""
    return _may(request, user, "GET", dag_id)


def _may(request: Request, user: BaseUser, method: Literal["GET", "POST"], dag_id: str) -> bool:
    try:
        requires_access_dag(method, DagAccessEntity.RUN, dag_id)(request, user)
    except HTTPException:
        return False
    return True
