"""HDFS through its REST gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

import requests

from canvas_exports.archive.blocks import BLOCK_SIZE
from canvas_exports.archive.capabilities import Capabilities
from canvas_exports.archive.credentials import StoreOptions
from canvas_exports.archive.stores.remote import Remote, RemoteFile, no_matter

DEFAULT_PORT = 9870


class WebHdfs(Remote):
    """One name node, as the user whose name is given."""

    capabilities = Capabilities(ranges=False)

    def __init__(self, host: str, port: int | None, username: str | None, options: StoreOptions) -> None:
        self._place = f"{host}:{port or DEFAULT_PORT}"
        self._username = options.username or username

    def uri(self, path: str) -> str:
        """With the user's name, which is all that plain WebHDFS asks for."""
        user = f"{quote(self._username, safe='')}@" if self._username else ""
        return f"webhdfs://{user}{self._place}{quote(path)}"

    def opened(self, stream: Any) -> None:
        """Send parts of a block's size; smart_open would gather 50 MiB for every package in flight."""
        if stream.writable():
            stream.min_part_size = BLOCK_SIZE

    def stat(self, path: str) -> RemoteFile | None:
        """``GETFILESTATUS``."""
        answer = self._ask("GET", path, "GETFILESTATUS")
        if answer is None or answer["FileStatus"]["type"] != "FILE":
            return None
        return _file(path, answer["FileStatus"])

    def walk(
        self, folder: str, enters: Callable[[str], bool] = bool, odd: Callable[[str, str], None] = no_matter
    ) -> Iterator[RemoteFile]:
        """``LISTSTATUS``, folder by folder."""
        answer = self._ask("GET", folder, "LISTSTATUS") or {"FileStatuses": {"FileStatus": []}}
        for status in answer["FileStatuses"]["FileStatus"]:
            path = f"{folder}/{status['pathSuffix']}"
            if status["type"] == "FILE":
                yield _file(path, status)
            elif enters(path):
                yield from self.walk(path, enters, odd)

    def make_folder(self, path: str) -> None:
        """``MKDIRS``."""
        self._ask("PUT", path, "MKDIRS")

    def rename(self, old: str, new: str) -> None:
        """``RENAME``, which never replaces."""
        answer = self._ask("PUT", old, "RENAME", destination=new)
        if not (answer and answer["boolean"]):
            raise FileExistsError(new)

    def replace(self, old: str, new: str) -> None:
        """Delete, then rename: WebHDFS has no call for both."""
        self.delete(new)
        self.rename(old, new)

    def delete(self, path: str) -> None:
        """``DELETE``."""
        self._ask("DELETE", path, "DELETE")

    def is_denied(self, error: Exception) -> bool:
        """HTTP 401 or 403."""
        status = getattr(error, "status_code", None) or getattr(
            getattr(error, "response", None), "status_code", None
        )
        return status in (requests.codes.unauthorized, requests.codes.forbidden)

    def _ask(self, verb: str, path: str, operation: str, **query: str) -> dict[str, Any] | None:
        """The answer to one operation; ``None`` if there is no such file."""
        query |= {"op": operation} | ({"user.name": self._username} if self._username else {})
        url = f"http://{self._place}/webhdfs/v1{quote(path)}"
        answer = requests.request(verb, url, params=query, timeout=self.TIMEOUT)
        if answer.status_code == requests.codes.not_found:
            return None
        answer.raise_for_status()
        parsed: dict[str, Any] = answer.json()
        return parsed


def _file(path: str, status: dict[str, Any]) -> RemoteFile:
    modified = datetime.fromtimestamp(status["modificationTime"] / 1000, timezone.utc)
    return RemoteFile(path, status["length"], modified)
