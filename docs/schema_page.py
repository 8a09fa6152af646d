"""The format of ``result.json`` as Markdown, from the JSON Schema that its model makes of itself."""

# ruff: noqa: INP001 - a script beside the pages, not a package
from __future__ import annotations

import json
from typing import Any

from offhook.simulator.result import schema


def schema_text() -> str:
    """The schema itself, for editors and validators."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def render() -> str:
    """The root object first, then its parts in the order in which they are first mentioned."""
    described = schema()
    definitions: dict[str, Any] = described["$defs"]
    parts = [_object("Result", described)]
    mentioned: list[str] = []
    _mention(described["properties"], definitions, mentioned)
    parts.extend(_object(name, definitions[name]) for name in mentioned)
    return "\n".join(parts)


def _mention(node: Any, definitions: dict[str, Any], mentioned: list[str]) -> None:
    """Collect the names of the parts, depth first."""
    if isinstance(node, dict):
        name = node.get("$ref", "").removeprefix("#/$defs/")
        if name and name not in mentioned:
            mentioned.append(name)
            _mention(definitions[name].get("properties", {}), definitions, mentioned)
        for value in node.values():
            _mention(value, definitions, mentioned)
    elif isinstance(node, list):
        for value in node:
            _mention(value, definitions, mentioned)


def _object(name: str, node: dict[str, Any]) -> str:
    words = " ".join(str(node.get("description", "")).split("\n\n")[0].split())
    lines = [f"### {name}\n", f"{words}\n"]
    if "enum" in node:
        return "\n".join([*lines, *[f"* `{value}`" for value in node["enum"]], ""])
    lines += ["| field | type | meaning |", "|---|---|---|"]
    for field, facts in node.get("properties", {}).items():
        meaning = " ".join(str(facts.get("description", "")).split()).replace("|", "/")
        lines.append(f"| `{field}` | {_type(facts)} | {meaning} |")
    return "\n".join([*lines, ""])


def _type(facts: dict[str, Any]) -> str:
    """In a few words, with links to the parts."""
    if "$ref" in facts:
        name = facts["$ref"].removeprefix("#/$defs/")
        return f"[{name}](#{name.lower()})"
    if "anyOf" in facts:
        return " or ".join(dict.fromkeys(_type(choice) for choice in facts["anyOf"]))
    if "const" in facts:
        return f"`{json.dumps(facts['const'])}`"
    if "enum" in facts:
        return " or ".join(f"`{value}`" for value in facts["enum"])
    match facts.get("type"):
        case "array":
            return f"list of {_type(facts.get('items', {}))}"
        case "object":
            values = facts.get("additionalProperties")
            return f"object of {_type(values)}" if isinstance(values, dict) and values else "object"
        case str(kind):
            return "date and time" if facts.get("format") == "date-time" else kind
        case _:
            return "any"
