"""Which schemas does the OpenAPI document show for shapes and views?

msgspec says what each takes; here the words below the fields are added, and what several share is said once, exactly.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import msgspec

from drachm.adapters.eventjson.schema import INSTANT, event_schema
from drachm.adapters.rest.service.shapes import END
from drachm.domain.money import CURRENCIES

Schema = dict[str, Any]
PREFIX: Final = "#/components/schemas/"

_DAY: Final = "^(19|2[01])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


def _event_components() -> dict[str, Schema]:
    """The schema of an event, its inner objects under names of their own."""
    event = event_schema({"$ref": f"{PREFIX}Currency"})
    code, billed = event["properties"]["code"], event["properties"]["billed"]
    event["properties"]["code"] = {"$ref": f"{PREFIX}EventCode", "description": code.pop("description")}
    event["properties"]["billed"] = {"$ref": f"{PREFIX}AskedAmount", "description": billed.pop("description")}
    return {
        "ServiceEvent": event,
        "EventCode": {"title": "EventCode", "description": "A code and whose it is.", **code},
        "AskedAmount": {"title": "AskedAmount", "description": "An amount of 0 or more.", **billed},
    }


SHARED: Final[dict[str, Schema]] = {
    "Currency": {"type": "string", "enum": list(CURRENCIES), "description": "ISO 4217 code."},
    "Day": {
        "type": "string",
        "format": "date",
        "pattern": _DAY,
        "description": "Calendar day, YYYY-MM-DD, of the years 1900 to 2199.",
    },
    "Instant": {
        "type": "string",
        "format": "date-time",
        "pattern": INSTANT,
        "description": "RFC 3339 with seconds and an offset; answers are in UTC with a Z.",
    },
    **_event_components(),
}
"""Schemas that no shape says as exactly; `x-component` in a shape's field names one of them."""

_INSTEAD: Final = {"ServiceEventShape": "ServiceEvent"}
"""Components whose place a shared one takes."""
_FIELDS: Final[dict[tuple[str, str], Schema]] = {("BulkItem", "problem"): {"$ref": f"{PREFIX}Problem"}}
"""Fields that go out as bytes, so msgspec knows nothing of them."""


def schemas_of(types: Iterable[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """A schema for each of these types, and every component they refer to, by name."""
    wanted = list(types)
    parts = [part for one in wanted for part in _members(one)]
    words = _words_of(parts)
    plain, components = msgspec.json.schema_components(parts, ref_template=PREFIX + "{name}")
    for name, component in components.items():
        said = words.get(component.get("title", name), {})
        for field, schema in component.get("properties", {}).items():
            if field in said:
                schema.setdefault("description", said[field])
            schema.update(_FIELDS.get((name, field), {}))
    found = {name: _published(component) for name, component in components.items()}
    left = iter([_published(schema) for schema in plain])
    whole = [[next(left) for _ in _members(one)] for one in wanted]
    return [each[0] if len(each) == 1 else {"anyOf": each} for each in whole], found | SHARED


def _members(one: Any) -> tuple[Any, ...]:
    """The types of a union; msgspec reads no union of structs, and need not: only the document knows it."""
    return get_args(one) if get_origin(one) in (Union, UnionType) else (one,)


def shared(name: str) -> Schema:
    """A reference to one of the shared schemas."""
    return {"$ref": PREFIX + name}


def reachable(roots: Iterable[Any], components: dict[str, Schema]) -> dict[str, Schema]:
    """The components that these parts of a document need, directly or through others."""
    found: dict[str, Schema] = {}
    waiting = list(_references(list(roots)))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = components[name]
            waiting.extend(_references(components[name]))
    return dict(sorted(found.items()))


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith(PREFIX):
            yield reference.removeprefix(PREFIX)
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _published(schema: Any) -> Any:
    """A schema of msgspec in the words of ECMA 262 patterns, with shared parts by reference."""
    if isinstance(schema, list):
        return [_published(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "x-component" in schema:
        own = {"description": schema["description"]} if "description" in schema else {}
        reference = shared(schema["x-component"])
        return reference | own if own.get("description") != SHARED[schema["x-component"]]["description"] else reference
    found = {key: _published(value) for key, value in schema.items()}
    if "$ref" in found:
        name = found["$ref"].removeprefix(PREFIX)
        found["$ref"] = PREFIX + _INSTEAD.get(name, name)
    if isinstance(found.get("pattern"), str):
        found["pattern"] = found["pattern"].replace(END, "$")
    if isinstance(found.get("description"), str):
        found["description"] = " ".join(found["description"].split())
    return found


def _words_of(types: list[Any]) -> dict[str, dict[str, str]]:
    """For each struct among these types, by title: the sentence below each field."""
    words: dict[str, dict[str, str]] = {}
    for struct in _structs(types):
        words[struct.__name__] = {
            name: said for base in reversed(struct.__mro__) for name, said in _sentences(base).items()
        }
    return words


def _structs(types: list[Any]) -> Iterator[type]:
    seen: set[type] = set()
    waiting: list[Any] = [msgspec.inspect.type_info(one) for one in types]
    while waiting:
        info = waiting.pop()
        if isinstance(info, msgspec.inspect.StructType):
            # Of a generic struct each use is another class; its fields and their words are those of the one.
            struct = get_origin(info.cls) or info.cls
            if info.cls in seen:
                continue
            seen.add(info.cls)
            yield struct
        waiting.extend(_inner(info))


def _inner(info: Any) -> Iterator[Any]:
    for name in ("types", "fields", "item_type", "item_types", "key_type", "value_type", "type"):
        value = getattr(info, name, None)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, msgspec.inspect.Type | msgspec.inspect.Field):
                yield part


@cache
def _sentences(struct: type) -> dict[str, str]:
    """The string that stands below each field in the source of a struct."""
    if not issubclass(struct, msgspec.Struct) or struct is msgspec.Struct:
        return {}
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    except (OSError, SyntaxError):
        return {}  # The source is not there any more: the document loses words, nothing else.
    assert isinstance(tree, ast.ClassDef)
    said = {}
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            said[ast.unparse(field.target)] = " ".join(str(text.value.value).split())
    return said
