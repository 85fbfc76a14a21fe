"""A credential goes to the host of its own connection only, and only from a type that belongs to the scheme."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk import Connection

from canvas_exports.errors import InputError
from canvas_exports.hooks.archive import open_archive, store_options
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.hooks.credential_scope import TYPES

SECRET = "s3cret-of-another-server"
URIS = {
    "s3": "s3://bucket/root",
    "gs": "gs://bucket/root",
    "az": "az://container/root",
    "sftp": "sftp://files.example.edu/root",
}
ALIASES = {"s3a": "s3", "gcs": "gs", "azure": "az", "ssh": "sftp", "scp": "sftp"}
OTHERS = ("smtp", "http", "postgres", "canvas", "canvas_archive", "mysql", "slack", "", "fs")


def connection(conn_type: str, **fields: Any) -> Connection:
    extra = json.dumps(fields.pop("extra", {}))
    return Connection(
        conn_id="campus", conn_type=conn_type, login="user", password=SECRET, extra=extra, **fields
    )


@pytest.mark.parametrize("scheme", URIS)
def test_a_type_that_does_not_belong_to_the_scheme_is_refused(scheme: str) -> None:
    foreign = {each for kind, types in TYPES.items() if kind != scheme for each in types} - set(TYPES[scheme])
    for conn_type in (*foreign, *OTHERS):
        with pytest.raises(
            InputError, match=r"^connection campus: it is of type .* Accepted: a connection of type"
        ) as raised:
            store_options(URIS[scheme], connection(conn_type, host="files.example.edu"))
        assert SECRET not in str(raised.value)


@pytest.mark.parametrize(("alias", "scheme"), ALIASES.items())
def test_another_name_of_a_scheme_is_held_to_the_same(alias: str, scheme: str) -> None:
    uri = URIS[scheme].replace(scheme, alias, 1)
    with pytest.raises(InputError, match="whose credentials are not for"):
        store_options(uri, connection("smtp", host="files.example.edu"))
    with pytest.raises(InputError, match="whose credentials are not for"):
        store_options(uri.replace(alias, alias.upper(), 1), connection("smtp", host="files.example.edu"))


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        ("attacker.example", {"host": "files.example.edu"}),
        ("files.example.edu.attacker.example", {"host": "files.example.edu"}),
        ("files.example.edu@attacker.example", {"host": "files.example.edu"}),
        ("files.example.edu:9999", {"host": "files.example.edu"}),
        ("files.example.edu", {"host": "files.example.edu", "port": 9999}),
        ("files.example.edu", {}),
        ("127.0.0.1", {"host": "files.example.edu"}),
        ("[::1]", {"host": "files.example.edu"}),
    ],
)
def test_another_host_or_port_is_refused(place: str, fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"^connection campus: ") as raised:
        store_options(f"sftp://{place}/root", connection("sftp", **fields))
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("uri", "fields"),
    [
        ("sftp://files.example.edu/root", {"host": "files.example.edu"}),
        ("sftp://me@FILES.example.edu/root", {"host": "files.Example.edu."}),
        ("sftp://files.example.edu:22/root", {"host": "files.example.edu"}),
        ("sftp://files.example.edu/root", {"host": "sftp://files.example.edu/", "port": 22}),
        ("sftp://files.example.edu:2222/root", {"host": "files.example.edu", "port": 2222}),
        ("sftp://[fd00::1]/root", {"host": "fd00::1"}),
    ],
)
def test_its_own_host_is_its_own_however_it_is_written(uri: str, fields: dict[str, Any]) -> None:
    assert store_options(uri, connection("sftp", **fields)).password == SECRET


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_a_generic_connection_says_itself_where_it_leads(scheme: str) -> None:
    with pytest.raises(InputError, match="it does not name the server of its credentials"):
        store_options(URIS[scheme], connection("generic"))
    extra = {"endpoint_url": "http://127.0.0.1:9000"}
    assert store_options(URIS[scheme], connection("generic", extra=extra)).endpoint == extra["endpoint_url"]


def test_a_connection_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(InputError, match=r"^connection nowhere: Airflow has no connection with this id"):
        open_archive("s3://bucket/root", "nowhere")
    with pytest.raises(InputError, match=r"^connection nowhere: Airflow has no connection with this id"):
        CanvasHook("nowhere").get_conn()


@pytest.mark.parametrize("conn_type", ["http", "aws", "generic", "canvas_archive", ""])
def test_only_a_canvas_connection_is_taken_for_a_canvas(
    conn_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"conn_type": conn_type, "host": "canvas.example.edu", "password": SECRET}
    monkeypatch.setenv("AIRFLOW_CONN_CAMPUS", json.dumps(fields))
    with pytest.raises(InputError, match=r"^connection campus: it is of type") as raised:
        CanvasHook("campus").get_conn()
    assert SECRET not in str(raised.value)
