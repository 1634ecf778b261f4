"""Which methods has the client? One for each operation, one more for each list; the sync and the async file."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from client_models import HEAD, PREFIX, class_name, words_of

Schema = dict[str, Any]
TypeOf = Callable[[Schema, bool, str], str]


@dataclass(frozen=True)
class Said:
    """One operation as the document says it."""

    name: str
    method: str
    path: str
    raw: Schema
    parameters: list[Schema]

    @property
    def in_path(self) -> list[str]:
        return [one["name"] for one in self.parameters if one["in"] == "path"]

    @property
    def in_query(self) -> list[Schema]:
        return [one for one in self.parameters if one["in"] == "query"]

    def has_header(self, name: str) -> bool:
        return any(one["in"] == "header" and one["name"] == name for one in self.parameters)

    @property
    def success(self) -> tuple[str, Schema]:
        """The first success with its response."""
        status = min(status for status in self.raw["responses"] if status < "304")
        preferred = "201" if "201" in self.raw["responses"] else status
        return preferred, self.raw["responses"][preferred]


def operations_module(document: Schema, type_of: TypeOf, *, awaited: bool) -> str:
    """The file with the methods."""
    told = [one for one in _operations(document) if one.name not in _NOT_FOR_PROGRAMS]
    specs = "".join(_spec(one) for one in told)
    methods = "".join(_methods(one, document, type_of, awaited) for one in told)
    kind = "AsyncOperations" if awaited else "Operations"
    calling = "async def" if awaited else "def"
    several = "AsyncIterator" if awaited else "Iterator"
    readers = [word for word in ("read_as", "read_nothing", "read_text", "read_versioned") if f"{word}" in methods]
    generic = [several, *(word for word in ("Mapping", "Sequence") if f"{word}[" in methods)]
    imports = [
        f"from collections.abc import {', '.join(generic)}",
        f"from typing import {'Any, ' if 'Any' in methods else ''}Final, TypeVar\n",
        "from drachm_client import models",
        f"from drachm_client.base import Base, {', '.join(readers)}",
        "from drachm_client.exchange import Outgoing, Spec",
        f"from drachm_client.values import StreamItem{', Versioned' if 'Versioned' in methods else ''}\n",
    ]
    return (
        HEAD.format(title="Every operation of the service.")
        + "\n".join(imports)
        + '\nT = TypeVar("T")\n\n'
        + specs
        + f"\n\nclass {kind}(Base):\n"
        + words_of("One method for each operation; the client that is also able to send.", "    ")
        + f"\n    {calling} call(self, outgoing: Outgoing[T], deadline: float | None = None) -> T:\n"
        + words_of("Send a call until it is answered, or the deadline has passed.", "        ")
        + "        raise NotImplementedError\n"
        + f'\n    def stream(self, outgoing: Outgoing[T], after: str = "") -> {several}[StreamItem[T]]:\n'
        + words_of("Items as they come.", "        ")
        + "        raise NotImplementedError\n"
        + methods
    )


_NOT_FOR_PROGRAMS = frozenset(
    (
        "open_receipt_page",
        "give_second_factor",
        "open_with_passkey",
        "open_receipt_services",
        "open_visit_of_link",
        "get_metrics",
    )
)
"""Pages for browsers, and what only this machine may see."""


def _operations(document: Schema) -> list[Said]:
    shared = document["components"]["parameters"]
    found = []
    for path, methods in document["paths"].items():
        for method, raw in methods.items():
            parameters = [shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in raw["parameters"]]
            found.append(Said(raw["operationId"], method.upper(), path, raw, parameters))
    return found


def _spec(one: Said) -> str:
    media = _media(one)
    words = [f'"{one.name}"', f'"{one.method}"', f'"{one.path}"']
    words += ["repeatable=True"] if one.raw.get("x-repeatable") else []
    words += ["keyed=True"] if one.has_header("Idempotency-Key") else []
    words += [f'accept="{media}"'] if media not in ("", "application/json") else []
    line = f"_{one.name.upper()}: Final = Spec({', '.join(words)})\n"
    if len(line) <= 121:
        return line
    inner = f"    {', '.join(words)}\n"
    if len(inner) > 121:
        inner = "".join(f"    {word},\n" for word in words)
    return f"_{one.name.upper()}: Final = Spec(\n{inner})\n"


def _media(one: Said) -> str:
    return next(iter(one.success[1].get("content", {})), "")


def _methods(one: Said, document: Schema, type_of: TypeOf, awaited: bool) -> str:
    body = one.raw.get("requestBody", {}).get("content", {})
    asked = body.get("application/json", {}).get("schema")
    if _media(one) == "text/event-stream":
        return _stream(one, type_of, awaited)
    if asked and "oneOf" in asked and one.raw["operationId"].endswith("s"):
        single, _ = asked["oneOf"]
        bulk = one.raw["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"][1]
        event = type_of(single, True, "models.")
        return _method(one, one.name.removesuffix("s"), event, _answer(one, type_of), awaited) + _method(
            one, one.name, f"Sequence[{event}]", (type_of(bulk, False, "models."), "read_as"), awaited
        )
    form = "application/x-www-form-urlencoded" in body
    kind = "Mapping[str, str]" if form else type_of(asked, True, "models.") if asked else ""
    text = _method(one, one.name, kind, _answer(one, type_of), awaited, form=form)
    if any(query["name"] == "cursor" for query in one.in_query):
        text += _every(one, document, type_of, awaited)
    return text


def _answer(one: Said, type_of: TypeOf) -> tuple[str, str]:
    """The type that the method gives, and what reads it."""
    _, response = one.success
    content = response.get("content")
    if not content:
        return "None", "read_nothing"
    if "application/json" not in content:
        return "str", "read_text"
    kind = type_of(content["application/json"]["schema"], False, "models.")
    if "etag" in response.get("headers", {}) and one.name != "get_openapi":
        return f"Versioned[{kind}]", "read_versioned"
    return kind, "read_as"


def _arguments(one: Said, body: str) -> list[str]:
    found = [f"{name}: str" for name in one.in_path]
    if body:
        found.append(f"body: {body}")
    found.append("*")
    if one.has_header("If-Match"):
        found.append("if_match: str")
    for query in one.in_query:
        kind = "int" if query["schema"].get("type") == "integer" else "str"
        name = _argument(query["name"])
        found.append(f"{name}: {kind}" if query.get("required") else f"{name}: {kind} | None = None")
    if one.has_header("Idempotency-Key"):
        found.append("idempotency_key: str | None = None")
    return [*found, "deadline: float | None = None"]


def _method(one: Said, name: str, body: str, answer: tuple[str, str], awaited: bool, *, form: bool = False) -> str:
    gives, reads = answer
    kind = gives.removeprefix("Versioned[").removesuffix("]") if reads == "read_versioned" else gives
    reader = reads if reads in ("read_nothing", "read_text") else f"{reads}({kind})"
    text = "\n" + _signature("async def" if awaited else "def", name, _arguments(one, body), gives)
    text += words_of(one.raw["summary"], "        ")
    words = [f"_{one.name.upper()}", reader, _mapping(one.in_path)]
    queries = [query["name"] for query in one.in_query]
    words += [f"query={_mapping(queries)}" if len(queries) < 4 else "query=query"] if queries else []
    words += ["form=body" if form else "body=body"] if body else []
    words += ["key=idempotency_key"] if one.has_header("Idempotency-Key") else []
    words += ["if_match=if_match"] if one.has_header("If-Match") else []
    call = "".join(
        ["        query = {\n", *[f'            "{each}": {_argument(each)},\n' for each in queries], "        }\n"]
    )
    call = (call if len(queries) > 3 else "") + _wrapped("        outgoing = self.outgoing(", words)
    sending = "return await self.call" if awaited else "return self.call"
    if gives == "None":
        sending = sending.removeprefix("return ")
    return text + call + f"        {sending}(outgoing, deadline)\n"


def _every(one: Said, document: Schema, type_of: TypeOf, awaited: bool) -> str:
    """The same list without pages."""
    page = one.success[1]["content"]["application/json"]["schema"]
    schema = document["components"]["schemas"][page["$ref"].removeprefix(PREFIX)]
    if "data" not in schema["properties"]:
        return ""  # Pages of something that is more than a list.
    item = type_of(schema["properties"]["data"]["items"], False, "models.")
    name = "every_" + one.name.removeprefix("list_")
    arguments = [each for each in _arguments(one, "") if not each.startswith(("cursor:", "limit:"))]
    text = "\n" + _signature(
        "async def" if awaited else "def", name, arguments, f"{'AsyncIterator' if awaited else 'Iterator'}[{item}]"
    )
    text += words_of(f"{one.raw['summary']} All of them, page after page.", "        ")
    names = [_argument(query["name"]) for query in one.in_query]
    given = [*one.in_path, *(f"{name}={name}" for name in names if name not in ("cursor", "limit"))]
    words = [*given, "cursor=cursor", "limit=100", "deadline=deadline"]
    waiting = "await " if awaited else ""
    text += "        cursor: str | None = None\n        while True:\n"
    text += _wrapped(f"            page = {waiting}self.{one.name}(", words)
    if awaited:
        text += "            for item in page.data:\n                yield item\n"
    else:
        text += "            yield from page.data\n"
    return text + "            cursor = page.next\n            if cursor is None:\n                return\n"


def _stream(one: Said, type_of: TypeOf, awaited: bool) -> str:
    arguments = [*(f"{name}: str" for name in one.in_path), "*", 'after: str = ""']
    item = type_of(one.success[1]["content"]["text/event-stream"]["x-item"], False, "models.")
    gives = f"{'AsyncIterator' if awaited else 'Iterator'}[StreamItem[{item}]]"
    text = "\n" + _signature("def", one.name, arguments, gives)
    text += words_of(f"{one.raw['summary']} `after`: id of the last item that was seen.", "        ")
    words = [f"_{one.name.upper()}", f"read_as({item})", _mapping(one.in_path)]
    return text + _wrapped("        outgoing = self.outgoing(", words) + "        return self.stream(outgoing, after)\n"


def _mapping(names: list[str]) -> str:
    return "{" + ", ".join(f'"{name}": {_argument(name)}' for name in names) + "}"


def _argument(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _signature(kind: str, name: str, arguments: list[str], gives: str) -> str:
    return _wrapped(f"    {kind} {name}(", ["self", *arguments], f") -> {gives}:")


def _wrapped(head: str, words: list[str], tail: str = ")") -> str:
    """A call or a signature in the fewest lines that fit, as the formatter would write it."""
    indent = " " * (len(head) - len(head.lstrip()))
    line = f"{head}{', '.join(words)}{tail}\n"
    if len(line) <= 121:
        return line
    inner = f"{indent}    {', '.join(words)}\n"
    if len(inner) <= 121:
        return f"{head}\n{inner}{indent}{tail}\n"
    return f"{head}\n" + "".join(f"{indent}    {word},\n" for word in words) + f"{indent}{tail}\n"


__all__ = ["class_name", "operations_module"]
