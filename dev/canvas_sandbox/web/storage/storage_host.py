"""The storage host, which checks signed URLs and knows no users."""

from __future__ import annotations

from urllib.parse import unquote

from canvas_sandbox.records import Attachment
from canvas_sandbox.switches import Storage
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.storage.files import object_path
from canvas_sandbox.web.storage.package_body import package_response
from canvas_sandbox.web.storage.signed_urls import UrlSigner
from canvas_sandbox.web.storage.storage_errors import instfs_error, s3_error
from canvas_sandbox.world import World


class StorageHost:
    """Serves packages for a valid signature. A request that also has Canvas's token is refused."""

    def __init__(self, world: World, signer: UrlSigner) -> None:
        self._world = world
        self._signer = signer
        self._kind = Storage(world.kernel.switches.storage)

    def get(self, call: Call) -> Response:
        """``GET`` of a signed URL."""
        if self._world.kernel.switches.reject_bearer_on_storage and "Authorization" in call.headers:
            return self._refuse(401, "InvalidArgument", "Only one auth mechanism allowed")
        # Compared decoded: clients may spell the same path with other percent signs.
        path = unquote(call.path)
        attachment = self._find(path)
        if self._kind is Storage.INSTFS:
            good = self._signer.accepts(str(call.query.get("token", "")), path, call.now)
        else:
            good = self._signer.presigned_is_good(path, call.query, call.now)
        if not good:
            return self._refuse(403, "AccessDenied", "Request has expired")
        if attachment is None or self._world.exports.is_collected(attachment.export):
            return self._refuse(404, "NoSuchKey", "The specified key does not exist.")
        return package_response(attachment, call, self._world.kernel.switches)

    def _find(self, path: str) -> Attachment | None:
        """Return the attachment of a path, by id or by uuid, if the whole path is right."""
        parts = path.strip("/").split("/")
        if self._kind is Storage.INSTFS:
            found = (row for row in self._world.exports.attachments.values() if row.uuid in parts)
            attachment = next(found, None)
        else:
            number = parts[-2] if len(parts) > 1 else ""
            attachment = self._world.exports.attachments.get(int(number)) if number.isdecimal() else None
        return attachment if attachment is not None and object_path(attachment, self._kind) == path else None

    def _refuse(self, status: int, code: str, message: str) -> Response:
        if self._kind is Storage.INSTFS:
            return instfs_error(401 if status == 403 else status, code, message)  # noqa: PLR2004  a status
        return s3_error(status, code, message)
