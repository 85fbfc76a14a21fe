"""Airflow's execution API with its database, in a process of its own: ``python -m tests.support.airflow.execution_api FILE``.

As workers and triggerers reach it, but for the proof who they are. It writes its address into a file once it answers, and
ends with its standard input.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from http import HTTPStatus
from pathlib import Path

import httpx
import uvicorn
from airflow.api_fastapi.execution_api.app import InProcessExecutionAPI
from airflow.utils.db import initdb

if __name__ == "__main__":
    initdb()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(InProcessExecutionAPI().app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:  # the listener holds requests before that, and after a failed start
            assert thread.is_alive(), "it did not start: see its log"
            time.sleep(0.05)
        address = "http://{}:{}/".format(*listener.getsockname())
        assert httpx.get(f"{address}variables/none", timeout=120).status_code == HTTPStatus.NOT_FOUND
        Path(sys.argv[1]).write_text(address, encoding="utf-8")
        sys.stdin.read()
        server.should_exit = True
        thread.join()
