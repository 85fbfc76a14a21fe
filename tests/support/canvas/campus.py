"""A sandbox with one course, a group and a user, and a client of it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.models import ContentExport
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.model.contexts import Context
from canvas_sandbox import Sandbox

COURSE = Context.parse("101")


GROUP = Context.parse("group:7")


USER = Context.parse("user:self")


CONTEXTS = {"courses": COURSE, "groups": GROUP, "users": USER}


A_DAY = 86_400.0


@dataclass
class Campus:
    """A sandbox whose clock moves when the client sleeps, and clients for the people in it."""

    sandbox: Sandbox
    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.sandbox.advance(seconds)
        self.now += seconds

    def client(self, role: str = "admin", **options: Any) -> CanvasClient:
        rate_limiter = RateLimiter(clock=lambda: self.now)
        token = self.sandbox.tokens[role]
        return CanvasClient(
            self.sandbox.url,
            token,
            rate_limiter=rate_limiter,
            clock=lambda: self.now,
            sleep=self.sleep,
            **options,
        )

    def export(self, client: CanvasClient, context: Context = COURSE, **parameters: Any) -> ContentExport:
        """A new export, and the hour it may take."""
        parameters.setdefault("export_type", "common_cartridge")
        export = client.create_export(context, ExportRequest.build(**parameters, kind=context.kind))
        self.sleep(3600)
        return client.show_export(context, export.id)

    def package(self, client: CanvasClient, export: ContentExport, context: Context = COURSE) -> list[str]:
        """The names in an export's package, fetched whole."""
        data = b"".join(bytes(block) for block in client.download(context, export))
        assert export.attachment is not None
        assert len(data) == export.attachment.size
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            return archive.namelist()


Found = Callable[..., Campus]
