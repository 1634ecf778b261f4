"""The published document is OpenAPI 3.1, names what is there and nothing else, and its examples and links hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from jsonschema_rs import Draft202012Validator
from schemathesis.specs.openapi import definitions

from drachm.adapters.eventjson import read_event
from drachm.adapters.rest.identity.decide import Access
from drachm.adapters.rest.identity.policy import policy_of
from drachm.adapters.rest.identity.routes import BY_OPERATION, ROUTES
from drachm.adapters.rest.service import operations
from drachm.adapters.rest.service.call import OPERATIONS
from drachm.adapters.rest.service.openapi import PAGES_OF_OURS, published
from drachm.adapters.rest.service.openapi_own import own_pages
from drachm.adapters.rest.service.shapes import read_shape
from drachm.adapters.rest.transport.problem_table import KINDS

assert operations
BASE = "http://127.0.0.1:8000"
DOCUMENT: dict[str, Any] = json.loads(published(BASE)[0])
SAID = {one["operationId"]: one for path in DOCUMENT["paths"].values() for one in path.values()}


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]}, validate_formats=True)


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = DOCUMENT
    for word in part["$ref"].removeprefix("#/").split("/"):
        found = found[word]
    return dict(found)


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, one in SAID.items():
        for kind, content in one.get("requestBody", {}).get("content", {}).items():
            yield f"{name} request {kind}", content
        for status, response in one["responses"].items():
            for kind, content in resolved(response).get("content", {}).items():
                yield f"{name} {status} {kind}", content


def test_it_is_openapi() -> None:
    definitions.OPENAPI_31_VALIDATOR.validate(DOCUMENT)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(re.findall(r'"\$ref":"([^"]+)"', published(BASE)[0].decode())):
        assert resolved({"$ref": reference}), reference


def test_it_names_every_operation_that_is_there_and_no_other() -> None:
    pages = {name for name, one in OPERATIONS.items() if one.route.tag in PAGES_OF_OURS}
    assert set(SAID) == {*OPERATIONS, *own_pages()} - pages
    assert len(pages) > 10


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.operation in SAID], ids=lambda route: route.operation
)
def test_each_operation_says_what_the_tables_say(route: Any) -> None:
    one = SAID[route.operation]
    assert DOCUMENT["paths"][route.template][route.method.lower()] is not None
    assert one["summary"] == route.meaning
    parameters = [resolved(each) for each in one["parameters"]]
    assert [each["name"] for each in parameters if each["in"] == "path"] == list(route.parameters)
    names = {each["name"] for each in parameters}
    assert ("Idempotency-Key" in names) == route.needs_key
    access = policy_of(route.method, route.template).access
    assert bool(one["security"]) == (access in (Access.ROLES, Access.KNOWN))
    for status, response in one["responses"].items():
        for kind, content in resolved(response).get("content", {}).items():
            in_other_words = kind.startswith("text/") or (route.operation == "issue_token" and status in ("400", "401"))
            assert (kind == "application/problem+json") == (status >= "400") or in_other_words
            if kind == "application/problem+json" and "allOf" in content["schema"]:
                codes = content["schema"]["allOf"][1]["properties"]["code"]["enum"]
                assert {KINDS[code].status for code in codes} == {int(status)}


def test_no_call_of_the_route_table_is_left_out() -> None:
    left_out = {BY_OPERATION[name] for name in set(BY_OPERATION) - set(SAID)}
    # Pages for browsers with a session are not for programs.
    assert {route.operation for route in left_out if route.tag not in PAGES_OF_OURS} == set()


def test_every_code_that_a_handler_declares_has_a_row() -> None:
    missing = {(name, code) for name, one in OPERATIONS.items() for code in one.problems if code not in KINDS}
    assert missing == set(), "add a row to transport/problem_table.py"


def test_the_schemas_have_names_of_their_own() -> None:
    # Two structs of one name would appear under the names of their modules.
    assert [name for name in DOCUMENT["components"]["schemas"] if "." in name or "drachm" in name] == []


def test_examples_fit_their_schemas() -> None:
    count = 0
    for place, content in contents():
        given = [content["example"]] if "example" in content else []
        given += [each["value"] for each in content.get("examples", {}).values()]
        check = validator(content["schema"])
        for example in given:
            faults = [str(fault) for fault in check.iter_errors(example)]
            assert faults == [], (place, example)
            count += 1
    assert count > 3 * len(SAID)


@pytest.mark.parametrize("name", sorted(SAID))
def test_the_service_reads_its_own_examples(name: str) -> None:
    declared = OPERATIONS.get(name)
    if declared is None or declared.body is None:
        return
    content = SAID[name]["requestBody"]["content"]["application/json"]
    if name == "post_service_events":
        for example in content["examples"].values():
            for event in example["value"] if isinstance(example["value"], list) else [example["value"]]:
                assert read_event(event)
    else:
        assert read_shape(msgspec.json.encode(content["example"]), declared.body) is not None


def test_links_lead_to_parameters_that_are_there() -> None:
    count = 0
    for name, one in SAID.items():
        for status, response in one["responses"].items():
            for link in resolved(response).get("links", {}).values():
                target = SAID[link["operationId"]]
                there = {f"{each['in']}.{each['name']}" for each in map(resolved, target["parameters"])}
                assert set(link["parameters"]) <= there, (name, status, link)
                required = {f"path.{each}" for each in BY_OPERATION[link["operationId"]].parameters}
                assert required <= set(link["parameters"]), (name, link)
                count += 1
    assert count > 10


def test_it_is_served_with_an_etag(ask: Any, town: Any) -> None:
    answer = ask("get_openapi", town.nobody())
    assert answer.status == 200
    assert answer.body == DOCUMENT
    again = ask("get_openapi", town.nobody(), if_none_match=answer.headers["etag"])
    assert again.status == 304
    assert again.raw == b""
