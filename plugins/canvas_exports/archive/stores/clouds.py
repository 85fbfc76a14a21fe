"""From a URI and options to an ``ObjectStore``: what obstore wants to know of S3, GCS and Azure.

This module imports obstore, so it is itself imported only to open a store.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from obstore.exceptions import BaseError as SettingsError
from obstore.store import AzureStore, GCSStore, S3Store

from canvas_exports.archive.credentials import AccessKeys, KeysProvider, StoreOptions
from canvas_exports.archive.stores.object_store import ObjectStore
from canvas_exports.archive.stores.unfinished_uploads import Bucket, UnfinishedUploads

if TYPE_CHECKING:
    from obstore.store import AzureConfig, ClientConfig, GCSConfig, RetryConfig, S3Config, S3Credential

__all__ = ["SettingsError", "open_azure", "open_gcs", "open_s3"]

# A block of 8 MiB over a slow line that sixteen packages share takes minutes, not obstore's thirty seconds.
_REQUEST_TIMEOUT = timedelta(minutes=15)
_CONNECT_TIMEOUT = timedelta(seconds=10)
# Keys of unknown lifetime are asked for again this often; whoever gives them caches them better than we could.
_ASK_AGAIN = timedelta(minutes=15)


def open_s3(uri: str, bucket: str, path: str, options: StoreOptions) -> ObjectStore:
    """Amazon S3, or any server that speaks its language, with path-style addresses."""
    endpoint = options.endpoint or _environment("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    region = options.region or _environment("AWS_REGION", "AWS_DEFAULT_REGION") or "us-east-1"
    keys = _keys(options)
    # Over TLS nobody can change a part on its way; hashing it once more would cost half a CPU second a GB.
    plain = _is_plain(endpoint)
    config: dict[str, Any] = {"region": region, "unsigned_payload": not plain or options.unsigned_payload}
    if plain and options.unsigned_payload:
        config["checksum_algorithm"] = "crc64nvme"
    if endpoint:
        config["endpoint"] = endpoint
    remote = S3Store(
        bucket,
        prefix=path or None,
        config=cast("S3Config", {**config, **options.settings}),
        client_options=_client(options, endpoint),
        retry_config=_retries(options),
        credential_provider=None if keys is None else _refreshing(keys),
    )
    place = Bucket(endpoint or f"https://s3.{region}.amazonaws.com", region, bucket, path, options.verify)
    return ObjectStore(uri, remote, uploads=UnfinishedUploads(place, keys))


def open_gcs(uri: str, bucket: str, path: str, options: StoreOptions) -> ObjectStore:
    """Google Cloud Storage. Without a service account: application default credentials."""
    config: dict[str, Any] = {**options.settings}
    if options.service_account:
        config["service_account_key"] = options.service_account
    elif options.key_file:
        config["service_account"] = options.key_file
    if options.endpoint:
        config["base_url"] = options.endpoint
    return ObjectStore(
        uri,
        GCSStore(
            bucket,
            prefix=path or None,
            config=cast("GCSConfig", config),
            client_options=_client(options, options.endpoint),
            retry_config=_retries(options),
        ),
    )


def open_azure(uri: str, container: str, path: str, options: StoreOptions) -> ObjectStore:
    """Azure Blob Storage. Without a key or signature: the environment's or the machine's identity."""
    config: dict[str, Any] = {**options.settings}
    given = {
        "account_name": options.account,
        "account_key": options.account_key,
        "sas_key": options.sas_token,
        "endpoint": options.endpoint,
    }
    config |= {name: value for name, value in given.items() if value}
    return ObjectStore(
        uri,
        AzureStore(
            container,
            prefix=path or None,
            config=cast("AzureConfig", config),
            client_options=_client(options, options.endpoint),
            retry_config=_retries(options),
        ),
    )


def _keys(options: StoreOptions) -> KeysProvider | None:
    """The keys that were given, or those that the AWS tools would find; ``None``: obstore asks the machine."""
    if options.keys is not None:
        return options.keys
    access_key = options.access_key or _environment("AWS_ACCESS_KEY_ID")
    secret_key = options.secret_key or _environment("AWS_SECRET_ACCESS_KEY")
    if access_key and secret_key:
        given = options.session_token if options.access_key else _environment("AWS_SESSION_TOKEN")
        fixed = AccessKeys(access_key, secret_key, given, datetime.max.replace(tzinfo=timezone.utc))
        return lambda: fixed
    return _boto3_keys()


def _boto3_keys() -> KeysProvider | None:
    """Profiles, single sign-on and roles, where boto3 is installed (it comes with Airflow's Amazon provider)."""
    if find_spec("boto3") is None:
        return None
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415 - optional, and it has no types

    found = boto3.Session().get_credentials()
    if found is None:
        return None

    def current() -> AccessKeys:
        frozen = found.get_frozen_credentials()
        return AccessKeys(frozen.access_key, frozen.secret_key, frozen.token)

    return current


def _refreshing(keys: KeysProvider) -> Callable[[], S3Credential]:
    def provider() -> S3Credential:
        now = keys()
        return {
            "access_key_id": now.access_key,
            "secret_access_key": now.secret_key,
            "token": now.session_token,
            "expires_at": now.expires_at or datetime.now(timezone.utc) + _ASK_AGAIN,
        }

    return provider


def _client(options: StoreOptions, endpoint: str | None) -> ClientConfig:
    client: ClientConfig = {
        "allow_http": _is_plain(endpoint),
        "connect_timeout": _CONNECT_TIMEOUT,
        "timeout": _REQUEST_TIMEOUT,
    }
    if options.verify is False:
        client["allow_invalid_certificates"] = True
    elif isinstance(options.verify, str):
        client["root_certificate"] = Path(options.verify).read_bytes()
    return client


def _retries(options: StoreOptions) -> RetryConfig:
    return {"max_retries": options.retries, "backoff": {"init_backoff": timedelta(milliseconds=200)}}


def _is_plain(endpoint: str | None) -> bool:
    return (endpoint or "").startswith("http://")


def _environment(*names: str) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)
