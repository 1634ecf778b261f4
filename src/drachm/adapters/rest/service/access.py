"""API keys and machines: who else may call, and with which rights?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, field

from drachm.adapters.rest.identity.clients import KEYS_MAX, Client, changed_keys, disabled, register
from drachm.adapters.rest.identity.keyring import LIFETIME_MAX, OVERLAP_MAX
from drachm.adapters.rest.identity.keys import ApiKey
from drachm.adapters.rest.identity.model import Role, Scope
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.shapes import Instant, Name, Page, Shape, View, Word
from drachm.adapters.rest.transport.values import read_instant, write_instant
from drachm.domain.errors import InvalidMessage

LIFETIME: Final = timedelta(days=90)
OVERLAP: Final = timedelta(days=1)

MachineRole = Literal["clerk", "finance", "price_editor", "payer", "funder", "auditor", "operator", "integrator"]
"""Roles that are nobody's personal login."""
ScopeWord = Literal[
    "events:read",
    "events:write",
    "estimates",
    "receipts:read",
    "receipts:share",
    "parties:read",
    "parties:write",
    "payouts:read",
    "payouts:write",
    "members:read",
    "members:write",
    "plans:read",
    "plans:write",
    "money:read",
    "money:write",
    "keys:read",
    "keys:write",
]


class Rights(Shape, kw_only=True):
    """What a machine may do: no more than whoever makes it."""

    name: Name
    """What people call it."""
    roles: Annotated[list[MachineRole], Meta(min_length=1, max_length=8)]
    parties: Annotated[list[Word], Meta(max_length=200)] = field(default_factory=list)
    """For whom it acts; every role holds at every one of them."""
    scopes: Annotated[list[ScopeWord], Meta(min_length=1, max_length=len(Scope))]


class NewApiKey(Rights, kw_only=True):
    """A key to make."""

    expires_at: Instant | None = None
    """At most 400 days from now; left out: in 90 days."""


class Rotation(Shape):
    """How the old key ends."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=int(OVERLAP_MAX.total_seconds()))] = int(OVERLAP.total_seconds())
    """How long both keys are good."""


class ApiKeyView(View):
    """An API key, never the key itself."""

    id: str
    name: str
    environment: str
    roles: list[str]
    parties: list[str]
    scopes: list[str]
    created_at: str
    created_by: str
    expires_at: str
    revoked_at: str | None
    replaces: str | None
    """Id of the key whose rotation made this one."""
    last_used_hour: str | None
    """Whole hour of its last use."""


class NewApiKeyView(ApiKeyView, kw_only=True):
    """A new key."""

    key: str
    """Shown this once: keep it where secrets are kept."""


class JwkSet(Shape):
    """Public keys (RFC 7517)."""

    keys: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=KEYS_MAX)]


class NewClient(Rights, kw_only=True):
    """A machine to register."""

    jwks: JwkSet
    """The public halves of the keys that it signs with; each has a `kid`."""


class ClientKeys(Shape):
    """Other public keys."""

    jwks: JwkSet


class ClientView(View):
    """A machine that proves itself by a signed assertion."""

    id: str
    """`iss` and `sub` of its assertions."""
    name: str
    environment: str
    roles: list[str]
    parties: list[str]
    scopes: list[str]
    jwks: JwkSet
    generation: int
    """Grows with every change; tokens of an earlier generation have ended."""
    created_at: str
    created_by: str
    disabled_at: str | None


@operation("list_api_keys", answer=Page[ApiKeyView])
def list_api_keys(call: Call) -> Page[ApiKeyView]:
    """Keys in order of id."""
    reach, limit = call.reach(), call.limit()
    parties = None if reach.everything else reach.parties
    found = call.house.keyring.page(call.caller.tenant, after=_behind(call), limit=limit + 1, parties=parties)
    return Page(data=[_view(key) for key in found[:limit]], next=_next(call, [key.id for key in found], limit))


@operation("create_api_key", body=NewApiKey, answer=NewApiKeyView, status=201)
def create_api_key(call: Call) -> NewApiKeyView:
    """Make a key."""
    order: NewApiKey = call.body
    roles, parties, scopes = _rights(order)
    call.permit(call.resource(parties=parties))
    ends = call.at + LIFETIME if order.expires_at is None else read_instant(order.expires_at, "/expires_at")
    if not call.at < ends <= call.at + LIFETIME_MAX:
        raise InvalidMessage(f"a key ends within {LIFETIME_MAX.days} days", where="$.expires_at")
    minted, key = call.house.keyring.issue(call.caller, order.name, roles, parties, scopes, ends, call.at)
    return _new(key, minted.text)


@operation("get_api_key", answer=ApiKeyView)
def get_api_key(call: Call) -> ApiKeyView:
    """One key."""
    return _view(_asked_key(call))


@operation("rotate_api_key", body=Rotation, answer=NewApiKeyView, status=201, problems=("conflict",))
def rotate_api_key(call: Call) -> NewApiKeyView:
    """Make the key that follows."""
    old, order = _asked_key(call), call.body
    overlap = timedelta(seconds=order.overlap_seconds)
    minted, key = call.house.keyring.rotate(call.caller, old, overlap, call.at)
    return _new(key, minted.text)


@operation("revoke_api_key")
def revoke_api_key(call: Call) -> None:
    """End a key now; one that has ended stays as it is."""
    call.house.keyring.revoke(_asked_key(call), call.at)


@operation("list_clients", answer=Page[ClientView])
def list_clients(call: Call) -> Page[ClientView]:
    """Machines in order of id."""
    reach, limit = call.reach(), call.limit()
    house, parties = call.house, None if reach.everything else reach.parties
    found = house.clients.page(
        call.caller.tenant, house.environment, after=_behind(call), limit=limit + 1, parties=parties
    )
    return Page(data=[_client(one) for one in found[:limit]], next=_next(call, [one.id for one in found], limit))


@operation("create_client", body=NewClient, answer=ClientView, status=201, tagged=True)
def create_client(call: Call) -> Reply:
    """Register a machine."""
    order: NewClient = call.body
    roles, parties, scopes = _rights(order)
    call.permit(call.resource(parties=parties))
    caller = call.caller
    client = Client(
        *(call.new_id("cli"), caller.tenant, call.house.environment, order.name, roles, parties, scopes),
        keys={"keys": order.jwks.keys},
        created_at=call.at,
        created_by=caller.subject,
    )
    with _in_jwks():
        register(call.house.clients, caller, client)
    return _client_reply(client)


@operation("get_client", answer=ClientView, tagged=True)
def get_client(call: Call) -> Reply:
    """One machine."""
    return _client_reply(_asked_client(call))


@operation("replace_client_keys", body=ClientKeys, answer=ClientView, tagged=True, problems=("version",))
def replace_client_keys(call: Call) -> Reply:
    """Put other public keys in the place of a machine's."""
    client = _asked_client(call)
    call.require_version(client.id, client.generation)
    with _in_jwks():
        return _client_reply(changed_keys(call.house.clients, call.caller, client, {"keys": call.body.jwks.keys}))


@operation("revoke_client")
def revoke_client(call: Call) -> None:
    """End a machine now; one that has ended stays as it is."""
    client = _asked_client(call)
    if client.disabled_at is None:
        disabled(call.house.clients, client, call.at)


def _asked_key(call: Call) -> ApiKey:
    """The key of the path, if the caller may do this to it."""
    call.reach()
    key = call.house.keyring.find(call.path["key_id"])
    here = key is not None and _is_here(call, key)
    call.permit(call.resource(key.id, parties=key.parties) if key is not None and here else None)
    assert key is not None
    return key


def _asked_client(call: Call) -> Client:
    """The machine of the path, likewise."""
    call.reach()
    client = call.house.clients.find(call.path["client_id"])
    here = client is not None and _is_here(call, client)
    call.permit(call.resource(client.id, parties=client.parties) if client is not None and here else None)
    assert client is not None
    return client


def _is_here(call: Call, thing: ApiKey | Client) -> bool:
    """Whether it belongs to the caller's tenant: it was found by its id alone, among those of all."""
    return (thing.tenant, thing.environment) == (call.caller.tenant, call.caller.environment)


def _rights(order: Rights) -> tuple[frozenset[Role], frozenset[str], frozenset[Scope]]:
    return frozenset(map(Role, order.roles)), frozenset(order.parties), frozenset(map(Scope, order.scopes))


@contextmanager
def _in_jwks() -> Iterator[None]:
    """Places of keys are named as the body has them."""
    try:
        yield
    except InvalidMessage as error:
        if error.where.startswith("keys"):
            raise InvalidMessage(error.message, where=f"$.jwks.{error.where}", next_step=error.next_step) from None
        raise


def _behind(call: Call) -> str:
    place = call.place()
    return str(place[0]) if place else ""


def _next(call: Call, ids: list[str], limit: int) -> str | None:
    """The cursor of the page behind these; when there is one, one id more than was asked for was found."""
    return call.cursor([ids[limit - 1]]) if len(ids) > limit else None


def _view(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(**_shown(key))


def _new(key: ApiKey, text: str) -> NewApiKeyView:
    return NewApiKeyView(**_shown(key), key=text)


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        **_shown_rights(key),
        "created_at": write_instant(key.created_at),
        "created_by": key.created_by,
        "expires_at": write_instant(key.expires_at),
        "revoked_at": _instant(key.revoked_at),
        "replaces": key.replaces or None,
        "last_used_hour": _instant(key.last_used_hour),
    }


def _client(client: Client) -> ClientView:
    return ClientView(
        id=client.id,
        name=client.name,
        **_shown_rights(client),
        jwks=JwkSet(keys=client.keys["keys"]),
        generation=client.generation,
        created_at=write_instant(client.created_at),
        created_by=client.created_by,
        disabled_at=_instant(client.disabled_at),
    )


def _client_reply(client: Client) -> Reply:
    return Reply(_client(client), tag=(client.id, client.generation))


def _shown_rights(thing: ApiKey | Client) -> dict[str, Any]:
    return {
        "environment": thing.environment.value,
        "roles": sorted(thing.roles),
        "parties": sorted(thing.parties),
        "scopes": sorted(thing.scopes),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else write_instant(at)
