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
from drachm.adapters.eventjson.schema import event_schema
from drachm.adapters.rest.identity.decide import Access
from drachm.adapters.rest.identity.policy import policy_of
from drachm.adapters.rest.identity.routes import BY_OPERATION, ROUTES
from drachm.adapters.rest.service import operations
from drachm.adapters.rest.service.call import OPERATIONS
from drachm.adapters.rest.service.eligibility import EligibilityOrder, ServiceAsked
from drachm.adapters.rest.service.event_shape import ServiceEventShape
from drachm.adapters.rest.service.events import Correction
from drachm.adapters.rest.service.openapi import PAGES_OF_OURS, published
from drachm.adapters.rest.service.openapi_own import own_pages
from drachm.adapters.rest.service.openapi_schemas import schemas_of
from drachm.adapters.rest.service.price_books import PriceCase
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


MADE_INTO_EVENTS = {
    "ServiceEventShape": ("kind",),
    "Correction": (),
    "ServiceAsked": (),
    "EligibilityOrder": ("services",),
    # What was asked for a case is a number, in the currency of its book.
    "PriceCase": ("billed",),
}


@pytest.mark.parametrize("name", MADE_INTO_EVENTS)
def test_what_becomes_an_event_has_the_bounds_of_an_event(name: str) -> None:
    """So what fits the schema of the call fits the reader of events that stands behind it."""
    event = event_schema({"$ref": "#/components/schemas/Currency"})["properties"]
    _, components = schemas_of([ServiceEventShape, Correction, ServiceAsked, EligibilityOrder, PriceCase])
    said = components[name]["properties"]
    mine = [one for one in said if one in event and one not in MADE_INTO_EVENTS[name]]
    assert mine
    assert {one: bare(said[one], components) for one in mine} == {one: bare(event[one], components) for one in mine}


def bare(schema: Any, components: dict[str, Any]) -> Any:
    """What a schema asks for, without words; what is there beside a reference describes only."""
    if isinstance(schema, list):
        return [bare(one, components) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return bare(components[schema["$ref"].rpartition("/")[2]], components)
    found = {key: bare(value, components) for key, value in schema.items() if key not in WORDS}
    if "propertyNames" in found:
        found["propertyNames"].pop("type", None)  # a name is a text anyway
    return found


WORDS = ("title", "description", "default")


@pytest.mark.parametrize("name", ["post_service_events", "revise_service_event", "reverse_service_event"])
def test_an_event_that_was_here_before_is_answered_with_200(name: str) -> None:
    assert {"200", "201"} <= SAID[name]["responses"].keys()


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
