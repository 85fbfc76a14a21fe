"""Receive a multipart upload: fields in memory, the file directly to the disk."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import BodyPartReader, MultipartReader, web

from canvas_sandbox.imports.upload_store import StoredUpload, UploadStore

_PIECE = 256 * 1024
_FIELD_LIMIT = 64 * 1024


class BrokenUploadError(Exception):
    """The body ended early, or is not a multipart form."""


@dataclass
class ReceivedForm:
    """A received form: the fields before the file, the file, and the names of the fields behind it."""

    fields: dict[str, str] = field(default_factory=dict)
    stored: StoredUpload | None = None
    late: list[str] = field(default_factory=list)


async def receive(
    request: web.BaseRequest, upload_store: UploadStore, limit: int | None = None
) -> ReceivedForm | None:
    """Receive an upload and store the file. With a ``limit``, stop after that many bytes, store nothing and return ``None``.

    Raises:
        BrokenUploadError: the body ended early, or is not a multipart form.
    """
    if not request.content_type.startswith("multipart/"):
        raise BrokenUploadError
    received = ReceivedForm()
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, MultipartReader):
                raise BrokenUploadError
            if part.name == "file" and received.stored is None:
                received.stored = await _file(part, upload_store, limit)
                if received.stored is None:
                    return None
            elif received.stored is not None:
                await part.release()
                received.late.append(part.name or "")
            else:
                received.fields[part.name or ""] = (await part.read())[:_FIELD_LIMIT].decode(
                    "utf-8", "replace"
                )
    except (ValueError, AssertionError, ConnectionError, EOFError, web.RequestPayloadError) as error:
        raise BrokenUploadError from error
    return received


async def _file(part: BodyPartReader, upload_store: UploadStore, limit: int | None) -> StoredUpload | None:
    arrived = 0
    with upload_store.receive() as receiver:
        while piece := await part.read_chunk(_PIECE):
            receiver.write(piece)
            arrived += len(piece)
            if limit is not None and arrived >= limit:
                return None
        if not part.at_eof():
            raise BrokenUploadError
        return receiver.finish()
