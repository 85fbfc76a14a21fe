from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from airflow.sdk import Connection
from airflow.sdk._shared.secrets_masker import redact
from tests.support.airflow.memory_texts import MemoryTexts

from canvas_exports.core.canvas.auth.oauth import RefreshGrant
from canvas_exports.errors import InputError
from canvas_exports.hooks.canvas import CanvasHook, CanvasSettings, sync_client
from canvas_exports.hooks.lease import LeaseTiming
from canvas_exports.hooks.shared_token import SharedToken
from canvas_exports.provider import get_provider_info
from canvas_sandbox import Course, DeveloperKey, Sandbox


@pytest.fixture(scope="module")
def canvas() -> Iterator[Sandbox]:
    with Sandbox([Course(id=100, name="Biology")]) as sandbox:
        yield sandbox


def read(**fields: Any) -> CanvasSettings:
    extra = fields.pop("extra", {})
    return CanvasSettings.read(Connection(conn_id="canvas_default", conn_type="canvas", **fields), extra)


@pytest.fixture
def hook(canvas: Sandbox, monkeypatch: pytest.MonkeyPatch) -> CanvasHook:
    store_connection(monkeypatch, host=canvas.url, password=canvas.token)
    return CanvasHook()


def store_connection(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS_DEFAULT", json.dumps({"conn_type": "canvas", **fields}))


class TestSettings:
    @pytest.mark.parametrize(
        ("fields", "host"),
        [
            ({"host": "canvas.example.edu"}, "https://canvas.example.edu"),
            ({"host": "https://canvas.example.edu/"}, "https://canvas.example.edu"),
            (
                {"host": "canvas.example.edu", "schema": "http", "port": 3000},
                "http://canvas.example.edu:3000",
            ),
        ],
    )
    def test_https_unless_the_connection_says_otherwise(self, fields: dict[str, Any], host: str) -> None:
        assert read(password="t", **fields).host == host

    def test_the_token_never_shows(self) -> None:
        assert "s3cret" not in repr(read(host="canvas.example.edu", password="s3cret"))

    def test_rate_settings_reach_the_budget(self) -> None:
        limits = read(host="c.edu", password="t", extra={"max_in_flight": 3, "floor": "200"}).limits
        assert (limits.max_in_flight, limits.floor) == (3, 200.0)

    @pytest.mark.parametrize(
        ("value", "warnings"), [(None, 0), ("", 0), ("rest", 0), (" GraphQL", 1), ("soap", 1), (7, 1)]
    )
    def test_progress_api_of_an_earlier_version_is_ignored_with_one_warning(
        self, value: object, warnings: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        name = f"written_before_{value}"
        for _ in range(2):
            settings = CanvasSettings.read(
                Connection(conn_id=name, conn_type="canvas", host="c.edu", password="t"),
                {"progress_api": value},
            )
            assert settings.host == "https://c.edu"
        said = [record for record in caplog.records if "progress_api" in record.getMessage()]
        assert [record.levelname for record in said] == ["WARNING"] * warnings
        assert all(f"connection {name}: progress_api is ignored" in record.getMessage() for record in said)

    @pytest.mark.parametrize(
        ("value", "verify"), [(None, True), ("true", True), (False, False), ("/etc/ca.pem", "/etc/ca.pem")]
    )
    def test_tls_verification_is_on_unless_turned_off(self, value: object, verify: bool | str) -> None:
        assert read(host="c.edu", password="t", extra={"verify": value}).verify == verify

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"password": "t"}, "connection canvas_default, host"),
            ({"host": "c.edu"}, "connection canvas_default, password"),
            (
                {"host": "c.edu", "password": "t", "extra": {"floor": "low"}},
                "connection canvas_default, floor",
            ),
            ({"host": "c.edu", "password": "t", "extra": {"verify": 7}}, "connection canvas_default, verify"),
        ],
    )
    def test_what_is_missing_is_named(self, fields: dict[str, Any], named: str) -> None:
        with pytest.raises(InputError, match=named):
            read(**fields)


OAUTH = {"client_id": "31", "client_secret": "s3cret-of-key", "refresh_token": "7~s3cret-refresh"}


class TestRefreshTokens:
    def test_three_extras_take_the_place_of_the_password(self) -> None:
        settings = read(host="c.edu", extra=OAUTH)
        assert settings.grant == RefreshGrant("31", "s3cret-of-key", "7~s3cret-refresh")
        assert settings.token == ""
        assert "s3cret" not in repr(settings)

    def test_with_them_the_password_is_not_used(self) -> None:
        assert read(host="c.edu", password="old", extra=OAUTH).token == ""

    @pytest.mark.parametrize("missing", OAUTH)
    def test_two_of_the_three_are_not_enough(self, missing: str) -> None:
        with pytest.raises(InputError, match=f"connection canvas_default, {missing}") as raised:
            read(host="c.edu", password="t", extra={**OAUTH, missing: ""})
        assert "s3cret" not in str(raised.value)

    def test_airflow_masks_both_secrets(self) -> None:
        read(host="c.edu", extra=OAUTH)
        said = str(redact("got s3cret-of-key and 7~s3cret-refresh"))
        assert "s3cret" not in said

    def test_all_clients_of_a_process_share_a_token_and_a_budget(self) -> None:
        settings = read(host="c.edu", extra=OAUTH)
        one, other = sync_client(settings), sync_client(read(host="https://c.edu", extra=OAUTH))
        assert one._session.tokens is other._session.tokens
        assert one.rate_limiter is other.rate_limiter

    def test_the_form_hides_them(self) -> None:
        form = get_provider_info()["connection-types"][0]
        schemas = {name: field["schema"] for name, field in form["conn-fields"].items()}
        hidden = {name for name, schema in schemas.items() if schema.get("format") == "password"}
        assert hidden == {"client_secret", "refresh_token"}

    @pytest.mark.parametrize(
        ("field", "advice"),
        [("refresh_token", "obtain a new one"), ("client_secret", "check client_id and client_secret")],
    )
    def test_a_dead_credential_is_final_and_says_which(
        self, field: str, advice: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("canvas_exports.hooks.variable_store.VariableTexts", MemoryTexts)
        monkeypatch.setattr(
            "canvas_exports.hooks.shared_token.SharedToken",
            partial(SharedToken, timing=LeaseTiming(settle=0.0)),
        )
        key = DeveloperKey(31, "hush-hush")
        with Sandbox([Course(id=100)], developer_keys=[key]) as canvas:
            extra = {"client_id": "31", "client_secret": key.secret, "refresh_token": canvas.grant(key)}
            store_connection(monkeypatch, host=canvas.url, extra=extra)
            assert CanvasHook().test_connection()[0]
            store_connection(monkeypatch, host=canvas.url, extra={**extra, field: "another"})
            if field == "client_secret":
                canvas.revoke(canvas.token)  # what is shared already would do otherwise
            worked, sentence = CanvasHook().test_connection()
        assert not worked
        assert advice in sentence


class TestTestConnection:
    def test_it_says_who_the_token_is_and_that_it_may_export(self, hook: CanvasHook, canvas: Sandbox) -> None:
        worked, sentence = hook.test_connection()
        assert worked
        assert f"Connected to {canvas.url} as " in sentence
        assert sentence.endswith("who may export every course of the account.")

    def test_it_says_that_a_teacher_is_no_administrator(
        self, hook: CanvasHook, canvas: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store_connection(monkeypatch, host=canvas.url, password=canvas.tokens["teacher"])
        worked, sentence = hook.test_connection()
        assert worked
        assert "not an administrator of the account" in sentence

    def test_it_says_that_the_token_is_refused(
        self, hook: CanvasHook, canvas: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store_connection(monkeypatch, host=canvas.url, password="1~wrong")
        worked, sentence = hook.test_connection()
        assert not worked
        assert "does not accept the token" in sentence
        assert "1~wrong" not in sentence

    def test_it_says_what_the_connection_lacks(
        self, hook: CanvasHook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store_connection(monkeypatch, host="canvas.example.edu")
        worked, sentence = hook.test_connection()
        assert not worked
        assert "password" in sentence


def test_making_a_hook_reads_nothing() -> None:
    assert CanvasHook("does_not_exist").canvas_conn_id == "does_not_exist"
