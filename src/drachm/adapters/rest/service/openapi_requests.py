"""What does a call take, in the words of OpenAPI: parameters, headers, bodies?"""

from __future__ import annotations

from typing import Any, Final

from drachm.adapters.rest.identity.clients import ASSERTION_TYPE
from drachm.adapters.rest.identity.decide import Access, Need
from drachm.adapters.rest.identity.model import Scope
from drachm.adapters.rest.identity.policy import policy_of
from drachm.adapters.rest.service.call import Operation
from drachm.adapters.rest.service.openapi_answers import changes_version, paged
from drachm.adapters.rest.service.openapi_schemas import shared
from drachm.adapters.rest.transport.pump import BATCH_MAX

Schema = dict[str, Any]

_NEEDS: Final = {
    Need.TENANT: "everywhere",
    Need.PARTY: "for its own parties",
    Need.SELF: "for oneself",
    Need.RELATIVE: "for whoever let them in",
}
_PATHS: Final = {
    "key": (r"^[\u0021\u0023-\u007e]{1,255}$", "The Idempotency-Key of the call whose answer was lost."),
    "token": ("^[A-Za-z0-9._~-]{1,512}$", "What stands in the link."),
    "code": ("^[a-z0-9_]{1,64}$", "A problem code."),
}
_EXAMPLES: Final = {
    "party_id": "clinic",
    "member_id": "ana",
    "relative_id": "rita",
    "coverage_id": "c-ana",
    "plan_id": "town-plan",
    "price_book_id": "town-prices",
    "wallet_id": "ana-cash",
    "code": "rate_limited",
}
"""People and things of the town that the documents use."""
_ID: Final = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"

SHARED_PARAMETERS: Final[dict[str, Schema]] = {
    "Cursor": {
        "name": "cursor",
        "in": "query",
        "description": "`next` of the page before; of this list, this caller and these filters only.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,512}$"},
    },
    "Limit": {
        "name": "limit",
        "in": "query",
        "description": "Items on a page.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "One key per intention, sent with every attempt; kept for 90 days.",
        "schema": {"type": "string", "pattern": r"^[\u0021\u0023-\u007e]{1,255}$"},
        "example": "4f6b2a1e-9d3c-4c58-8f43-6f2d7b0c9e11",
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "description": "The ETag of the version that was read.",
        "schema": {"type": "string", "pattern": r'^("[\u0021\u0023-\u007e]{1,100}"|\*)$'},
        "example": '"5d41402abc4b2a76b9719d911017c592"',
    },
    "LastEventId": {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "The id of the last item that was seen: the stream goes on behind it.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,512}$"},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "An ETag: 304 without a body when the thing is still that version.",
        "schema": {"type": "string"},
    },
}


def security_schemes(base_url: str) -> dict[str, Schema]:
    """The ways in which a caller proves who it is."""
    flow = {"tokenUrl": f"{base_url}/v1/token", "scopes": {scope.value: "" for scope in Scope}}
    return {
        "apiKey": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "drk_sandbox_... or drk_live_...",
            "description": "An API key.",
        },
        "oidc": {
            "type": "openIdConnect",
            "openIdConnectUrl": "https://identity.example/.well-known/openid-configuration",
            "description": "An access token of a provider that the operator has connected; the address is an example.",
        },
        "machine": {
            "type": "oauth2",
            "description": "A machine that signs its request: private_key_jwt (RFC 7523) at the token endpoint.",
            "flows": {"clientCredentials": flow},
        },
    }


def security(operation: Operation) -> list[Schema]:
    """Which credentials open the call; empty: none is needed, or the link in the path is one."""
    policy = policy_of(operation.route.method, operation.route.template)
    if policy.access not in (Access.ROLES, Access.KNOWN):
        return []
    return [{"apiKey": []}, {"oidc": []}, {"machine": [policy.scope.value] if policy.scope else []}]


def who_may(operation: Operation) -> str:
    """One sentence: which roles, and what they must be to the thing."""
    policy = policy_of(operation.route.method, operation.route.template)
    if policy.access is Access.OPEN:
        return "For everybody."
    if policy.access is Access.KNOWN:
        return "For every credential."
    if policy.access is Access.HOST:
        return "Only on this machine."
    if policy.access is not Access.ROLES:
        more = ", after the second factor" if policy.access is Access.FACTOR else ""
        return f"For whoever holds the link{more}."
    roles = ", ".join(f"{role.value.replace('_', ' ')} {_NEEDS[policy.grants[role]]}" for role in sorted(policy.grants))
    extras = [f"scope `{policy.scope.value}`"] if policy.scope else []
    extras += ["people only, no machine"] if policy.people else []
    extras += ["not whoever proposed it"] if policy.second else []
    return f"Roles: {roles}." + (f" Needs: {'; '.join(extras)}." if extras else "")


def parameters(operation: Operation) -> list[Schema]:
    """Path, query and header parameters, in this order."""
    found = [_path(name) for name in operation.route.parameters]
    found += [
        {"name": name, "in": "query", "description": meaning, "schema": _query_schema(name, operation)}
        for name, meaning in operation.query.items()
        if name not in ("cursor", "limit") or operation.route.streams
    ]
    names = ["Cursor", "Limit"] if paged(operation) else []
    names += ["LastEventId"] if operation.route.streams else []
    names += ["IdempotencyKey"] if operation.route.needs_key else []
    names += ["IfMatch"] if changes_version(operation) else []
    names += ["IfNoneMatch"] if operation.tagged and operation.route.reads else []
    return found + [{"$ref": f"#/components/parameters/{name}"} for name in names]


def _path(name: str) -> Schema:
    pattern, meaning = _PATHS.get(name, (_ID, f"Id of the {name.removesuffix('_id').replace('_', ' ')}."))
    schema = {"type": "string", "pattern": pattern}
    said = {"name": name, "in": "path", "required": True, "description": meaning, "schema": schema}
    return said | ({"example": _EXAMPLES[name]} if name in _EXAMPLES else {})


def _query_schema(name: str, operation: Operation) -> Schema:
    meaning = operation.query[name].lower()
    if name in ("since", "until", "on", "at", "as_of", "day", "from", "to") and "time" not in meaning:
        return shared("Day")
    return {"type": "string", "pattern": r"^[^\u0000-\u001f\u007f-\u00a0\u00ad]*$"}


def request_body(operation: Operation, schema: Schema, example: Any) -> Schema:
    """The body of a call; of events in each of their forms."""
    if operation.route.operation != "post_service_events":
        return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}
    event = shared("ServiceEvent")
    # An item that is no event is refused in its place; the others clear.
    many = {"type": "array", "items": {"anyOf": [event, {}]}, "maxItems": BATCH_MAX}
    lines = {
        "type": "string",
        "contentMediaType": "application/x-ndjson",
        "description": f"One event a line, at most {BATCH_MAX}.",
    }
    return {
        "required": True,
        "description": "One event; or many, each cleared or refused by itself.",
        "content": {
            "application/json": {
                "schema": {"oneOf": [event, many]},
                "examples": {"one": {"value": example}, "many": {"value": [example]}},
            },
            "application/x-ndjson": {"schema": lines},
        },
    }


_TOKEN_FORM: Final[Schema] = {
    "type": "object",
    "properties": {
        "grant_type": {"const": "client_credentials"},
        "client_assertion_type": {"const": ASSERTION_TYPE},
        "client_assertion": {
            "type": "string",
            "description": "A JWT signed with a registered key: iss and sub the client id, aud this endpoint, a fresh "
            "jti, exp within five minutes (RFC 7523 section 3).",
        },
        "client_id": {"type": "string", "description": "May be left out: the assertion names the client."},
        "scope": {"type": "string", "description": "Fewer scopes than the client has, divided by blanks."},
    },
    "required": ["grant_type", "client_assertion_type", "client_assertion"],
    "additionalProperties": {"type": "string"},
}


def form_body(operation: str) -> Schema:
    """A form as a browser sends it, or as RFC 6749 section 4.4 has it."""
    plain = {"type": "object", "additionalProperties": {"type": "string"}}
    fields = _TOKEN_FORM if operation == "issue_token" else plain
    return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": fields}}}
