"""Uses everything that speaks to anybody, with secrets everywhere, and logs all of it.

``python -m tests.support.observability.logging_child MODE FILE`` writes the secrets, as JSON, to the file, and what is logged to standard output.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
import threading
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

SECRETS = {
    "token": "7~tokenOfAnAdministrator0001",
    "verifier": "verifierOfAFile0002",
    "signature": "signatureOfALink0003",
    "opaque": "opaqueQueryOfALink0004",
    "refresh": "7~refreshToken0005",
    "developer": "secretOfADeveloperKey0006",
    "access": "accessTokenOfAnHour0007",
    "list": "passwordOfAList0008",
    "listing": "signatureOfAList0009",
    "cookie": "cookieOfASession0010",
    "sftp": "correct horse",
    "s3": "secret/Key+OfS3==0011",
    "session": "sessionTokenOfS3/0012=",
    "environment": "secretKeyOfTheEnvironment0013",
    "passphrase": "passphraseOfAKey0014",
    "header": "aTokenInAHeader0015",
    "presigned": "",
}
TOO_MANY = "%s and %s"
ODD = b"this line is no header\r\n"


class Canvas(BaseHTTPRequestHandler):
    """A Canvas, its storage and a web server, whose every answer has an odd line among its headers."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """A refresh of the token."""
        self._say({"access_token": SECRETS["access"], "expires_in": 3600})

    def do_GET(self) -> None:
        """One of the few pages there are."""
        here = f"http://{self.headers['Host']}"
        if "/content_exports/" in self.path:
            url = f"{here}/files/1/download?download_frd=1&verifier={SECRETS['verifier']}"
            export = {"id": 1, "workflow_state": "exported", "export_type": "common_cartridge"}
            export["created_at"] = "2026-11-23T02:00:00Z"
            self._say(
                {
                    **export,
                    "attachment": {"id": 1, "filename": "a.imscc", "url": url, "size": 4},
                    "user_id": 1,
                }
            )
        elif self.path.startswith("/files/"):
            target = f"{here}/storage/a.imscc?X-Amz-Signature={SECRETS['signature']}"
            self._raw(302, b"", f"Location: {target}\r\nSet-Cookie: session={SECRETS['cookie']}\r\n")
        elif self.path.startswith("/cut"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nPK")
            self.close_connection = True
        elif self.path.startswith("/list"):
            self._raw(200, b"101\n")
        else:
            self._raw(200, b"PK\x05\x06")

    def _say(self, document: object) -> None:
        self._raw(200, json.dumps(document).encode(), "Content-Type: application/json\r\n")

    def _raw(self, status: int, body: bytes, headers: str = "") -> None:
        lines = (
            f"HTTP/1.1 {status} X\r\n{headers}X-Token: {SECRETS['header']}\r\nContent-Length: {len(body)}\r\n"
        )
        self.wfile.write(lines.encode() + ODD + b"X-After: y\r\n\r\n" + body)
        self.close_connection = True


def main() -> None:
    """Everything, once."""
    mode, told = sys.argv[1:]
    _listen(mode)
    os.environ["AWS_SECRET_ACCESS_KEY"] = SECRETS["environment"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Canvas)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_address[1]}"
    _canvas(here)
    _lists(here)
    _stores()
    _tracebacks(here)
    Path(told).write_text(json.dumps([each for each in SECRETS.values() if each]))
    logging.shutdown()


def _listen(mode: str) -> None:
    import structlog  # noqa: F401, PLC0415 - as in every process of Airflow

    logging.captureWarnings(capture=True)
    if mode == "plain":
        logging.basicConfig(level=1, stream=sys.stdout)
    else:
        from airflow.sdk.log import configure_logging  # noqa: PLC0415

        output = sys.stdout.buffer if mode == "task" else sys.stdout
        configure_logging(
            json_output=mode == "task",
            log_level="DEBUG",
            output=output,
            sending_to_supervisor=True,
        )
    logging.getLogger().setLevel(1)


def _canvas(here: str) -> None:
    from canvas_exports.core.canvas.async_client import AsyncCanvasClient  # noqa: PLC0415
    from canvas_exports.core.canvas.auth.oauth import RefreshGrant, refresh  # noqa: PLC0415
    from canvas_exports.core.canvas.client import CanvasClient  # noqa: PLC0415
    from canvas_exports.core.canvas.http.origin import Origin  # noqa: PLC0415
    from canvas_exports.core.canvas.http.transports.timeouts import Timeouts  # noqa: PLC0415
    from canvas_exports.core.canvas.http.transports.transport import Transport  # noqa: PLC0415
    from canvas_exports.core.model.contexts import Context  # noqa: PLC0415

    course = Context.parse("101")
    with CanvasClient(here, SECRETS["token"]) as client:
        export = client.show_export(course, 1)
        for _ in client.download(course, export):
            pass

    async def look() -> None:
        async with AsyncCanvasClient(here, SECRETS["token"]) as one:
            await one.show_export(course, 1)

    with suppress(Exception):
        asyncio.run(look(), debug=True)
    transport = Transport(verify=True, timeouts=Timeouts(5, 5))
    grant = RefreshGrant("31", SECRETS["developer"], SECRETS["refresh"])
    assert refresh(grant, Origin.parse(here), transport.send).value == SECRETS["access"]
    transport.close()


def _lists(here: str) -> None:
    from canvas_exports.core.export.planning.course_lists import read_list  # noqa: PLC0415

    place = here.replace("://", f"://me:{SECRETS['list']}@")
    assert len(read_list(f"{place}/list.txt?sig={SECRETS['listing']}")) == 1


def _stores() -> None:
    from tests.support.store_servers.s3 import moto  # noqa: PLC0415
    from tests.support.store_servers.sftp import USER, SftpServer  # noqa: PLC0415

    from canvas_exports.core.storage.open_store import open_store  # noqa: PLC0415
    from canvas_exports.core.storage.options import StoreOptions  # noqa: PLC0415

    sftp = SftpServer(Path(tempfile.mkdtemp()))
    login = StoreOptions(
        username=USER, password=SECRETS["sftp"], host_key=sftp.host_key, passphrase=SECRETS["passphrase"]
    )
    with open_store(f"sftp://127.0.0.1:{sftp.port}/a", login) as store:
        store.put("courses/1/a.zip", [b"PK"])
        assert store.read("courses/1/a.zip") == b"PK"
    with moto() as endpoint:
        import boto3  # noqa: PLC0415
        import requests  # noqa: PLC0415

        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="AKIA",
            aws_secret_access_key=SECRETS["s3"],
            aws_session_token=SECRETS["session"],
        )
        client.create_bucket(Bucket="archive")
        keys = StoreOptions(
            endpoint=endpoint,
            region="us-east-1",
            access_key="AKIA",
            secret_key=SECRETS["s3"],
            session_token=SECRETS["session"],
        )
        with open_store("s3://archive/canvas", keys) as store:
            store.put("courses/1/a.zip", [b"PK"])
            link = store.signed_url("courses/1/a.zip", timedelta(hours=1))
        assert link is not None
        SECRETS["presigned"] = link.partition("X-Amz-Signature=")[2].partition("&")[0]
        requests.get(link, timeout=10)
        client.get_object(Bucket="archive", Key="canvas/courses/1/a.zip")["Body"].read()
        client.put_object(Bucket="archive", Key="b", Body=b"x")
    sftp.close()


def _tracebacks(here: str) -> None:
    import requests  # noqa: PLC0415
    import structlog  # noqa: PLC0415

    log = logging.getLogger("a.library.of.somebody")
    alone = logging.getLogger("another.library")
    alone.propagate = False
    alone.addHandler(logging.StreamHandler(sys.stdout))
    alone.setLevel(1)
    for url in (
        f"http://127.0.0.1:1/x?{SECRETS['opaque']}",
        f"{here}/cut?sig={quote(SECRETS['s3'], safe='')}&next={SECRETS['verifier']}",
    ):
        try:
            requests.get(url, timeout=5)
        except requests.RequestException:  # noqa: PERF203 - two of them
            log.exception("it failed: %s", url)
            alone.exception("it failed", stack_info=True)
            structlog.get_logger("airflow.task").exception("it failed", url=url, nested={"to": [url]})
            structlog.get_logger("airflow.task").warning("it failed: %s", url)
    log.warning(TOO_MANY, SECRETS["token"])
    log.debug("arguments: %r", {"connect_kwargs": {"password": SECRETS["sftp"]}, "key": SECRETS["s3"]})
    log.debug("%(token)s", {"token": SECRETS["refresh"]})
    log.log(1, "at the lowest level: %s", SECRETS["environment"])
    sys.stdout.flush()


if __name__ == "__main__":
    main()
