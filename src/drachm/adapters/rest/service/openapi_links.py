"""Where does an answer lead? Links between the calls of the OpenAPI document, found from paths and answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from drachm.adapters.rest.service.call import Operation
from drachm.adapters.rest.service.openapi_answers import changes_version, paged
from drachm.adapters.rest.service.openapi_schemas import PREFIX

Schema = dict[str, Any]

_EXTRA: Final[tuple[tuple[str, str, str, str], ...]] = (
    # From an event to its receipt, its reasons, its later answers.
    ("post_service_events", "get_service_event", "event_id", "$response.body#/id"),
    ("post_service_events", "get_receipt", "receipt_id", "$response.body#/receipt"),
    ("post_service_events", "explain_receipt", "receipt_id", "$response.body#/receipt"),
    ("get_service_event", "get_receipt", "receipt_id", "$response.body#/receipt"),
    ("get_receipt", "explain_receipt", "receipt_id", "$request.path.receipt_id"),
    ("list_work_queue", "get_work_item", "event_id", "$response.body#/data/0/id"),
    ("list_work_queue", "retry_work_item", "event_id", "$response.body#/data/0/id"),
)


def links(operation: Operation, answer: Schema, operations: Mapping[str, Operation], components: Schema) -> Schema:
    """Links of the call's success."""
    name, route = operation.route.operation, operation.route
    fields = _fields(answer, components)
    found: Schema = {}
    for source, target, parameter, expression in _EXTRA:
        if source == name and target in operations:
            found[target] = _link(target, {f"path.{parameter}": expression})
    if paged(operation):
        same = {f"path.{each}": f"$request.path.{each}" for each in route.parameters}
        found["next_page"] = _link(name, same | {"query.cursor": "$response.body#/next"})
        items = _fields(_items(fields), components)
        _to_things(found, route.template, route.parameters, "$response.body#/data/0/id", items, operations)
    elif route.method == "POST" and not route.template.endswith("}") and "id" in fields:
        _to_things(found, route.template, route.parameters, "$response.body#/id", fields, operations)
    elif route.method == "GET" and route.template.endswith("}"):
        _onward(found, operation, operations)
    return found


def _to_things(
    found: Schema,
    template: str,
    above: tuple[str, ...],
    expression: str,
    fields: Schema,
    operations: Mapping[str, Operation],
) -> None:
    """From a collection to each call about one of its things."""
    if "id" not in fields:
        return
    for other in operations.values():
        route = other.route
        parameters = route.parameters
        head, _, tail = route.template.removeprefix(template).partition("}")
        if not route.template.startswith(template) or not head.startswith("/{") or parameters[:-1] != above:
            continue
        if (route.method == "GET" and tail in ("", "/draft", "/why")) or (not tail and route.method == "DELETE"):
            known = {f"path.{each}": f"$request.path.{each}" for each in above}
            found.setdefault(route.operation, _link(route.operation, known | {f"path.{parameters[-1]}": expression}))


def _onward(found: Schema, operation: Operation, operations: Mapping[str, Operation]) -> None:
    """From one thing to the calls on it that need nothing but its id and its version."""
    route = operation.route
    for other in operations.values():
        if other is operation or other.route.parameters != route.parameters:
            continue
        if not other.route.template.startswith(route.template):
            continue
        known = {f"path.{each}": f"$request.path.{each}" for each in route.parameters}
        if changes_version(other) and operation.tagged:
            known["header.If-Match"] = "$response.header.ETag"
        if not other.route.streams:
            found.setdefault(other.route.operation, _link(other.route.operation, known))


def _link(target: str, parameters: Mapping[str, str]) -> Schema:
    return {"operationId": target, "parameters": dict(parameters)}


def _fields(schema: Schema, components: Schema) -> Schema:
    while "$ref" in schema:
        schema = components[schema["$ref"].removeprefix(PREFIX)]
    found: Schema = schema.get("properties", {})
    return found


def _items(fields: Schema) -> Schema:
    data: Schema = fields.get("data", {})
    items: Schema = data.get("items", {})
    return items
