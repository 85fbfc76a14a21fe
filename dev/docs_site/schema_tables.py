"""Turn a JSON Schema into Markdown: a table with a row for each field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]


def describe(path: Path) -> str:
    """Return a section with the title, the description and the fields of a schema."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    name = path.name.removesuffix(".schema.json")
    rows = "\n".join(_rows(schema, schema, ""))
    text = schema.get("description", "")
    table = f"| Field | Type | Default | Meaning |\n| --- | --- | --- | --- |\n{rows}\n"
    return f"## {name}\n\n{schema['title']}. {text}\n\n{table}"


def _rows(root: Schema, schema: Schema, prefix: str) -> Iterator[str]:
    required = schema.get("required", ())
    for name, found in schema.get("properties", {}).items():
        field = _resolve(root, found)
        default = f"`{json.dumps(field['default'])}`" if "default" in field else ""
        cells = [
            f"`{prefix}{name}`",
            _type(root, field),
            "required" if name in required else default,
            _meaning(field),
        ]
        yield f"| {' | '.join(cells)} |"
        yield from _rows(root, field, f"{prefix}{name}.")
        items = _resolve(root, field.get("items", {}))
        yield from _rows(root, items, f"{prefix}{name}[].")


def _resolve(root: Schema, schema: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    return {**root["$defs"][reference.removeprefix("#/$defs/")], **schema}


def _type(root: Schema, field: Schema) -> str:
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    choices = field.get("anyOf") or field.get("oneOf")
    if "type" not in field and choices:
        found = [_type(root, _resolve(root, choice)) for choice in choices]
        return " or ".join(dict.fromkeys(name for name in found if name))
    kinds = field.get("type", [])
    return " or ".join([kinds] if isinstance(kinds, str) else kinds)


def _meaning(field: Schema) -> str:
    text = field.get("description", field.get("title", ""))
    if examples := field.get("examples"):
        text += (
            " For example "
            + ", ".join(f"`{json.dumps(example, ensure_ascii=False)}`" for example in examples)
            + "."
        )
    return str(text).replace("|", "\\|").replace("<", "&lt;").strip()
