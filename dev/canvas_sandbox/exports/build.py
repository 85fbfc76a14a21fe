"""Build a package from its specification, and break it on purpose."""

from __future__ import annotations

from canvas_sandbox.content.model import slug
from canvas_sandbox.exports.cartridge_package import Cartridge
from canvas_sandbox.exports.file_package import archive_name, file_members
from canvas_sandbox.exports.package_spec import PackageSpec
from canvas_sandbox.exports.qti_package import qti_members
from canvas_sandbox.faults import Fault
from canvas_sandbox.packages.virtual_file import Literal, VirtualFile, Window
from canvas_sandbox.packages.zip_layout import lay_out

_NAME_LIMIT = 200
_DAMAGED_TAIL = 64


def build(export_type: str, spec: PackageSpec) -> VirtualFile:
    """Build a package. The same specification gives the same bytes."""
    if export_type == "qti":
        members = qti_members(spec)
    elif export_type == "zip":
        members = file_members(spec)
    else:
        members = Cartridge(spec).members()
    package = lay_out(members, spec.moment, zip64=Fault.ZIP64 in spec.faults)
    return _damage(package) if Fault.CORRUPT in spec.faults else package


def file_name(export_type: str, spec: PackageSpec) -> str:
    """Return the file name that Canvas gives the package. It is not unique."""
    if export_type == "zip":
        return archive_name(spec.content)
    name = slug(spec.name)[:_NAME_LIMIT]
    return f"{name}-quiz-export.zip" if export_type == "qti" else f"{name}-export.imscc"


def _damage(package: VirtualFile) -> VirtualFile:
    """Overwrite the end of the zip directory; the length stays the same."""
    kept = max(0, package.size - _DAMAGED_TAIL)
    return VirtualFile([Window(package, 0, kept), Literal(b"\x00" * (package.size - kept))])
