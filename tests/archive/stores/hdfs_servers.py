"""Hadoop's two doors, over a folder of this machine: the REST gateway and the command line."""

from __future__ import annotations

import json
import shutil
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tests.archive.stores.sftp_server import USER


class WebHdfsServer:
    """The operations that smart_open and the store use, redirects included."""

    def __init__(self, root: Path) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.root = root  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        self.port: int = self._server.server_port

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        real = self._real(unquote(url.path).removeprefix("/webhdfs/v1"))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = query["op"]
        if query.get("user.name") != USER and "datanode" not in query:
            self._send(403, {"RemoteException": {"exception": "AccessControlException"}})
        elif operation in ("CREATE", "APPEND") and "datanode" not in query:
            self.send_response(307)
            self.send_header("Location", f"http://{self.headers['Host']}{self.path}&datanode=1")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif operation == "OPEN":
            self._open(real)
        else:
            status, document = self._do(operation, real, query.get("destination", ""), body)
            self._send(status, document)

    def _do(self, operation: str, real: Path, destination: str, body: bytes) -> tuple[int, object]:
        done: object = {"boolean": True}
        status = 200
        try:
            if operation == "CREATE":
                real.write_bytes(body)
                status = 201
            elif operation == "APPEND":
                with real.open("ab") as file:
                    file.write(body)
            elif operation == "GETFILESTATUS":
                done = {"FileStatus": _status(real, "")}
            elif operation == "LISTSTATUS":
                done = {
                    "FileStatuses": {"FileStatus": [_status(entry, entry.name) for entry in real.iterdir()]}
                }
            elif operation == "MKDIRS":
                real.mkdir(parents=True, exist_ok=True)
            elif operation == "DELETE":
                real.unlink()
            elif operation == "RENAME" and _moved(real, self._real(destination)):
                pass
            else:
                done = {"boolean": False}
        except OSError:
            return 404, {"RemoteException": {"exception": "FileNotFoundException"}}
        return status, done

    def _open(self, real: Path) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(real.stat().st_size))
        self.end_headers()
        with real.open("rb") as file, suppress(ConnectionError):
            shutil.copyfileobj(file, self.wfile)

    def _real(self, path: str) -> Path:
        root: Path = self.server.root  # type: ignore[attr-defined]
        return root / path.strip("/")

    def _send(self, status: int, document: object) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def _moved(old: Path, new: Path) -> bool:
    """As Hadoop: in one step, and never over another file."""
    try:
        new.hardlink_to(old)
    except FileExistsError:
        return False
    old.unlink()
    return True


def _status(real: Path, name: str) -> dict[str, object]:
    found = real.stat()
    kind = "DIRECTORY" if real.is_dir() else "FILE"
    return {
        "pathSuffix": name,
        "type": kind,
        "length": found.st_size,
        "modificationTime": int(found.st_mtime * 1000),
    }


#: What ``hdfs dfs`` answers, over the folder ``$HDFS_ROOT``.
HDFS_COMMAND = r"""#!/bin/sh
shift
verb=$1
shift
real() { printf '%s%s' "$HDFS_ROOT" "${1#hdfs://cluster}"; }
absent() { echo "stat: \`$1': No such file or directory" >&2; exit 1; }
case $verb in
-put) shift 2; exec cat >"$(real "$1")" ;;
-cat) exec cat "$(real "$1")" ;;
-stat)
    path=$(real "$2")
    [ -d "$path" ] && { echo "0 0 directory"; exit; }
    [ -f "$path" ] || absent "$2"
    echo "$(stat -c '%s' "$path") $(stat -c '%Y' "$path")000 regular file" ;;
-ls)
    path=$(real "$3")
    [ -d "$path" ] || absent "$3"
    find "$path" -mindepth 1 | sed "s#^$HDFS_ROOT#hdfs://cluster#" ;;
-mkdir) exec mkdir -p "$(real "$2")" ;;
-mv) ln "$(real "$1")" "$(real "$2")" && exec rm "$(real "$1")"; exit 1 ;;
-rm) exec rm -f "$(real "$3")" ;;
*) exit 2 ;;
esac
"""
