"""The interface as an OpenAPI 3.1 document, made from what the calls declare.

Nothing here is written twice: paths, meanings and who may come from the route and policy tables, schemas from the
shapes and views, problems from the problem table. What a caller reads is what the service checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any, Final

import msgspec

from drachm.adapters.rest.identity.routes import ROUTES
from drachm.adapters.rest.service.call import OPERATIONS, Call, Operation, Reply, operation
from drachm.adapters.rest.service.openapi_answers import (
    READING,
    TITLES,
    problem_codes,
    problem_response,
    problem_schema,
)
from drachm.adapters.rest.service.openapi_examples import EVENT, example_of
from drachm.adapters.rest.service.openapi_links import links
from drachm.adapters.rest.service.openapi_own import own_pages
from drachm.adapters.rest.service.openapi_requests import (
    SHARED_PARAMETERS,
    form_body,
    parameters,
    request_body,
    security,
    security_schemes,
    who_may,
)
from drachm.adapters.rest.service.openapi_schemas import reachable, schemas_of, shared

Schema = dict[str, Any]
VERSION: Final = "1.0.0"

_ABOUT: Final = """\
Pays for each moment of care when it happens. Send a service event; the answer says who bears what, to the millionth.

Money is `{"micros": integer, "currency": code}`; an integer is written without point and exponent, so not 1.0. Times
are RFC 3339 in UTC. Refusals are RFC 9457 problem documents with stable codes, listed at `/problems`. Lists have signed
cursors. Calls that move money need an Idempotency-Key; a service event is its own key, by `source` and `event_id`. A
method that an address does not know is answered 405."""

_HEADERS: Final[dict[str, Schema]] = {
    "RequestId": {"description": "Name this when you ask about the call.", "schema": {"type": "string"}},
    "RetryAfter": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}},
    "ETag": {
        "description": "The version of the thing: goes into If-Match of a change.",
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "Replayed": {
        "description": "`true`: this is the first answer to this key again.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}


PAGES_OF_OURS: Final = frozenset({"desk", "kiosk", "my", "operator", "s", "static"})
"""Tags of pages that lead to each other, by cookie: nothing for programs."""


@operation("get_openapi", answer=Any, tagged=True)
def get_openapi(call: Call) -> Reply:
    """This interface as an OpenAPI 3.1 document."""
    call.permit(None)
    text, mark = published(call.house.base_url)
    return Reply(msgspec.Raw(text), tag=(mark,))


@cache
def published(base_url: str) -> tuple[bytes, str]:
    """The document as it is served, and its hash. Asked for when all operations have been read."""
    text = msgspec.json.encode(document(OPERATIONS, base_url))
    return text, sha256(text).hexdigest()


def document(declared: Mapping[str, Operation], base_url: str) -> Schema:
    """The OpenAPI document of these operations, in the order of the route table."""
    every = {**declared, **own_pages()}
    operations = {
        route.operation: every[route.operation]
        for route in ROUTES
        if route.operation in every and route.tag not in PAGES_OF_OURS
    }
    bodies = {name: one.body for name, one in operations.items() if one.body is not None}
    answers = {name: one.answer for name, one in operations.items() if one.answer is not None}
    schemas, components = schemas_of([*bodies.values(), *answers.values()])
    components["Problem"] = problem_schema()
    taken = dict(zip(bodies, schemas[: len(bodies)], strict=True))
    given = dict(zip(answers, schemas[len(bodies) :], strict=True))
    responses = _Responses()
    paths: Schema = {}
    for name, one in operations.items():
        said = _operation(one, taken.get(name), given.get(name), operations, components, responses)
        paths.setdefault(one.route.template, {})[one.route.method.lower()] = said
    parts = [paths, list(responses.kept.values())]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Drachm", "version": VERSION, "description": _ABOUT, "license": _LICENCE},
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "schemas": reachable(parts, components),
            "responses": responses.kept,
            "parameters": SHARED_PARAMETERS,
            "headers": _HEADERS,
            "securitySchemes": security_schemes(base_url),
        },
        "tags": [{"name": tag} for tag in dict.fromkeys(one.route.tag for one in operations.values())],
    }


_LICENCE: Final = {"name": "Apache-2.0", "identifier": "Apache-2.0"}


class _Responses:
    """Problem responses that several operations share, each under a name of its own."""

    def __init__(self) -> None:
        self.kept: dict[str, Schema] = {}
        self._names: dict[tuple[int, tuple[str, ...]], str] = {}

    def reference(self, status: int, codes: list[str]) -> Schema:
        key = (status, tuple(codes))
        if key not in self._names:
            count = sum(known == status for known, _ in self._names)
            self._names[key] = f"Problem{status}" + (f".{count + 1}" if count else "")
            self.kept[self._names[key]] = problem_response(status, codes)
        return {"$ref": f"#/components/responses/{self._names[key]}"}


def _operation(
    one: Operation,
    body: Schema | None,
    answer: Schema | None,
    operations: Mapping[str, Operation],
    components: Schema,
    responses: _Responses,
) -> Schema:
    route = one.route
    said: Schema = {
        "operationId": route.operation,
        "summary": route.meaning,
        "description": who_may(one),
        "tags": [route.tag],
        "security": security(one),
        "parameters": parameters(one),
    }
    if body is not None:
        example = EVENT if route.operation == "post_service_events" else example_of(body, components)
        said["requestBody"] = request_body(one, body, example)
    elif one.form:
        said["requestBody"] = form_body(route.operation)
    problems = {str(status): responses.reference(status, codes) for status, codes in problem_codes(one).items()}
    problems |= {str(status): refusal(TITLES[status]) for status in one.refusals}
    said["responses"] = (
        pages(one, problems) if one.pages else {**_successes(one, answer, operations, components), **problems}
    )
    # What changes nothing, has a key, or is its own key may be sent again: a second run has no second effect.
    if route.reads or route.needs_key or route.operation in (*READING, "post_service_events"):
        said["x-repeatable"] = True
    return said


def refusal(title: str) -> Schema:
    """No, in the words of RFC 6749 section 5.2; what is refused before that is a problem as everywhere."""
    text = {"type": "string"}
    said = {
        "type": "object",
        "properties": {"error": text, "error_description": text},
        "required": ["error", "error_description"],
    }
    shown = {"application/json": {"schema": said}, "application/problem+json": {"schema": shared("Problem")}}
    return {"description": title, "content": shown}


def pages(one: Operation, problems: Schema) -> Schema:
    """What a browser is shown: each page, and refusals as pages too; the gate's own stay problem documents."""
    media = "text/css" if one.route.template.endswith(".css") else "text/html"
    shown = {media: {"schema": {"type": "string"}}}
    found: Schema = {}
    for status, meaning in one.pages.items():
        problem = problems.get(str(status))
        content = {**shown, "application/problem+json": {"schema": shared("Problem")}} if problem else shown
        found[str(status)] = {"description": meaning, "content": content}
    return found | {status: problem for status, problem in problems.items() if status not in found}


def _successes(
    one: Operation, answer: Schema | None, operations: Mapping[str, Operation], components: Schema
) -> Schema:
    headers: Schema = {"request-id": {"$ref": "#/components/headers/RequestId"}}
    if one.tagged:
        headers["etag"] = {"$ref": "#/components/headers/ETag"}
    if one.route.needs_key:
        headers["idempotency-replayed"] = {"$ref": "#/components/headers/Replayed"}
    if answer is None and one.media == "application/json":
        status = 204 if one.status == 200 else one.status
        return {str(status): {"description": "Done.", "headers": headers}}
    found: Schema = {"description": one.route.meaning, "headers": headers, "content": _content(one, answer, components)}
    leads = links(one, answer, operations, components) if answer is not None else {}
    if leads:
        found["links"] = leads
    successes: Schema = {str(one.status): found}
    if one.route.operation == "post_service_events" and answer is not None:
        single, bulk = answer["anyOf"]
        successes = {
            "201": {**found, "content": _content(one, single, components)},
            "200": {
                "description": "The first answer again; or a result for each event of an array or of lines.",
                "headers": headers,
                "content": {"application/json": {"schema": {"anyOf": [single, bulk]}}},
            },
        }
    elif one.status == 201 and answer == shared("EventResult"):
        successes["200"] = {**found, "description": "The first answer again: the event was here before."}
    if one.tagged and one.route.reads:
        unchanged = {name: part for name, part in headers.items() if name in ("request-id", "etag")}
        successes["304"] = {"description": "Still the version that If-None-Match names.", "headers": unchanged}
    return successes


def _content(one: Operation, answer: Schema | None, components: Schema) -> Schema:
    if one.route.streams and answer is not None:
        # OpenAPI 3.1 has no word for what the items of a stream hold.
        return {one.media: {"schema": {"type": "string"}, "x-item": answer}}
    if answer is None or one.media != "application/json":
        return {one.media.partition(";")[0]: {"schema": {"type": "string"}}}
    shown: Schema = {"schema": answer}
    if one.route.operation != "get_openapi":
        shown["example"] = example_of(answer, components)
    return {"application/json": shown}
