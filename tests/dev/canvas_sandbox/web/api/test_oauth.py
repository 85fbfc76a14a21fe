"""OAuth2: codes, refreshes, and what dies when."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from canvas_sandbox import DeveloperKey, RequestFault, Sandbox, Switches
from canvas_sandbox.scenarios import SCENARIOS

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Start

TOKEN = "/login/oauth2/token"
SELF = "/api/v1/users/self"
KEY = DeveloperKey(31, "hush")
FROZEN = Switches(manual_clock=True)


@pytest.fixture
def canvas(start: Start) -> Sandbox:
    return start(developer_keys=[KEY, DeveloperKey(32, "mum", lifetime=None)])


def ask(canvas: Sandbox, **form: str) -> requests.Response:
    """A request for a token; without other fields, of developer key 31."""
    fields = {"client_id": "31", "client_secret": "hush", **form}
    return requests.post(canvas.url + TOKEN, data=fields, timeout=20)


def refresh(canvas: Sandbox, **form: str) -> requests.Response:
    return ask(canvas, **{"grant_type": "refresh_token", **form})


def who(canvas: Sandbox, token: str) -> requests.Response:
    return requests.get(canvas.url + SELF, headers={"Authorization": f"Bearer {token}"}, timeout=20)


def test_a_code_brings_an_access_token_and_the_only_sight_of_the_refresh_token(canvas: Sandbox) -> None:
    answer = ask(canvas, grant_type="authorization_code", code=canvas.authorize(KEY))
    assert answer.status_code == 200
    body = answer.json()
    assert {name: body[name] for name in ("token_type", "expires_in", "user")} == {
        "token_type": "Bearer",
        "expires_in": 3600,
        "user": {"id": 1, "name": "Ada Admin", "global_id": "10000000000001", "effective_locale": "en"},
    }
    assert who(canvas, body["access_token"]).json()["id"] == 1
    assert "refresh_token" not in refresh(canvas, refresh_token=body["refresh_token"]).json()


def test_without_a_type_a_code_says_what_is_meant(canvas: Sandbox) -> None:
    assert ask(canvas, code=canvas.authorize(KEY)).status_code == 200


def test_a_code_is_good_once_and_for_ten_minutes(canvas: Sandbox) -> None:
    code = canvas.authorize(KEY)
    assert ask(canvas, code=code).status_code == 200
    assert ask(canvas, code=code).json()["error_description"] == "authorization_code not found"
    late = canvas.authorize(KEY)
    canvas.advance(600)
    assert ask(canvas, code=late).json()["error_description"] == "authorization_code not found"


def test_62_a_refresh_kills_the_access_token_before_and_keeps_the_refresh_token(canvas: Sandbox) -> None:
    given = canvas.grant(KEY)
    first = refresh(canvas, refresh_token=given).json()["access_token"]
    assert who(canvas, first).status_code == 200
    second = refresh(canvas, refresh_token=given).json()["access_token"]
    dead = who(canvas, first)
    assert (dead.status_code, dead.json()) == (401, {"errors": [{"message": "Invalid access token."}]})
    assert "WWW-Authenticate" in dead.headers
    assert who(canvas, second).status_code == 200
    assert canvas.refreshes == 2


def test_63_a_refresh_token_that_is_gone_is_an_invalid_request(canvas: Sandbox) -> None:
    answer = refresh(canvas, refresh_token="7~gone")
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_request", "error_description": "refresh_token not found"}
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("form", "status", "error", "description"),
    [
        ({"client_id": "99"}, 401, "invalid_client", "unknown client"),
        ({"client_id": ""}, 401, "invalid_client", "unknown client"),
        ({"client_secret": "loud"}, 401, "invalid_client", "invalid client"),
        ({"client_id": "32", "client_secret": "mum"}, 400, "invalid_grant", "incorrect client"),
        (
            {"refresh_token": ""},
            400,
            "invalid_request",
            "You must provide the refresh_token parameter when using the refresh_token grant type",
        ),
        (
            {"grant_type": "password"},
            400,
            "unsupported_grant_type",
            "The grant_type you requested is not currently supported",
        ),
        (
            {"grant_type": ""},
            400,
            "unsupported_grant_type",
            "The grant_type you requested is not currently supported",
        ),
    ],
)
def test_each_mistake_has_its_error(
    canvas: Sandbox, form: dict[str, str], status: int, error: str, description: str
) -> None:
    answer = refresh(canvas, **{"refresh_token": canvas.grant(KEY), **form})
    assert answer.status_code == status
    assert answer.json() == {"error": error, "error_description": description}
    assert answer.headers.get("WWW-Authenticate") == ("Canvas OAuth 2.0" if status == 401 else None)
    assert canvas.refreshes == 0


def test_a_code_is_held_to_its_key_and_its_address(canvas: Sandbox) -> None:
    code = canvas.authorize(KEY)
    other = ask(canvas, code=code, client_id="32", client_secret="mum").json()
    assert (other["error"], other["error_description"]) == ("invalid_grant", "incorrect client")
    moved = ask(canvas, code=code, redirect_uri="https://elsewhere.example.edu").json()
    assert moved["error_description"] == "redirect_uri does not match client settings"
    missing = ask(canvas, grant_type="authorization_code").json()
    assert missing["error"] == "invalid_request"
    assert ask(canvas, code=code, redirect_uri=KEY.redirect_uri).status_code == 200


def test_the_client_may_come_as_http_basic(canvas: Sandbox) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": canvas.grant(KEY)}
    credentials = base64.b64encode(b"31:hush").decode()
    headers = {"Authorization": f"Basic {credentials}"}
    assert requests.post(canvas.url + TOKEN, data=form, headers=headers, timeout=20).status_code == 200
    broken = {"Authorization": "Basic %"}
    assert requests.post(canvas.url + TOKEN, data=form, headers=broken, timeout=20).status_code == 401


def test_an_access_token_ends_by_itself_and_a_refresh_brings_the_next(canvas: Sandbox) -> None:
    given = canvas.grant(KEY)
    token = refresh(canvas, refresh_token=given).json()["access_token"]
    canvas.advance(3599)
    assert who(canvas, token).status_code == 200
    canvas.advance(1)
    assert who(canvas, token).json() == {"errors": [{"message": "Invalid access token."}]}
    assert who(canvas, refresh(canvas, refresh_token=given).json()["access_token"]).status_code == 200


def test_a_key_that_lets_its_tokens_last_names_no_end(canvas: Sandbox) -> None:
    lasting = DeveloperKey(32, "mum", lifetime=None)
    body = ask(canvas, code=canvas.authorize(lasting), client_id="32", client_secret="mum").json()
    assert "expires_in" not in body
    canvas.advance(1_000_000)
    assert who(canvas, body["access_token"]).status_code == 200


def test_delete_ends_the_calling_token_and_its_refresh_token(canvas: Sandbox) -> None:
    given = canvas.grant(KEY)
    token = refresh(canvas, refresh_token=given).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.delete(canvas.url + TOKEN, headers=headers, timeout=20).json() == {}
    assert who(canvas, token).json() == {"errors": [{"message": "Revoked access token."}]}
    assert refresh(canvas, refresh_token=given).json()["error_description"] == "refresh_token not found"


def test_delete_without_a_token_is_refused(canvas: Sandbox) -> None:
    answer = requests.delete(canvas.url + TOKEN, timeout=20)
    assert answer.status_code == 400
    assert "message" in answer.json()


def test_a_refresh_of_which_the_answer_is_lost_has_taken_effect(canvas: Sandbox) -> None:
    given = canvas.grant(KEY)
    token = refresh(canvas, refresh_token=given).json()["access_token"]
    canvas.inject(RequestFault("lost_answer", method="POST", path=TOKEN))
    with pytest.raises(requests.ConnectionError):
        refresh(canvas, refresh_token=given)
    assert who(canvas, token).status_code == 401
    assert refresh(canvas, refresh_token=given).status_code == 200


def test_each_access_token_has_a_bucket_of_its_own(start: Start) -> None:
    canvas = start(developer_keys=[KEY], switches=Switches(manual_clock=True, request_cost=300.0))
    given = canvas.grant(KEY)
    first = refresh(canvas, refresh_token=given).json()["access_token"]
    assert [who(canvas, first).status_code for _ in range(3)] == [200, 200, 429]
    canvas.advance(60)  # the address has a bucket too, and asking for tokens fills it
    second = refresh(canvas, refresh_token=given).json()["access_token"]
    assert who(canvas, second).headers["X-Rate-Limit-Remaining"] == "300.0"


def test_what_was_granted_is_remembered_by_the_next_sandbox(tmp_path: Path) -> None:
    options: dict[str, Any] = {"developer_keys": [KEY], "switches": FROZEN, "state": tmp_path}
    with Sandbox(**options) as canvas:
        given = canvas.grant(KEY)
        token = refresh(canvas, refresh_token=given).json()["access_token"]
    with Sandbox(**options) as canvas:
        assert who(canvas, token).status_code == 200
        assert canvas.grant(KEY) == given
        assert refresh(canvas, refresh_token=given).json()["access_token"] != token


def test_a_scenario_has_a_developer_key_and_says_so(tmp_path: Path) -> None:
    assert all(make().developer_keys for make in SCENARIOS.values())
    command = [sys.executable, "-m", "canvas_sandbox", "--print-json", "--state", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        form = {"grant_type": "refresh_token", **told["developer_keys"][0]}
        answer = requests.post(told["url"] + TOKEN, data=form, timeout=20)
        process.terminate()
    assert answer.json()["token_type"] == "Bearer"
