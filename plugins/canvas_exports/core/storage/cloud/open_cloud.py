"""From a URI and options to an ``ObjectStore``: what obstore wants to know of S3, GCS and Azure.

This module imports obstore, so it is itself imported only to open a store.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from obstore.exceptions import BaseError as SettingsError
from obstore.store import AzureStore, GCSStore, S3Store

from canvas_exports.core.storage.cloud import azure, gcs, s3
from canvas_exports.core.storage.cloud.locks import Locks
from canvas_exports.core.storage.cloud.object_store import IS_OLD_OBSTORE, ObjectStore
from canvas_exports.core.storage.cloud.sdk import CONNECT_TIMEOUT, is_installed
from canvas_exports.core.storage.options import AccessKeys, KeysProvider, Protection, StoreOptions
from canvas_exports.core.storage.store import Capabilities
from canvas_exports.errors import InputError

if TYPE_CHECKING:
    from obstore.store import (
        AzureConfig,
        AzureSASToken,
        ClientConfig,
        GCSConfig,
        RetryConfig,
        S3Config,
        S3Credential,
    )

__all__ = ["SettingsError", "open_azure", "open_gcs", "open_s3"]

# A block of 8 MiB over a slow line that sixteen packages share takes minutes, not obstore's thirty seconds.
_REQUEST_TIMEOUT = timedelta(minutes=15)
# Keys of unknown lifetime are requested again after this time; their provider caches them better than we could.
_ASK_AGAIN = timedelta(minutes=15)
# Longer than one request of an upload may take.
_SIGNED_FOR = timedelta(hours=2)


def open_s3(uri: str, bucket: str, path: str, options: StoreOptions) -> ObjectStore:
    """Open an archive on Amazon S3, or on a server with the same API."""
    endpoint = options.endpoint or _environment("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    region = options.region or _environment("AWS_REGION", "AWS_DEFAULT_REGION") or "us-east-1"
    keys = _keys(options)
    asked = options.protection
    # Over TLS a part cannot be changed on its way; hashing it once more would cost half a CPU second a GB.
    plain = _is_plain(endpoint)
    config: dict[str, Any] = {"region": region, "unsigned_payload": not plain or options.unsigned_payload}
    if plain and options.unsigned_payload:
        config["checksum_algorithm"] = "sha256" if IS_OLD_OBSTORE else "crc64nvme"
    virtual = s3.is_virtual(options.addressing_style, bucket, endpoint)
    config["virtual_hosted_style_request"] = virtual
    if not IS_OLD_OBSTORE:
        config["disable_bulk_delete"] = True  # not every store has it, and we delete one by one
    if endpoint:
        config["endpoint"] = s3.bucket_endpoint(endpoint, bucket) if virtual else endpoint
    if asked.encryption:
        config["server_side_encryption"] = asked.encryption
    if asked.key:
        config["sse_kms_key_id"] = asked.key

    def remote(retries: int) -> S3Store:
        return S3Store(
            bucket,
            prefix=path or None,
            config=cast("S3Config", {**config, **options.settings}),
            client_options=_client(options, endpoint),
            retry_config=_retries(retries),
            credential_provider=None if keys is None else _refreshing(keys),
        )

    sdk = None
    if is_installed("botocore"):
        sdk = s3.S3Sdk(
            uri, options, bucket=bucket, endpoint=endpoint, region=region, keys=keys, virtual=virtual
        )
    store = ObjectStore(
        uri,
        remote(options.retries),
        once=remote(0),
        sdk=sdk,
        listing=s3.S3Listing(sdk, path) if sdk and not options.settings else None,
        uploads=s3.S3Uploads(sdk, path) if sdk else None,
        locks=_locks(s3.S3Locks(sdk, path) if sdk else None, asked, "s3"),
        missing_extra=None if sdk else "s3",
        protection=asked,
        retries=options.retries,
        capabilities=Capabilities(
            sweeps=sdk is not None,
            signs=True,
            encrypts=True,
            classes=True,
            tags=True,
            locks=sdk is not None,
        ),
    )
    store.signs_payloads = plain and not options.unsigned_payload
    return store


def open_gcs(uri: str, bucket: str, path: str, options: StoreOptions) -> ObjectStore:
    """Open an archive on Google Cloud Storage. Without a service account: application default credentials."""
    config: dict[str, Any] = {**options.settings}
    if options.service_account:
        config["service_account_key"] = options.service_account
    elif options.key_file:
        config["service_account"] = options.key_file
    if options.endpoint:
        config["base_url"] = options.endpoint
    asked = options.protection

    def remote(**headers: str) -> GCSStore:
        client = _client(options, options.endpoint)
        return GCSStore(
            bucket,
            prefix=path or None,
            config=cast("GCSConfig", config),
            client_options={**client, "default_headers": headers} if headers else client,
            retry_config=_retries(options.retries),
        )

    reads = remote()  # first: it refuses what is no service account's key
    credential = gcs.credential_provider(options)
    sdk = None
    if credential is not None:
        sdk = gcs.GcsSdk(uri, options, bucket=bucket, credential=credential)
    return ObjectStore(
        uri,
        reads,
        # Google takes this header with every request of an upload, in one request or in parts, but with no other.
        writes=remote(**{"x-goog-encryption-kms-key-name": asked.key}) if asked.key else None,
        sdk=sdk,
        listing=gcs.GcsListing(sdk, path) if sdk and not options.settings else None,
        uploads=gcs.GcsUploads(sdk, path) if sdk else None,
        locks=_locks(gcs.GcsLocks(sdk, path) if sdk else None, asked, "gcs"),
        missing_extra=None if gcs.is_available() else "gcs",
        protection=asked,
        retries=options.retries,
        capabilities=Capabilities(
            sweeps=sdk is not None, signs=True, encrypts=True, classes=True, locks=sdk is not None
        ),
    )


def open_azure(uri: str, container: str, path: str, options: StoreOptions) -> ObjectStore:
    """Open an archive on Azure Blob Storage. Without a key or signature: the environment's or the machine's identity."""
    account = options.account or _environment("AZURE_STORAGE_ACCOUNT_NAME")
    own = options.account_key or options.sas_token  # obstore may take either first
    key = options.account_key or (
        None if own else _environment("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY")
    )
    given = {
        "account_name": account,
        "account_key": key,
        "sas_key": None if key else options.sas_token,
        "endpoint": options.endpoint,
    }
    config: dict[str, Any] = {**options.settings, **{name: value for name, value in given.items() if value}}
    asked = options.protection

    def remote(config: dict[str, Any], **more: Any) -> AzureStore:
        return AzureStore(
            container,
            prefix=path or None,
            config=cast("AzureConfig", config),
            client_options=_client(options, options.endpoint),
            retry_config=_retries(options.retries),
            **more,
        )

    writes = None
    if asked.key and not is_installed("azure.storage.blob"):
        raise InputError("encryption_scope", "it needs Azure's own SDK: install the extra azure")
    if asked.key and account and key:
        scoped = {name: value for name, value in config.items() if name != "account_key"}
        writes = remote(
            scoped, credential_provider=partial(_scoped, account, key, container=container, scope=asked.key)
        )
    elif asked.key and azure.scope_of(options.sas_token or "") != asked.key:
        raise InputError(
            "encryption_scope",
            "without an account key it has to be part of the shared access signature (ses)",
        )
    sdk = None
    credential = azure.credential_provider(options, account, key) if account else None
    if account and credential is not None:
        sdk = azure.AzureSdk(
            uri,
            options,
            container=container,
            endpoint=options.endpoint or f"https://{account}.blob.core.windows.net",
            credential=credential,
        )
    return ObjectStore(
        uri,
        remote(config),
        writes=writes,
        sdk=sdk,
        listing=azure.AzureListing(sdk, path) if sdk else None,
        locks=_locks(azure.AzureLocks(sdk, path) if sdk else None, asked, "azure"),
        protection=asked,
        retries=options.retries,
        capabilities=Capabilities(
            sweeps=False,
            signs=not options.sas_token or key is not None,
            encrypts=True,
            classes=True,
            tags=True,
            locks=sdk is not None,
        ),
    )


def _locks(locks: Locks | None, asked: Protection, extra: str) -> Locks | None:
    """Refuse to go on without locks if any are wanted."""
    if asked.locks and locks is None:
        raise InputError(
            "lock_mode, legal_hold",
            f"locks need the cloud's own SDK: install the extra {extra}",
        )
    return locks


def _scoped(account: str, key: str, *, container: str, scope: str) -> AzureSASToken:
    signature = azure.scoped_signature(account, key, container, scope, _SIGNED_FOR)
    return {"sas_token": signature, "expires_at": datetime.now(timezone.utc) + _SIGNED_FOR - _ASK_AGAIN}


def _keys(options: StoreOptions) -> KeysProvider | None:
    """Return the given keys, or those that the AWS tools would find; ``None``: obstore uses the machine's identity."""
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
    if not is_installed("boto3"):
        return None
    import boto3  # noqa: PLC0415 - optional, and it has no types

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
        "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT),
        "timeout": _REQUEST_TIMEOUT,
    }
    if options.verify is False:
        client["allow_invalid_certificates"] = True
    elif isinstance(options.verify, str):
        client["root_certificate"] = Path(options.verify).read_bytes()
    return client


def _retries(number: int) -> RetryConfig:
    return {"max_retries": number, "backoff": {"init_backoff": timedelta(milliseconds=200)}}


def _is_plain(endpoint: str | None) -> bool:
    return (endpoint or "").startswith("http://")


def _environment(*names: str) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)
