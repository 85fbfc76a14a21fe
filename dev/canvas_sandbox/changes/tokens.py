"""Changes to access tokens, by users and by programs with a developer key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from canvas_sandbox.oauth import Grant
from canvas_sandbox.world import World


def set_token(world: World, user_id: int, problem: str | None) -> None:
    """Make every token of a user ``revoked`` or ``expired``, or valid again."""
    for token in world.tokens.values():
        if token.user.id == user_id:
            token.problem = problem


def issue_token(world: World, user_id: int) -> str:
    """Return a new token for a user. The other ones still work."""
    return world.issue_token(world.users[user_id])


def authorize(world: World, key_id: int, user_id: int) -> str:
    """Authorize a developer key for a user and return the code."""
    return world.grants.authorize(world.grants.keys[str(key_id)], world.users[user_id], world.kernel.now)


def exchange_code(world: World, code: str) -> Grant:
    """Exchange a code for tokens."""
    return world.grants.exchange(code, world.kernel.now)


def refresh_token(world: World, refresh_token: str) -> Grant:
    """Exchange a refresh token for an access token. The old one stops."""
    return world.grants.refresh(refresh_token, world.kernel.now)


def revoke_token(world: World, value: str) -> None:
    """Revoke an access token and its refresh token."""
    world.grants.revoke(world.tokens[value])


TOKEN_CHANGES: dict[str, Callable[..., Any]] = {
    change.__name__: change
    for change in (set_token, issue_token, authorize, exchange_code, refresh_token, revoke_token)
}
"""Changes by name; each takes the world and plain values."""
