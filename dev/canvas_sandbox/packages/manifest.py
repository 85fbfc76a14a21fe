"""``imsmanifest.xml`` of cartridges and QTI packages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from xml.sax.saxutils import escape, quoteattr

_ROOT_IDENTIFIER = re.compile(r'(<manifest\b[^>]*?\sidentifier=)"[^"]*"')
_DATE = re.compile(r"(<\w+:dateTime>)[^<]*(</\w+:dateTime>)")


@dataclass(frozen=True)
class Resource:
    """A ``resource`` element; ``files`` are hrefs, of which the first is the resource's own unless ``href`` is empty."""

    identifier: str
    type: str
    files: Sequence[str]
    href: bool = True
    intended_use: str = ""
    depends_on: Sequence[str] = ()

    def xml(self) -> str:
        """Return the element."""
        href = f" href={quoteattr(self.files[0])}" if self.href else ""
        use = f' intendeduse="{self.intended_use}"' if self.intended_use else ""
        lines = [f'    <resource identifier="{self.identifier}" type="{self.type}"{href}{use}>']
        lines += [f"      <file href={quoteattr(name)}/>" for name in self.files]
        lines += [f'      <dependency identifierref="{other}"/>' for other in self.depends_on]
        return "\n".join([*lines, "    </resource>"])


def keyed(resources: Iterable[Resource]) -> dict[str, Resource]:
    """Return resources by identifier. A second one of the same identifier, as New Quizzes have it, gets a key of its own."""
    rows: dict[str, Resource] = {}
    for resource in resources:
        key = resource.identifier
        rows[f"{key} of a New Quiz" if key in rows else key] = resource
    return rows


@dataclass(frozen=True)
class OutlineItem:
    """An item of the course outline: a module with its items, or a module item that points at a resource."""

    identifier: str
    title: str
    resource: str = ""
    children: Sequence[OutlineItem] = ()

    def xml(self, indent: int = 8) -> str:
        """Return the element with everything below it."""
        pad = " " * indent
        reference = f' identifierref="{self.resource}"' if self.resource else ""
        inner = "".join(f"\n{child.xml(indent + 2)}" for child in self.children)
        return f'{pad}<item identifier="{self.identifier}"{reference}>\n{pad}  <title>{escape(self.title)}</title>{inner}\n{pad}</item>'


def cartridge_manifest(
    *,
    identifier: str,
    title: str,
    version: str,
    moment: float,
    outline: Iterable[OutlineItem],
    resources: Iterable[Resource],
) -> str:
    """Return the manifest of a Common Cartridge. The date has day resolution, as Canvas writes it."""
    family = "imsccv1p3" if version.startswith("1.3") else "imsccv1p1"
    modules = "\n".join(item.xml() for item in outline)
    listing = "\n".join(resource.xml() for resource in resources)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="{identifier}" xmlns="http://www.imsglobal.org/xsd/{family}/imscp_v1p1" \
xmlns:lom="http://ltsc.ieee.org/xsd/{family}/LOM/resource" \
xmlns:lomimscc="http://ltsc.ieee.org/xsd/{family}/LOM/manifest" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <metadata>
    <schema>IMS Common Cartridge</schema>
    <schemaversion>{version}</schemaversion>
    <lomimscc:lom>
      <lomimscc:general>
        <lomimscc:title>
          <lomimscc:string>{escape(title)}</lomimscc:string>
        </lomimscc:title>
      </lomimscc:general>
      <lomimscc:lifeCycle>
        <lomimscc:contribute>
          <lomimscc:date>
            <lomimscc:dateTime>{_day(moment)}</lomimscc:dateTime>
          </lomimscc:date>
        </lomimscc:contribute>
      </lomimscc:lifeCycle>
      <lomimscc:rights>
        <lomimscc:copyrightAndOtherRestrictions>
          <lomimscc:value>yes</lomimscc:value>
        </lomimscc:copyrightAndOtherRestrictions>
        <lomimscc:description>
          <lomimscc:string>Private (Copyrighted) - http://en.wikipedia.org/wiki/Copyright</lomimscc:string>
        </lomimscc:description>
      </lomimscc:rights>
    </lomimscc:lom>
  </metadata>
  <organizations>
    <organization identifier="org_1" structure="rooted-hierarchy">
      <item identifier="LearningModules">
{modules}
      </item>
    </organization>
  </organizations>
  <resources>
{listing}
  </resources>
</manifest>
"""


def renewed_manifest(text: str, identifier: str, version: str, moment: float) -> str:
    """Return an imported manifest for another export: new identifier and day, without the recorded errors.

    Empty if there is none, or it is of another version.
    """
    if f"<schemaversion>{version}</schemaversion>" not in text:
        return ""
    body = text[: text.rindex("</manifest>") + len("</manifest>")] + "\n"
    body = _ROOT_IDENTIFIER.sub(rf'\g<1>"{identifier}"', body, count=1)
    return _DATE.sub(rf"\g<1>{_day(moment)}\g<2>", body, count=1)


def qti_manifest(identifier: str, title: str, moment: float, resources: Iterable[Resource]) -> str:
    """Return the manifest of a QTI package."""
    listing = "\n".join(resource.xml() for resource in resources)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="{identifier}" xmlns="http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1" \
xmlns:imsmd="http://www.imsglobal.org/xsd/imsmd_v1p2" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <metadata>
    <schema>IMS Content</schema>
    <schemaversion>1.1.3</schemaversion>
    <imsmd:lom>
      <imsmd:general>
        <imsmd:title>
          <imsmd:string>QTI Quiz Export for course &quot;{escape(title)}&quot;</imsmd:string>
        </imsmd:title>
      </imsmd:general>
      <imsmd:lifeCycle>
        <imsmd:contribute>
          <imsmd:date>
            <imsmd:dateTime>{_day(moment)}</imsmd:dateTime>
          </imsmd:date>
        </imsmd:contribute>
      </imsmd:lifeCycle>
    </imsmd:lom>
  </metadata>
  <organizations/>
  <resources>
{listing}
  </resources>
</manifest>
"""


def with_errors(manifest: str, export_id: int, errors: Sequence[str]) -> str:
    """Return the manifest followed by the comments in which Canvas records export errors."""
    lines = [f"Export errors for export {export_id}:", *errors]
    return manifest + "".join(f"<!--{line.replace('--', '- -')}-->\n" for line in lines)


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, tz=timezone.utc).strftime("%Y-%m-%d")
