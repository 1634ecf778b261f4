"""Is an answer one that the published document allows? Status, problem code and schema of the body.

Every call that a test of the service makes is held to this (`ask` in conftest.py): what a test drives the service into
is often what random requests never meet.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator

from drachm.adapters.rest.service.openapi import published


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(published("http://127.0.0.1:8000")[0])
    return found


@cache
def _responses() -> dict[str, dict[str, Any]]:
    paths = _document()["paths"].values()
    return {one["operationId"]: one["responses"] for methods in paths for one in methods.values()}


@cache
def _schema(operation: str, status: str, media: str) -> Draft202012Validator | None:
    """None where the document says nothing of such a body: a page, or none at all."""
    response = _responses()[operation][status]
    while "$ref" in response:
        found: Any = _document()
        for word in response["$ref"].removeprefix("#/").split("/"):
            found = found[word]
        response = found
    schema = response.get("content", {}).get(media, {}).get("schema")
    if not schema:
        return None
    return Draft202012Validator({**schema, "components": _document()["components"]}, validate_formats=True)


def ensure_published(operation: str, status: int, media: str, body: Any) -> None:
    """Raise AssertionError for an answer that the document does not name."""
    responses = _responses().get(operation)
    if responses is None:
        return  # a page of ours; the document names calls of programs
    assert str(status) in responses, f"{operation} answers {status}, which the document does not name: {body}"
    kind = media.partition(";")[0]
    schema = _schema(operation, str(status), kind) if "json" in kind else None
    if schema is not None:
        fault = next(iter(schema.iter_errors(body)), None)
        assert fault is None, f"{operation} {status}: {fault}"
