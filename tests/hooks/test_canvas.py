from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk import Connection

from canvas_exports.errors import InputError
from canvas_exports.hooks.canvas import CanvasHook, CanvasSettings
from canvas_sandbox import Course, Sandbox


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
        ("value", "api"), [(None, "rest"), ("", "rest"), ("rest", "rest"), (" GraphQL", "graphql")]
    )
    def test_exports_are_looked_at_one_by_one_unless_told_otherwise(self, value: object, api: str) -> None:
        assert read(host="c.edu", password="t", extra={"progress_api": value}).progress_api == api

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
            (
                {"host": "c.edu", "password": "t", "extra": {"progress_api": "soap"}},
                "connection canvas_default, progress_api: 'soap' is not known",
            ),
        ],
    )
    def test_what_is_missing_is_named(self, fields: dict[str, Any], named: str) -> None:
        with pytest.raises(InputError, match=named):
            read(**fields)


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


async def test_both_clients_share_one_budget(hook: CanvasHook) -> None:
    async with hook.async_conn() as client:
        assert (await client.whoami()).id == 1
        with hook.get_conn() as blocking:
            assert blocking.budget is client.budget


def test_making_a_hook_reads_nothing() -> None:
    assert CanvasHook("does_not_exist").canvas_conn_id == "does_not_exist"
