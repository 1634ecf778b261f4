"""Which Python types say what the schemas of an OpenAPI document say?

A model that requests use is exact: closed words, and what may be left out is `UNSET`. A model that only answers use is
open: a word that a later version of the service adds is still read.
"""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
PREFIX = "#/components/schemas/"
HEAD = '''"""{title} Made by tools/make_client.py from the OpenAPI document: do not edit."""

from __future__ import annotations

'''
# Long words are broken by nobody: a description is one line of the document.
_SCALARS = {"integer": "int", "number": "float", "boolean": "bool", "null": "None", "string": "str"}


def models_module(document: Schema) -> str:
    """The file with one struct or alias for each schema."""
    schemas = document["components"]["schemas"]
    asked = requested(document)
    aliases, structs = [], []
    for name, schema in schemas.items():
        if name == "Problem":
            continue  # The client's own exceptions say it.
        if is_struct(schema):
            structs.append(_struct(name, schema, name in asked))
        else:
            aliases.append(f"{class_name(name)} = {_alias(schema)}\n")
    uses = "".join(structs) + "".join(aliases)
    typing = [word for word in ("Any", "Literal", "TypeAlias") if re.search(rf"\b{word}\b", uses)]
    imports = f"from typing import {', '.join(typing)}\n\n" if typing else ""
    unset = ", UNSET, Struct, UnsetType" if "UNSET" in uses else ", Struct"
    renamed = ", field" if "= field(" in uses else ""
    return (
        HEAD.format(title="What requests and answers hold.")
        + imports
        + f"from msgspec import {(unset + renamed).removeprefix(', ')}\n\n"
        + ("from drachm_client.errors import Document as Problem\n\n" if "Problem" in uses else "")
        + "".join(aliases)
        + "".join(structs)
    )


def requested(document: Schema) -> set[str]:
    """Names of the schemas that request bodies reach."""
    found: set[str] = set()
    waiting = [body for path in document["paths"].values() for one in path.values() if (body := one.get("requestBody"))]
    while waiting:
        for name in _references(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(document["components"]["schemas"][name])
    return found


def class_name(name: str) -> str:
    """The Python name of a schema: `Page_SiteView_` is `SiteViewPage`."""
    generic = re.fullmatch(r"(\w+?)_(\w+)_", name)
    return f"{generic.group(2)}{generic.group(1)}" if generic else name


def is_struct(schema: Schema) -> bool:
    """Whether a schema is an object with fields of its own."""
    return schema.get("type") == "object" and bool(schema.get("properties"))


def type_of(schema: Schema, exact: bool, module: str = "") -> str:
    """The annotation for a schema; `module` goes before the names of models."""
    if "$ref" in schema:
        return module + class_name(schema["$ref"].removeprefix(PREFIX))
    for key in ("anyOf", "oneOf"):
        if key in schema:
            parts = dict.fromkeys(type_of(part, exact, module) for part in schema[key])
            return " | ".join(sorted(parts, key=lambda part: part == "None"))
    if "const" in schema or "enum" in schema:
        words = schema.get("enum") or [schema["const"]]
        return f"Literal[{', '.join(_quoted(word) for word in words)}]" if exact else _kind_of(words[0])
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(_SCALARS[one] for one in kind)
    if kind == "array":
        return f"list[{type_of(schema.get('items') or {}, exact, module)}]"
    if kind == "object":
        more = schema.get("additionalProperties")
        return f"dict[str, {type_of(more, exact, module) if isinstance(more, dict) else 'Any'}]"
    return _SCALARS.get(str(kind), "Any")


def words_of(text: str, indent: str) -> str:
    """A docstring."""
    plain = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    if len(indent) + len(plain) + 6 <= 120:
        return f'{indent}"""{plain}"""\n'
    lines = textwrap.wrap(plain, 120 - len(indent) - 6, break_long_words=False, break_on_hyphens=False)
    return f'{indent}"""' + f"\n{indent}".join(lines) + f'\n{indent}"""\n'


def _struct(name: str, schema: Schema, exact: bool) -> str:
    required = set(schema.get("required", ()))
    before = ""
    text = f"\n\nclass {class_name(name)}(Struct, kw_only=True):\n"
    text += words_of(schema.get("description") or f"{class_name(name)}.", "    ") + "\n"
    for field, part in schema["properties"].items():
        attribute = f"{field}_" if keyword.iskeyword(field) else field
        kind = type_of(part, exact)
        if len(kind) > 80 and "Literal[" in kind:
            words = re.search(r"Literal\[(.*?)\]", kind)
            assert words is not None
            named = f"{class_name(name)}{field.title().replace('_', '')}"
            listed = "".join(f"    {word},\n" for word in words.group(1).split(", "))
            before += f"{named} = Literal[\n{listed}]\n"
            kind = kind.replace(words.group(0), named)
        line = f"    {attribute}: {kind}"
        if field not in required:
            default = "UNSET" if exact else "None"
            if exact:
                line = f"{line.removesuffix(' | None')} | UnsetType{' | None' * line.endswith(' | None')}"
            elif not line.endswith("| None"):
                line += " | None"
            default = f'field(name="{field}", default={default})' if attribute != field else default
            line += f" = {default}"
        elif attribute != field:
            line += f' = field(name="{field}")'
        text += line + "\n"
        if part.get("description"):
            text += words_of(part["description"], "    ")
    return (f"\n\n{before}" if before else "") + text


def _alias(schema: Schema) -> str:
    # The list of currencies grows; the service checks it, not this file.
    return type_of({key: value for key, value in schema.items() if key != "enum"}, True)


def _quoted(word: Any) -> str:
    return f'"{word}"' if isinstance(word, str) else repr(word)


def _kind_of(word: Any) -> str:
    return type(word).__name__ if word is not None else "None"


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str) and part["$ref"].startswith(PREFIX):
            yield part["$ref"].removeprefix(PREFIX)
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)
