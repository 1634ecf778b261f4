"""Which problems may a call answer, by status and code?

The answer follows from what the call is: who may make it, whether it has a body, a key, a version, a cursor; and from
the codes that its handler names. Every code is one of `problem_table`, so each has a page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final, get_origin

from drachm.adapters.rest.identity.decide import Access
from drachm.adapters.rest.identity.errors import REASONS as UNPROVEN
from drachm.adapters.rest.identity.policy import policy_of
from drachm.adapters.rest.identity.routes import About
from drachm.adapters.rest.service.call import Operation
from drachm.adapters.rest.transport.problem_table import KINDS
from drachm.domain.reasons import REASONS

Schema = dict[str, Any]

_EVERY: Final = (
    "bad_request", "malformed_http", "request_timeout", "headers_too_large", "rate_limited", "busy",
    "internal", "integrity", "unavailable", "timed_out", "draining", "too_many_connections",
)  # fmt: skip
_JSON: Final = (
    "malformed_json", "not_utf8", "nul_character", "lone_surrogate", "duplicate_key", "not_a_number",
    "number_too_long", "too_deep",
)  # fmt: skip
BODY: Final = (
    *_JSON, "malformed_gzip", "incomplete_body", "too_large", "gzip_ratio", "unsupported_media_type",
    "unsupported_content_encoding", "invalid_body", "invalid_message", "invalid_money", "invalid_time",
    "invalid_amount", "unknown_currency",
)  # fmt: skip
EVENT: Final = (
    "missing_field", "unknown_field", "wrong_type", "invalid_id", "invalid_text", "invalid_quantity", "invalid_kind",
    "invalid_event", "out_of_range", "too_many", "currency_mismatch", "unknown_currency", "invalid_time",
)  # fmt: skip
"""What the reader of service events says besides."""
_READS_EVENTS: Final = frozenset((
    "post_service_events", "revise_service_event", "create_estimate", "check_eligibility",
))  # fmt: skip
_DECIDES: Final = _READS_EVENTS | {"reverse_service_event", "retry_work_item"}
"""May answer with a reason of clearing."""
READING: Final = frozenset((
    "create_estimate", "check_eligibility", "match_member", "check_npi", "validate_plan", "preview_plan",
    "validate_price_book", "preview_price_book",
))  # fmt: skip
"""Calls with a body that change nothing."""
_KEY: Final = (
    "idempotency_key_missing", "idempotency_key_invalid", "idempotency_in_flight", "idempotency_key_reused",
)  # fmt: skip
_VERSION: Final = ("invalid_if_match", "precondition_failed", "precondition_required")
_CURSOR: Final = ("invalid_cursor", "expired_cursor")
_LINK_CODES: Final = tuple(code for code in UNPROVEN if code.startswith("link_"))
_FACTOR_CODES: Final = tuple(code for code in UNPROVEN if code.startswith("second_factor_"))
_CREDENTIAL_CODES: Final = tuple(code for code in UNPROVEN if code not in (*_LINK_CODES, *_FACTOR_CODES))

TITLES: Final = {
    400: "The request cannot be read.",
    401: "The caller is not known.",
    403: "The caller may not do this.",
    404: "Nothing is here, or nothing that the caller may see.",
    406: "The answer does not exist in an accepted form.",
    408: "The request did not arrive in time.",
    409: "It contradicts what is here already.",
    412: "The thing has changed meanwhile.",
    413: "The body is too large.",
    415: "The body's form is not taken here.",
    422: "The request can be read, but not done.",
    428: "A change needs the version that was read.",
    429: "Too many calls, or too much work; nothing was begun.",
    431: "The header is too large.",
    500: "Our fault.",
    503: "Not now; the same call may succeed later.",
}


def problem_codes(operation: Operation) -> dict[int, list[str]]:
    """Status -> codes that this operation may answer with, in order."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for code in _codes(operation):
        # A code without a row is a fault that a test finds; the document is served all the same.
        if code in KINDS:
            found[KINDS[code].status].add(code)
    return {status: sorted(codes) for status, codes in sorted(found.items())}


def changes_version(operation: Operation) -> bool:
    """Whether the call needs If-Match: it changes a thing that has an ETag."""
    route = operation.route
    return (operation.tagged and route.method in ("PUT", "PATCH")) or "precondition_required" in operation.problems


def paged(operation: Operation) -> bool:
    """Whether the call is a list with `cursor` and `limit`."""
    return not operation.route.streams and (_gives_pages(operation) or "cursor" in operation.query)


def _gives_pages(operation: Operation) -> bool:
    fields = getattr(get_origin(operation.answer) or operation.answer, "__struct_fields__", ())
    return operation.route.about is About.MANY and operation.route.reads and "next" in fields


def _codes(operation: Operation) -> Iterator[str]:
    route = operation.route
    policy = policy_of(route.method, route.template)
    yield from _EVERY
    yield from operation.problems
    if policy.access in (Access.LINK, Access.FACTOR):
        yield from _LINK_CODES
        yield from _FACTOR_CODES
        yield from ("not_found", "second_factor_required", "role_missing", "unauthenticated")
    else:
        yield from _CREDENTIAL_CODES
    if policy.access is Access.ROLES:
        yield "role_missing"
        yield "not_related" if route.about is About.NAMED or not policy.hidden else "role_missing"
        if policy.scope is not None:
            yield "scope_missing"
        if policy.people:
            yield "person_required"
        if policy.second:
            yield "second_person_required"
    if route.parameters:
        yield "not_found"
    if operation.media == "application/json" or route.streams:
        yield "not_acceptable"
    if operation.body is not None:
        yield from BODY
    elif route.method != "GET":
        yield from ("too_large", "unsupported_content_encoding", "malformed_gzip", "gzip_ratio", "incomplete_body")
    if route.operation in _READS_EVENTS:
        yield from EVENT
    if route.operation in _DECIDES:
        yield from (reason.code for reason in REASONS.values() if reason.outcome in ("refused", "pended"))
    if route.needs_key:
        yield from _KEY
    if route.method != "GET" and route.operation not in READING:
        yield from ("conflict", "version")
    if changes_version(operation):
        yield from _VERSION
    if paged(operation) or route.streams:
        yield from _CURSOR


def problem_schema() -> Schema:
    """An RFC 9457 problem document of ours."""
    text = {"type": "string"}
    fault = {
        "type": "object",
        "properties": {
            "pointer": {**text, "description": "JSON Pointer (RFC 6901) into the request's body; never a value."},
            "code": text,
            "detail": text,
        },
        "required": ["pointer", "code", "detail"],
    }
    return {
        "title": "Problem",
        "description": "Why the answer is no (RFC 9457). It never repeats a value of the request.",
        "type": "object",
        "properties": {
            "type": {**text, "format": "uri-reference", "description": "Opens the page of the code."},
            "title": text,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": text,
            "code": {**text, "description": "Stable for ever; documented at /problems."},
            "retryable": {"type": "boolean", "description": "The same call, unchanged, may succeed later."},
            "next_step": text,
            "request_id": text,
            "errors": {"type": "array", "items": fault, "description": "The faulty places of the body."},
        },
        "required": ["type", "title", "status", "detail", "code", "retryable", "next_step", "request_id"],
    }


def problem_response(status: int, codes: list[str]) -> Schema:
    """The response object for one status and its codes."""
    headers: Schema = {"request-id": {"$ref": "#/components/headers/RequestId"}}
    if status in (429, 503):
        headers["retry-after"] = {"$ref": "#/components/headers/RetryAfter"}
    limited = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
    return {
        "description": TITLES.get(status, "No."),
        "headers": headers,
        "content": {
            "application/problem+json": {
                "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, limited]},
                "example": problem_example(status, codes),
            }
        },
    }


def problem_example(status: int, codes: list[str]) -> Schema:
    """A problem as it would be answered."""
    kind = KINDS[codes[0]]
    return {
        "type": f"/problems/{kind.code}",
        "title": kind.title,
        "status": status,
        "detail": kind.text,
        "code": kind.code,
        "retryable": kind.retryable,
        "next_step": kind.next_step,
        "request_id": "req_06m8x2k7v5t9c3q1z4n8r6w2y0",
    }
