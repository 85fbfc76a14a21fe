"""The three steps of an upload: Canvas's preflight, the file to the storage, and completion."""

from __future__ import annotations

import base64
import json
from typing import Any

from canvas_sandbox.changes import apply
from canvas_sandbox.clock import iso
from canvas_sandbox.faults import Fault
from canvas_sandbox.imports.records import Upload
from canvas_sandbox.switches import Storage
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.http.multipart import ReceivedForm
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.storage.files import BUCKET, upload_json
from canvas_sandbox.web.storage.signed_urls import UrlSigner
from canvas_sandbox.web.storage.storage_errors import instfs_error, s3_error
from canvas_sandbox.world import World

POLICY_LIFETIME = 1800.0
_LARGEST = 5 * 1024**3
_FREE_FIELDS = frozenset({"Policy", "x-amz-signature", "Signature", "content-type"})


class UploadEndpoints:
    """The endpoints of uploads. Uploads are for imports only."""

    def __init__(self, world: World, signer: UrlSigner) -> None:
        self._world = world
        self._signer = signer
        self._kind = Storage(world.kernel.switches.storage)

    def add_to(self, router: Router) -> None:
        """Add the route that completes an upload."""
        for method in ("GET", "POST"):
            router.add(method, "/api/v1/files/:id/create_success", self.create_success)

    def expects(self, method: str, path: str, *, on_storage: bool) -> bool:
        """Return whether a request is an upload to this host."""
        if self._kind is Storage.LOCAL:
            return method == "POST" and not on_storage and path == "/files_api"
        target = "/files" if self._kind is Storage.INSTFS else f"/{BUCKET}"
        return method == "POST" and on_storage and path.rstrip("/") == target

    def preflight(self, upload: Upload) -> dict[str, Any]:
        """Return ``pre_attachment``: where to send the file, and the fields before it."""
        data: dict[str, Any] = {"file_param": "file", "progress": None}
        if self._kind is Storage.INSTFS:
            token = self._signer.token(f"upload:{upload.id}", upload.issued_at + POLICY_LIFETIME)
            return data | {
                "upload_url": f"{self._world.kernel.storage_url}/files?token={token}",
                "upload_params": {"filename": upload.name, "content_type": upload.content_type},
            }
        fields = {
            "key": f"account_1/attachments/{upload.id}/{upload.name}",
            "acl": "private",
            "Filename": upload.name,
            "success_action_redirect": self._success_url(upload),
        }
        policy = _encode(
            {
                "expiration": iso(upload.issued_at + POLICY_LIFETIME),
                "expires": upload.issued_at + POLICY_LIFETIME,
                "upload": upload.id,
                "conditions": [
                    {"bucket": BUCKET},
                    *({name: value} for name, value in fields.items()),
                    ["starts-with", "$content-type", ""],
                    ["content-length-range", 1, _LARGEST],
                ],
            }
        )
        local = self._kind is Storage.LOCAL
        return data | {
            "upload_url": f"{self._world.kernel.canvas_url}/files_api"
            if local
            else f"{self._world.kernel.storage_url}/{BUCKET}",
            "upload_params": {
                **fields,
                "content-type": upload.content_type,
                "Policy": policy,
                "Signature" if local else "x-amz-signature": self._signer.sign(policy),
            },
        }

    def accept(self, call: Call, received: ReceivedForm) -> Response:
        """Accept or refuse the file of the second step. A refused file is removed."""
        instfs = self._kind is Storage.INSTFS
        response = self._accept_instfs(call, received) if instfs else self._accept_form(call, received)
        if received.stored is not None:
            self._world.migrations.upload_store.discard(received.stored)
        return response

    def create_success(self, call: Call) -> Response:
        """``GET`` or ``POST /api/v1/files/:id/create_success?uuid=``: the third step, which works once."""
        number = call.ids["id"]
        upload = self._world.migrations.uploads.get(int(number)) if number.isdecimal() else None
        if upload is None or call.params.get("uuid") != upload.uuid or upload.state != "received":
            return Response(400, body=b"")
        return self._complete(upload)

    def _accept_instfs(self, call: Call, received: ReceivedForm) -> Response:
        if "Authorization" in call.headers and self._world.kernel.switches.reject_bearer_on_storage:
            return instfs_error(401, "upload refused", "only one credential is allowed")
        upload = self._upload_of(str(call.query.get("token", "")), call.now)
        if upload is None:
            return instfs_error(401, "upload refused", "token is not valid")
        if received.stored is None or received.late or received.stored.size == 0:
            return instfs_error(400, "upload refused", "a file is required, as the last field")
        self._record_file(upload, received)
        done = self._complete(upload)
        if done.status == 200:  # noqa: PLR2004  a status
            done.status = 201
            done.headers["Location"] = f"{self._world.kernel.canvas_url}/api/v1/files/{upload.id}"
        return done

    def _accept_form(self, call: Call, received: ReceivedForm) -> Response:
        """Accept a form with a signed policy. Local storage refuses without a reason."""
        fault = self._fault_of(call, received)
        if fault is not None:
            return Response(400, body=b"") if self._kind is Storage.LOCAL else s3_error(*fault)
        upload = self._world.migrations.uploads[_decode(received.fields["Policy"])["upload"]]
        self._record_file(upload, received)
        if self._kind is Storage.LOCAL:
            return Response(302, body=b"", headers={"Location": self._success_url(upload)})
        location = f"{self._success_url(upload)}&bucket={BUCKET}&key=account_1%2Fattachments%2F{upload.id}"
        return Response(303, body=b"", headers={"Location": location})

    def _fault_of(  # noqa: PLR0911  one return a reason
        self, call: Call, received: ReceivedForm
    ) -> tuple[int, str, str] | None:
        """Return status, code and message of a form that the storage refuses."""
        fields, stored = received.fields, received.stored
        on_storage = self._kind is Storage.S3 and self._world.kernel.switches.reject_bearer_on_storage
        if on_storage and "Authorization" in call.headers:
            return 400, "InvalidArgument", "Only one auth mechanism allowed"
        if stored is None:
            return 400, "InvalidArgument", "POST requires exactly one file upload per request."
        if received.late or "key" not in fields:
            wrong = received.late[0] if received.late else "key"
            return 400, "InvalidArgument", f"The field {wrong} has to stand before the file"
        signature = fields.get("Signature", fields.get("x-amz-signature", ""))
        if not self._signer.has_signed(fields.get("Policy", ""), signature):
            return 403, "SignatureDoesNotMatch", "The signature does not match the policy"
        policy = _decode(fields["Policy"])
        if call.now >= policy["expires"]:
            return 403, "AccessDenied", "Invalid according to Policy: Policy expired."
        wanted = {
            name: value
            for row in policy["conditions"]
            if isinstance(row, dict)
            for name, value in row.items()
        }
        del wanted["bucket"]
        for name, value in wanted.items():
            if fields.get(name) != value:
                return 403, "AccessDenied", f"Invalid according to Policy: Policy Condition failed: {name}"
        if extra := fields.keys() - wanted.keys() - _FREE_FIELDS:
            return 403, "AccessDenied", f"Invalid according to Policy: Extra input fields: {min(extra)}"
        if stored.size == 0:
            return 400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"
        return None

    def _upload_of(self, token: str, now: float) -> Upload | None:
        """Return the pending upload of a token."""
        return next(
            (
                upload
                for upload in self._world.migrations.uploads.values()
                if upload.state == "pending" and self._signer.accepts(token, f"upload:{upload.id}", now)
            ),
            None,
        )

    def _record_file(self, upload: Upload, received: ReceivedForm) -> None:
        """Record the file. Until the upload is completed, a later file replaces it."""
        stored = received.stored
        if upload.state == "success" or stored is None:
            return
        received.stored = None  # no longer the request's
        apply(self._world, "receive_upload", upload.id, stored.name, stored.size, stored.sha256)

    def _complete(self, upload: Upload) -> Response:
        migrations = self._world.migrations
        migration = migrations.rows[upload.migration_id]
        assert upload.stored is not None
        quota, used = self._world.contents.quota(migration.context)
        late = migration.context.active_faults.take(Fault.OVER_QUOTA_LATE)
        if late or used + upload.stored.size > quota:
            return errors.invalid("file size exceeds quota limits").response
        if migration.upload is upload and migration.workflow_state == "pre_processing":
            apply(self._world, "finish_upload", upload.id)
        return Response(data=upload_json(upload, self._world.kernel.canvas_url))

    def _success_url(self, upload: Upload) -> str:
        return f"{self._world.kernel.canvas_url}/api/v1/files/{upload.id}/create_success?uuid={upload.uuid}"


def _encode(policy: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(policy).encode()).decode()


def _decode(policy: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(base64.b64decode(policy))
    return data
