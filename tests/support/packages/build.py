"""Packages as Canvas builds them, and as it never should."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime, timezone
from html import escape
from pathlib import Path
from unittest import mock

from canvas_exports.core.archive.layout import package_key
from canvas_exports.core.archive.manifest import ContextFacts, ExportFacts, ManifestDraft
from canvas_exports.core.model.runs import RunFacts

DATA = Path(__file__).parents[2] / "data" / "packages"

COURSE, HOST = 101, "canvas.example.edu"
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)

SETTINGS = "course_settings/course_settings.xml"
MARKER = "course_settings/canvas_export.txt"
PAGE = "wiki_content/welcome.html"

Files = Mapping[str, bytes]


def real(name: str) -> bytes:
    """A cartridge that a Canvas, or Canvas's own tool, once wrote."""
    return (DATA / f"{name}.imscc").read_bytes()


def zipped(
    files: Files | Iterable[tuple[str, bytes]], *, zip64: bool = False, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """A zip of members in the given order; names that end in a slash are folders."""
    buffer = io.BytesIO()
    with (
        warnings.catch_warnings(),
        _everything_is_large() if zip64 else nullcontext(),
        zipfile.ZipFile(buffer, "w", method) as package,
    ):
        warnings.simplefilter("ignore")  # duplicate names are sometimes the point
        for name, content in files.items() if isinstance(files, Mapping) else files:
            info = zipfile.ZipInfo(name, (2026, 11, 23, 2, 0, 0))
            info.compress_type = method
            with package.open(info, "w", force_zip64=zip64) as member:
                member.write(content)
    return buffer.getvalue()


def manifest_xml(references: Iterable[str], *, errors: Iterable[str] = (), day: str = "2026-11-23") -> bytes:
    hrefs = "".join(
        f'<resource identifier="r"><file href="{escape(href)}"/></resource>' for href in references
    )
    comments = "".join(f"\n<!-- {text} -->" for text in errors)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="gd5" xmlns="http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
  xmlns:lomimscc="http://ltsc.ieee.org/xsd/imsccv1p1/LOM/manifest">
  <metadata><schema>IMS Common Cartridge</schema><schemaversion>1.1.0</schemaversion>
    <lomimscc:lom><lomimscc:lifeCycle><lomimscc:contribute><lomimscc:date><lomimscc:dateTime>{day}</lomimscc:dateTime>
    </lomimscc:date></lomimscc:contribute></lomimscc:lifeCycle></lomimscc:lom></metadata>
  <organizations><organization identifier="org_1"/></organizations>
  <resources>{hrefs}</resources>
</manifest>{comments}
""".encode()


def context_xml(course: int | str = COURSE, host: str = HOST, root_account: int = 1) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<context_info xmlns="http://canvas.instructure.com/xsd/cccv1p0">'
        f"<course_id>{course}</course_id><course_name>Biology</course_name><canvas_domain>{host}</canvas_domain>"
        f"<root_account_id>{root_account}</root_account_id>"
        "</context_info>"
    ).encode()


def cartridge_files(
    contents: Files | None = None,
    *,
    missing: Iterable[str] = (),
    errors: Iterable[str] = (),
    context: bytes | None = b"",
    day: str = "2026-11-23",
) -> dict[str, bytes]:
    """The members of a cartridge: ``missing`` ones are referred to but left out."""
    contents = {PAGE: b"<p>Welcome</p>"} if contents is None else contents
    files = {"course_settings/": b"", MARKER: b"Q: ?", SETTINGS: b"<course/>", **contents}
    if context is not None:
        files["course_settings/context.xml"] = context or context_xml()
    referred = [name for name in files if not name.endswith("/")]
    files["imsmanifest.xml"] = manifest_xml([*referred, *missing], errors=errors, day=day)
    return files


def cartridge(
    contents: Files | None = None,
    *,
    missing: Iterable[str] = (),
    errors: Iterable[str] = (),
    context: bytes | None = b"",
    day: str = "2026-11-23",
) -> bytes:
    return zipped(cartridge_files(contents, missing=missing, errors=errors, context=context, day=day))


def draft(export_id: int = 501, *, export_type: str = "common_cartridge", host: str = HOST) -> ManifestDraft:
    created = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)
    suffix = ".imscc" if export_type == "common_cartridge" else ".zip"
    return ManifestDraft(
        key=package_key(
            "course", COURSE, export_type=export_type, export_id=export_id, created=created, suffix=suffix
        ),
        context=ContextFacts("course", COURSE, name="Biology", sis_id="BIO-101"),
        export=ExportFacts(export_id, export_type, created, host, user_id=1),
        run=RunFacts(
            "canvas_exports/1", dag_id="nightly", run_id="manual", task_id="export", map_index=0, attempt=1
        ),
    )


@contextmanager
def _everything_is_large() -> Iterator[None]:
    """As if every size and number were too large for the old format."""
    with mock.patch.multiple(zipfile, ZIP64_LIMIT=0, ZIP_FILECOUNT_LIMIT=0):
        yield
