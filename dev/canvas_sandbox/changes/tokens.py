"""Changes to access tokens: by users, and by programs that hold a developer key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from canvas_sandbox.oauth import Grant
from canvas_sandbox.world import World


def set_token(world: World, user_id: int, problem: str | None) -> None:
    """Every token of a user becomes ``revoked`` or ``expired``, or works again."""
    for token in world.tokens.values():
        if token.user.id == user_id:
            token.problem = problem


def issue_token(world: World, user_id: int) -> str:
    """The user makes another token; those before it stay as they are. The new one."""
    return world.issue_token(world.users[user_id])


def authorize(world: World, key_id: int, user_id: int) -> str:
    """A user allows a developer key: a code."""
    return world.grants.authorize(world.grants.keys[str(key_id)], world.users[user_id], world.kernel.now)


def exchange_code(world: World, code: str) -> Grant:
    """A code is exchanged for tokens."""
    return world.grants.exchange(code, world.kernel.now)


def refresh_token(world: World, refresh_token: str) -> Grant:
    """A refresh token is exchanged for an access token, and the one before forgotten."""
    return world.grants.refresh(refresh_token, world.kernel.now)


def revoke_token(world: World, value: str) -> None:
    """An access token is deleted, and what could renew it."""
    world.grants.revoke(world.tokens[value])


TOKEN_CHANGES: dict[str, Callable[..., Any]] = {
    change.__name__: change
    for change in (set_token, issue_token, authorize, exchange_code, refresh_token, revoke_token)
}
"""Changes by name; each takes the world and plain values."""
