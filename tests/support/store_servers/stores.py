"""A store under test, and a look behind it."""

from __future__ import annotations

import os
import time
import uuid
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError
from botocore.exceptions import ClientError
from tests.support.store_servers.gcs import GcsServer, Upload
from tests.support.store_servers.wild_s3 import Thing, Unfinished, WildS3, yesterday

from canvas_exports.core.storage.store import Store

MiB = 1024 * 1024


@dataclass
class Place(ABC):
    """A place to store in.

    Attributes:
        store: under test.
        large: a size, in bytes, that takes it several requests.
        tells_age: whether the server knows when an upload began (moto says 2010).
        heeds_conditions: whether the server honours conditional requests (rclone overwrites).
        replaces_conditionally: whether the server replaces an object only if it is of the version that was read.
        serves_ranges: whether the server honours ranges (rclone sends whole objects).
        checks_signatures: whether the server looks at signatures (moto serves anybody).
        tags_are_md5: whether the entity tag of a small object is the MD5 of its content.
    """

    store: Store
    large: int
    tells_age: bool

    heeds_conditions: bool = field(default=True, kw_only=True)
    replaces_conditionally: bool = field(default=False, kw_only=True)
    serves_ranges: bool = field(default=True, kw_only=True)
    checks_signatures: bool = field(default=True, kw_only=True)
    tags_are_md5: bool = field(default=False, kw_only=True)

    @abstractmethod
    def objects(self) -> set[str]:
        """What anybody who looks can see, by other means than the store's."""

    @abstractmethod
    def leftovers(self) -> list[str]:
        """What is not visible but takes room."""

    @abstractmethod
    def die_while_writing(self, key: str) -> None:
        """Leave behind what a process leaves that was killed while it wrote to a key."""

    def lay_foreign(self) -> set[str]:
        """Lay what somebody else may have left, as far as the server lets anybody. The names by which it is told."""
        return set()

    def foreign(self) -> set[str]:
        """All names there are, those of foreign things included."""
        return self.objects()


#: Names that an object store holds and that are no keys of an archive: below the root, and below the folders of ours.
FOREIGN = (
    *("courses/1//a.json", "courses/1/./b.json", "courses/1/../c.json", "courses/2/", "/courses/1/d.json"),
    *(
        "courses/1/a\x01b.json",
        "courses/1/a\nb.json",
        "runs/a b.json",
        "catalog/\u00e4.json",
        "users/1\\x.json",
    ),
    *(
        "groups/100%.json",
        "courses/1/\u202egpj.json",
        'courses/1/<&>".json',
        "..",
        ".",
        "a+b",
        f"{'x' * 300}.json",
    ),
)


@dataclass
class FolderPlace(Place):
    folder: Path

    def objects(self) -> set[str]:
        return {key for key in self._files() if not self._is_part(key)}

    def leftovers(self) -> list[str]:
        return [key for key in self._files() if self._is_part(key)]

    def die_while_writing(self, key: str) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.0badf00d.part")
        part.write_bytes(b"half")
        yesterday = time.time() - 86_400
        os.utime(part, (yesterday, yesterday))

    def lay_foreign(self) -> set[str]:
        outside = self.folder.parent / "outside"
        (outside / "deep").mkdir(parents=True)
        (outside / "secret.json").write_bytes(b"{}")
        course = self.folder / "courses" / "1"
        course.mkdir(parents=True)
        names = ("a b.json", "c\nd.json", "\u00e4.json", "\u202egpj.json", "x" * 245 + ".json")
        for name in names:
            (course / name).write_bytes(b"foreign")
        (self.folder / "lost+found").mkdir()
        (self.folder / "lost+found" / "7.json").write_bytes(b"foreign")
        (self.folder / "courses" / "2").symlink_to(outside)
        (course / "loop").symlink_to(self.folder)
        (course / "link.json").symlink_to(outside / "secret.json")
        (course / "dangling.json").symlink_to(outside / "nothing")
        os.mkfifo(course / "pipe.json")
        return {
            *(f"courses/1/{name}" for name in names),
            *("lost+found/", "courses/2", "courses/1/loop", "courses/1/link.json", "courses/1/dangling.json"),
            "courses/1/pipe.json",
        }

    def foreign(self) -> set[str]:
        return {
            path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if not path.is_dir()
        }

    def _files(self) -> list[str]:
        return [path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()]

    def _is_part(self, key: str) -> bool:
        name = key.rpartition("/")[2]
        return name.startswith(".") and name.endswith(".part")


@dataclass
class GcsPlace(Place):
    server: GcsServer
    prefix: str

    def objects(self) -> set[str]:
        return {name.removeprefix(self.prefix) for name in self.server.blobs if name.startswith(self.prefix)}

    def leftovers(self) -> list[str]:
        return [upload.name for upload in self.server.uploads.values() if upload.name.startswith(self.prefix)]

    def lay_foreign(self) -> set[str]:
        for name in FOREIGN:
            self.server.store(self.prefix + name, b"foreign", {})
        self.server.store(self.prefix, b"", {})  # the folder itself, as consoles lay it
        return set(FOREIGN)

    def die_while_writing(self, key: str) -> None:
        began = datetime.now(timezone.utc) - timedelta(days=1)
        self.server.uploads[uuid.uuid4().hex] = Upload(self.prefix + key, {}, began, {1: b"half"})


@dataclass
class AzurePlace(Place):
    client: Any
    container: str
    prefix: str

    def objects(self) -> set[str]:
        return {name.removeprefix(self.prefix) for name in self._names()}

    def leftovers(self) -> list[str]:
        whole = set(self._names())
        return [name for name in self._names(include=["uncommittedblobs"]) if name not in whole]

    def lay_foreign(self) -> set[str]:
        laid = set()
        for name in FOREIGN:
            if (
                not name.isprintable() or "\\" in name
            ):  # the emulator cannot list those, and has slashes for these
                continue
            with suppress(AzureError, ValueError):  # what Azure itself refuses
                self.client.get_blob_client(self.container, self.prefix + name).upload_blob(b"foreign")
                laid.add(name)
        return laid & self.objects()  # and what it makes another name of

    def die_while_writing(self, key: str) -> None:
        self.client.get_blob_client(self.container, self.prefix + key).stage_block("YQ==", b"half")

    def _names(self, **how: Any) -> list[str]:
        listed = self.client.get_container_client(self.container).list_blobs(
            name_starts_with=self.prefix, **how
        )
        return [blob.name for blob in listed]


@dataclass
class S3Place(Place):
    client: Any
    bucket: str
    prefix: str

    def objects(self) -> set[str]:
        listed = self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix).get("Contents", [])
        return {row["Key"].removeprefix(self.prefix) for row in listed}

    def leftovers(self) -> list[str]:
        try:
            listed = self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads") or []
        except ClientError:  # rclone's answer before the first upload of a bucket
            return []
        return [row["Key"] for row in listed if row["Key"].startswith(self.prefix)]

    def die_while_writing(self, key: str) -> None:
        upload = self.client.create_multipart_upload(Bucket=self.bucket, Key=self.prefix + key)
        self.client.upload_part(
            Bucket=self.bucket, Key=self.prefix + key, UploadId=upload["UploadId"], PartNumber=1, Body=b"half"
        )


@dataclass
class WildPlace(Place):
    server: WildS3
    prefix: str

    def objects(self) -> set[str]:
        return {name.removeprefix(self.prefix) for name in self.server.things if name.startswith(self.prefix)}

    def leftovers(self) -> list[str]:
        return [upload.name for upload in self.server.uploads.values() if upload.name.startswith(self.prefix)]

    def lay_foreign(self) -> set[str]:
        for name in ("", *FOREIGN):
            self.server.things[self.prefix + name] = Thing(b"foreign" if name else b"")
        return set(FOREIGN)

    def die_while_writing(self, key: str) -> None:
        self.server.uploads[uuid.uuid4().hex] = Unfinished(self.prefix + key, yesterday(), {1: b"half"})
