"""Packages as files: their JSON, and the redirects from the download URL to the storage."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from canvas_sandbox.clock import iso
from canvas_sandbox.faults import Fault
from canvas_sandbox.imports.records import Upload
from canvas_sandbox.records import Attachment
from canvas_sandbox.switches import Storage
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, Response, page
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.permissions import can_manage_content, can_show_export
from canvas_sandbox.web.storage.package_body import package_response
from canvas_sandbox.web.storage.signed_urls import UrlSigner
from canvas_sandbox.world import World

_HOP_LIFETIME = 300.0
BUCKET = "canvas-sandbox"


def file_json(world: World, attachment: Attachment, base_url: str) -> dict[str, Any]:
    """Return the file object, in Canvas's order of keys. It has no checksum."""
    url = f"{base_url}/files/{attachment.id}/download?download_frd=1"
    if world.kernel.switches.verifier_in_url:
        url += f"&verifier={attachment.uuid}"
    moment = iso(attachment.created_at)
    uuid = attachment.uuid if world.kernel.switches.uuid_in_file_json else None
    return _json(attachment, attachment.size, moment, url, uuid)


def upload_json(upload: Upload, base_url: str) -> dict[str, Any]:
    """Return the file object of an upload."""
    url = f"{base_url}/files/{upload.id}/download?download_frd=1"
    size = upload.stored.size if upload.stored else upload.declared
    data = _json(upload, size, iso(upload.issued_at), url)
    return data if upload.state == "success" else data | {"upload_status": "pending"}


def _json(
    file: Attachment | Upload, size: int, moment: str, url: str, uuid: str | None = None
) -> dict[str, Any]:
    return {
        "id": file.id,
        "folder_id": None,
        "display_name": file.name,
        "filename": file.name,
        **({} if uuid is None else {"uuid": uuid}),
        "upload_status": "success",
        "content-type": file.content_type,
        "url": url,
        "size": size,
        "created_at": moment,
        "updated_at": moment,
        "unlock_at": None,
        "locked": False,
        "hidden": False,
        "lock_at": None,
        "hidden_for_user": False,
        "thumbnail_url": None,
        "modified_at": moment,
        "mime_class": "zip" if file.content_type == "application/zip" else "file",
        "media_entry_id": None,
        "category": "uncategorized",
        "locked_for_user": False,
    }


def object_path(attachment: Attachment, storage: Storage) -> str:
    """Return the path of the package on the storage host, not yet percent-encoded."""
    if storage is Storage.INSTFS:
        return f"/files/{attachment.uuid}/{attachment.name}"
    return f"/{BUCKET}/account_1/attachments/{attachment.id}/{attachment.name}"


class FileEndpoints:
    """Show a file and redirect its download."""

    def __init__(self, world: World, signer: UrlSigner) -> None:
        self._world = world
        self._signer = signer

    def add_to(self, router: Router) -> None:
        """Add the API route and the two that need no API credential."""
        router.add("GET", "/api/v1/files/:id", self.show)
        router.add("GET", "/files/:id", self.download)
        router.add("GET", "/files/:id/download", self.download)
        router.add("GET", "/login", self.login)

    def show(self, call: Call) -> Response:
        """``GET /api/v1/files/:id``."""
        attachment = self._find(call)
        if attachment is None:
            return self._show_upload(call)
        if not can_show_export(self._world, call.user, attachment.export):
            raise errors.denied(self._world.kernel.switches)
        return Response(data=file_json(self._world, attachment, call.base_url))

    def _show_upload(self, call: Call) -> Response:
        """Show a file that was uploaded for an import. It cannot be downloaded."""
        migrations, number = self._world.migrations, call.ids["id"]
        upload = migrations.uploads.get(int(number)) if number.isdecimal() else None
        if upload is None or upload.state != "success":
            raise errors.not_found()
        if not can_manage_content(self._world, call.user, migrations.rows[upload.migration_id].context):
            raise errors.denied(self._world.kernel.switches)
        return Response(data=upload_json(upload, call.base_url))

    def login(self, _: Call) -> Response:
        """``GET /login``: the page that a naive download mistakes for a package."""
        text = "Please log in to continue. " + "This page is not the file you asked for. " * 60
        return page(200, "Log in to Canvas", text)

    def download(self, call: Call) -> Response:
        """``GET /files/:id/download``: a redirect to the files host, to the storage, or the bytes."""
        attachment = self._find(call)
        if attachment is None:
            return page(404, "Page Not Found", "Oops, we couldn't find that page.")
        active_faults = attachment.export.context.active_faults
        if active_faults.take(Fault.LOGIN_PAGE):
            return errors.login_redirect(call.base_url)
        turned_away = self._check(call, attachment)
        if turned_away is not None:
            return turned_away
        if active_faults.take(Fault.STORAGE_GONE):
            return errors.storage_object_gone()
        if self._world.kernel.switches.files_domain and not self._on_files_host(call):
            hop = self._signer.token(f"hop:{attachment.id}", call.now + _HOP_LIFETIME)
            return _redirect(
                f"{self._world.kernel.files_url}/files/{attachment.id}/download?sf_verifier={hop}&download_frd=1"
            )
        return self._to_storage(call, attachment)

    def _on_files_host(self, call: Call) -> bool:
        return self._world.kernel.switches.files_domain and call.base_url == self._world.kernel.files_url

    def _check(self, call: Call, attachment: Attachment) -> Response | None:
        """Return the response to a caller without access. On the files host the signed hop decides, elsewhere the caller."""
        if self._on_files_host(call):
            hop = str(call.query.get("sf_verifier", ""))
            good = self._signer.accepts(hop, f"hop:{attachment.id}", call.now)
            return None if good else self._back(call, attachment)
        return None if self._may_download(call, attachment) else self._turn_away(call)

    def _find(self, call: Call) -> Attachment | None:
        number = call.ids["id"]
        attachment = self._world.exports.attachments.get(int(number)) if number.isdecimal() else None
        return (
            None if attachment is None or self._world.exports.is_collected(attachment.export) else attachment
        )

    def _may_download(self, call: Call, attachment: Attachment) -> bool:
        if call.query.get("verifier") == attachment.uuid:
            return True
        allowed = self._world.kernel.switches.file_token_auth and call.caller is not None
        return allowed and can_show_export(self._world, call.user, attachment.export)

    def _turn_away(self, call: Call) -> Response:
        """Return JSON to API clients and the login page to all others; a known caller is denied."""
        if self._world.kernel.switches.file_token_auth and call.caller is not None:
            raise errors.denied(self._world.kernel.switches)
        if "application/json" in call.headers.get("Accept", ""):
            data = {"status": "unauthenticated", "errors": [{"message": "user authorization required"}]}
            return Response(401, data)
        return errors.login_redirect(call.base_url)

    def _back(self, call: Call, attachment: Attachment) -> Response:
        """Redirect an expired hop back to its origin."""
        query = f"download_frd=1&fallback_ts={int(call.now)}"
        return _redirect(f"{self._world.kernel.canvas_url}/files/{attachment.id}/download?{query}")

    def _to_storage(self, call: Call, attachment: Attachment) -> Response:
        switches = self._world.kernel.switches
        storage = Storage(switches.storage)
        if storage is Storage.LOCAL:
            response = package_response(attachment, call, switches)
            response.headers["Cache-Control"] = f"private, max-age={int(switches.storage_url_ttl)}"
            return response
        expired = attachment.export.context.active_faults.take(Fault.EXPIRED_LINK)
        now = call.now - switches.storage_url_ttl - 1 if expired else call.now
        path = object_path(attachment, storage)
        if storage is Storage.INSTFS:
            token = self._signer.token(path, now + switches.storage_url_ttl)
            return _redirect(
                f"{self._world.kernel.storage_url}{quote(path)}?token={token}&download=1", cache="no-store"
            )
        query = self._signer.presign(path, now, switches.storage_url_ttl, attachment.name)
        cache = f"private, max-age={int(switches.storage_url_ttl)}"
        return _redirect(f"{self._world.kernel.storage_url}{quote(path)}?{query}", cache=cache)


def _redirect(url: str, cache: str = "no-store") -> Response:
    return Response(
        302,
        body=b"<html><body>You are being redirected.</body></html>",
        content_type="text/html; charset=utf-8",
        headers={"Location": url, "Cache-Control": cache},
    )
