"""Access as its users have it, over HTTP: machines sign for tokens, people let people look, lost answers are read."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from drachm.adapters.rest.identity.clients import ASSERTION_TYPE
from drachm.service.run import Running, running
from drachm.settings import Settings

PAIR = ECKey.generate_key("P-256")


@pytest.fixture(scope="module")
def service(service_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service on the tests' database."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), master_key=bytes(range(32)))
    with running(settings, service_database) as found:
        yield found


def call(service: Running, method: str, path: str, token: str = "", body: Any = None, **headers: str) -> Any:
    """One call on a connection of its own: status, headers, decoded body."""
    host = urlsplit(service.base_url)
    connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=20)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        fields["authorization"] = f"Bearer {token}"
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        fields.setdefault("content-type", "application/json")
    connection.request(method, path, body, fields)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, dict(answer.headers.items()), json.loads(text) if text else None


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")


def test_a_machine_lives_from_its_registration_to_its_end(service: Running, town: Any) -> None:
    olga = service.person_token("olga", ["operator"], tenant=town.tenant)
    rights = {"roles": ["integrator"], "parties": ["clinic"], "scopes": ["events:write", "keys:write", "keys:read"]}
    order = {"name": "records", **rights, "jwks": {"keys": [{**PAIR.as_dict(private=False), "kid": "k1"}]}}
    status, _, client = call(service, "POST", "/v1/clients", olga, order)
    assert status == 201, client
    now = int(time.time())
    claims = {"iss": client["id"], "sub": client["id"], "aud": f"{service.base_url}/v1/token", "jti": "j1"}
    signed = jwt.encode({"alg": "ES256", "kid": "k1"}, {**claims, "exp": now + 120}, PAIR, algorithms=["ES256"])
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
    ask = {"body": urlencode(form).encode(), "content_type": "application/x-www-form-urlencoded"}
    status, headers, answer = call(service, "POST", "/v1/token", **ask)
    assert status == 200, answer
    assert headers["cache-control"] == "no-store"
    token = answer["access_token"]
    status, _, me = call(service, "GET", "/v1/me", token)
    assert (status, me["credential"], me["tenant"], me["parties"]) == (200, client["id"], town.name, ["clinic"])
    (kid,) = [key["kid"] for key in call(service, "GET", "/.well-known/jwks.json")[2]["keys"]]
    assert kid
    status, headers, refused = call(service, "POST", "/v1/token", **ask)
    assert (status, refused["error"], headers["content-type"]) == (401, "invalid_client", "application/json")
    path = f"/v1/clients/{client['id']}"
    assert call(service, "GET", path, token)[0] == 200
    assert call(service, "DELETE", path, olga)[0] == 204
    assert call(service, "GET", "/v1/me", token)[0] == 401


def test_a_key_made_by_a_call_works_until_it_is_revoked_by_one(service: Running, town: Any) -> None:
    olga = service.person_token("olga", ["operator"], tenant=town.tenant)
    order = {"name": "desk", "roles": ["clerk"], "parties": ["clinic"], "scopes": ["members:read"]}
    _, _, made = call(service, "POST", "/v1/api-keys", olga, order)
    assert call(service, "GET", "/v1/me", made["key"])[2]["scopes"] == ["members:read"]
    assert call(service, "DELETE", f"/v1/api-keys/{made['id']}", olga)[0] == 204
    status, _, problem = call(service, "GET", "/v1/me", made["key"])
    assert (status, problem["code"]) == (401, "api_key_revoked")


def test_a_relative_looks_from_being_let_in_to_being_sent_away(service: Running, town: Any) -> None:
    olga = service.person_token("olga", ["operator"], tenant=town.tenant)
    ana = service.person_token("ana", ["patient"], tenant=town.tenant)
    rita = service.person_token("rita", ["relative"], tenant=town.tenant)
    subjects = {name: call(service, "GET", "/v1/me", who)[2]["subject"] for name, who in (("ana", ana), ("rita", rita))}
    ties = "/v1/members/ana/relatives"
    own = {"subject": subjects["ana"], "valid_until": in_days(365), "relation": "self"}
    assert call(service, "GET", "/v1/members/ana", ana)[0] == 404
    assert call(service, "POST", ties, olga, own)[0] == 201
    assert call(service, "GET", "/v1/members/ana", ana)[0] == 200
    assert call(service, "GET", "/v1/members/ana", rita)[0] == 404
    status, _, tie = call(service, "POST", ties, ana, {"subject": subjects["rita"], "valid_until": in_days(30)})
    assert status == 201, tie
    assert call(service, "GET", "/v1/members/ana", rita)[0] == 200
    assert call(service, "GET", "/v1/members/ben", rita)[0] == 404
    assert call(service, "POST", ties, rita, {"subject": "friend", "valid_until": in_days(30)})[0] == 403
    assert call(service, "DELETE", f"{ties}/{tie['id']}", ana)[0] == 204
    assert call(service, "GET", "/v1/members/ana", rita)[0] == 404


def test_a_lost_answer_is_read_by_its_key(service: Running, town: Any) -> None:
    funder = service.person_token("fred", ["operator"], tenant=town.tenant)
    order = {"amount": {"micros": 5_000_000, "currency": "USD"}}
    path = "/v1/wallets/ana-cash/top-ups"
    status, _, first = call(service, "POST", path, funder, order, idempotency_key="k-1")
    assert status in (200, 201), first
    status, headers, again = call(service, "POST", path, funder, order, idempotency_key="k-1")
    assert (again, headers["idempotency-replayed"]) == (first, "true")
    status, _, kept = call(service, "GET", "/v1/operations/by-key/k-1", funder)
    assert (status, kept["state"], kept["body"]) == (200, "done", first)
    gina = service.person_token("gina", ["operator"], tenant=town.tenant)
    assert call(service, "GET", "/v1/operations/by-key/k-1", gina)[0] == 404
    assert call(service, "GET", "/v1/operations/by-key/k-2", funder)[0] == 404
