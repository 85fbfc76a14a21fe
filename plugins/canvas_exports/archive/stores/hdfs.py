"""HDFS through its command line, which smart_open uses too."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timezone

from canvas_exports.archive.capabilities import Capabilities
from canvas_exports.archive.stores.remote import Remote, RemoteFile, no_matter


class Hdfs(Remote):
    """The cluster that ``hdfs dfs`` is configured for, or the one the URI names."""

    capabilities = Capabilities(ranges=False)

    def __init__(self, scheme: str, authority: str) -> None:
        self._prefix = f"{scheme}://{authority}"

    def uri(self, path: str) -> str:
        """The cluster's own URI."""
        return f"{self._prefix}{path}"

    def stat(self, path: str) -> RemoteFile | None:
        """``hdfs dfs -stat``."""
        found = self._run("-stat", "%b %Y %F", self.uri(path), absent_is_fine=True)
        size, changed, *kind = (found or "0 0 directory").split()
        if kind == ["directory"]:
            return None
        return RemoteFile(path, int(size), datetime.fromtimestamp(int(changed) / 1000, timezone.utc))

    def walk(
        self,
        folder: str,
        enters: Callable[[str], bool] = bool,  # noqa: ARG002 - one command lists all
        odd: Callable[[str, str], None] = no_matter,  # noqa: ARG002 - as above
    ) -> Iterator[RemoteFile]:
        """``hdfs dfs -ls -R``, and ``-stat`` for each file."""
        listed = self._run("-ls", "-R", "-C", self.uri(folder), absent_is_fine=True) or ""
        for line in listed.splitlines():
            found = self.stat(line.removeprefix(self._prefix))
            if found is not None:
                yield found

    def make_folder(self, path: str) -> None:
        """``hdfs dfs -mkdir -p``."""
        self._run("-mkdir", "-p", self.uri(path))

    def rename(self, old: str, new: str) -> None:
        """``hdfs dfs -mv``, which never replaces."""
        try:
            self._run("-mv", self.uri(old), self.uri(new))
        except HdfsCommandError:
            if self.stat(new) is not None:
                raise FileExistsError(new) from None
            raise

    def replace(self, old: str, new: str) -> None:
        """Delete, then rename: HDFS has no call for both."""
        self.delete(new)
        self.rename(old, new)

    def delete(self, path: str) -> None:
        """``hdfs dfs -rm``, past the trash: it would keep what nobody may see."""
        self._run("-rm", "-f", "-skipTrash", self.uri(path))

    def is_denied(self, error: Exception) -> bool:
        """The command said so."""
        return isinstance(error, HdfsCommandError) and error.denied

    def _run(self, *arguments: str, absent_is_fine: bool = False) -> str | None:
        done = subprocess.run(  # noqa: S603 - a fixed command; every path is one argument
            ["hdfs", "dfs", *arguments],  # noqa: S607 - wherever the cluster's tools are installed
            capture_output=True,
            check=False,
            text=True,
        )
        if done.returncode == 0:
            return done.stdout.strip()
        if absent_is_fine and "No such file or directory" in done.stderr:
            return None
        raise HdfsCommandError(denied="Permission denied" in done.stderr)


class HdfsCommandError(OSError):
    """``hdfs dfs`` failed."""

    def __init__(self, *, denied: bool) -> None:
        super().__init__("hdfs dfs failed")
        self.denied = denied
