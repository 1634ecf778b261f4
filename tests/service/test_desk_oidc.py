"""Signing in to the desk at an OpenID Connect provider: the code flow works, and no shortcut of it does."""

from __future__ import annotations

import base64
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor

from drachm.adapters.rest.identity.sign_in import challenge
from drachm.domain.errors import InvalidMessage
from drachm.service.providers import read_providers, read_sign_ins

SECRET = "a secret: with signs & blanks"


@dataclass
class FakeProvider:
    """An identity provider that keeps to the standards unless a test bends its claims."""

    address: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", parameters={"kid": "p1"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    bend: Callable[[dict[str, Any]], Any] = lambda claims: None
    now: float = 0
    tenant: str = ""
    refused: list[str] = field(default_factory=list)

    def log_in(self, address: str) -> dict[str, str]:
        """What the browser brings back after the person logged in."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.address}

    def token(self, form: dict[str, str], basic: str) -> dict[str, str] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        name, _, secret = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
        known = (name, secret) == ("desk", "a+secret%3A+with+signs+%26+blanks")
        if asked is None or not known or challenge(form.get("code_verifier", "")) != asked["code_challenge"]:
            return None
        if form["redirect_uri"] != asked["redirect_uri"]:
            return None
        claims: dict[str, Any] = {
            "iss": self.address,
            "aud": "desk",
            "sub": "noor-1",
            "name": "Noor <b>",
            "nonce": asked["nonce"],
            "auth_time": int(self.now) - 5,
            "iat": int(self.now),
            "exp": int(self.now) + 300,
            "roles": ["clerk"],
            "parties": ["clinic"],
        }
        self.bend(claims)
        header = {"alg": "ES256", "kid": "p1", "typ": "JWT"}
        return {"id_token": jwt.encode(header, claims, self.key), "token_type": "Bearer", "access_token": "x"}


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    fake = FakeProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith("openid-configuration"):
                self._say({
                    "issuer": fake.address,
                    "jwks_uri": f"{fake.address}/keys",
                    "authorization_endpoint": f"{fake.address}/auth",
                    "token_endpoint": f"{fake.address}/token",
                })  # fmt: skip
            else:
                self._say({"keys": [{**fake.key.as_dict(private=False), "alg": "ES256", "use": "sig"}]})

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(text).items()}
            answer = fake.token(form, self.headers.get("authorization", ""))
            self._say(answer or {"error": "invalid_grant"}, 200 if answer else 400)

        def _say(self, value: Any, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(value).encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield fake
    server.shutdown()


@pytest.fixture
def visitor(street: Any, town: Any, ask: Any, provider: FakeProvider, tmp_path: Path) -> Iterator[Visitor]:
    (tmp_path / "secret").write_text(SECRET)
    entry = {
        "issuer": provider.address,
        "audience": "drachm",
        "tenants": [town.name],
        "scopes": None,
        "client_id": "desk",
        "client_secret_file": str(tmp_path / "secret"),
        "name": "City Clinic",
    }
    (tmp_path / "oidc.json").write_text(json.dumps([entry]))
    house = street.house
    ways = read_sign_ins(tmp_path / "oidc.json", read_providers(tmp_path / "oidc.json"))
    street.house = replace(house, sign_ins=tuple(ways))
    provider.now, provider.tenant = town.clock.now().timestamp(), town.name
    yield Visitor(street, town, ask)
    street.house = house


def begun(visitor: Visitor) -> str:
    answer = visitor.get("begin_desk_provider", query={"with": "0"})
    assert answer.status == 303
    return str(answer.headers["location"])


def test_the_clinics_own_account_opens_the_desk(visitor: Visitor, provider: FakeProvider) -> None:
    assert "Sign in with City Clinic" in visitor.get("open_desk_sign_in").body
    back = provider.log_in(begun(visitor))
    answer = visitor.get("end_desk_provider", query=back)
    assert (answer.status, answer.headers["location"]) == (303, "/desk")
    body = visitor.get("open_desk").body
    assert "Noor &lt;b&gt;" in body
    assert "Town clinic" in body
    assert "code-" not in body


def test_a_code_is_good_once_and_in_the_browser_that_asked_for_it(visitor: Visitor, provider: FakeProvider) -> None:
    back = provider.log_in(begun(visitor))
    thief = Visitor(visitor.street, visitor.town, visitor.ask)
    assert thief.get("end_desk_provider", query=back).status == 403
    begun(thief)
    assert thief.get("end_desk_provider", query=back).status == 403
    # With the victim's state but the thief's own cookie there is no verifier that fits.
    other = provider.log_in(begun(thief))
    assert thief.get("end_desk_provider", query={**other, "code": back["code"]}).status == 401
    kept = dict(visitor.cookies)
    back = provider.log_in(begun(visitor))
    kept = dict(visitor.cookies)
    assert visitor.get("end_desk_provider", query=back).status == 303
    assert visitor.get("end_desk_provider", query=back).status == 403
    visitor.cookies = kept
    assert visitor.get("end_desk_provider", query=back).status == 401


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "drachm"},
        {"azp": "another"},
        {"auth_time": None},
        {"auth_time": 1},
        {"exp": 1},
        {"iss": "https://evil.example"},
        {"sub": ""},
        {"roles": ["patient"]},
        {"roles": []},
    ],
    ids=str,
)
def test_a_token_that_is_not_whole_opens_nothing(
    visitor: Visitor, provider: FakeProvider, change: dict[str, Any]
) -> None:
    provider.bend = lambda claims: claims.update(change)
    answer = visitor.get("end_desk_provider", query=provider.log_in(begun(visitor)))
    assert answer.status in (401, 403)
    assert "drachm_desk" not in visitor.cookies
    assert visitor.get("open_desk").status == 303


def test_what_comes_back_must_be_what_was_asked_for(visitor: Visitor, provider: FakeProvider) -> None:
    for change in ({"state": "x"}, {"state": ""}, {"iss": "https://evil.example"}, {"code": ""}, {"code": "code-99"}):
        back = provider.log_in(begun(visitor))
        assert visitor.get("end_desk_provider", query={**back, **change}).status in (401, 403), change
    assert visitor.get("end_desk_provider", query={"error": "access_denied", "state": "x"}).status == 403
    assert visitor.get("begin_desk_provider", query={"with": "7"}).status == 403
    provider.key = ECKey.generate_key("P-256", parameters={"kid": "p1"})
    back = provider.log_in(begun(visitor))
    assert visitor.get("open_desk").status == 303


def test_a_file_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    entry = {"issuer": "https://idp.example", "audience": "drachm", "tenants": ["1"]}
    for more in ({"client_id": ""}, {"name": "x"}, {"client_id": 7}, {"client_id": "a", "client_secret_file": "/none"}):
        (tmp_path / "oidc.json").write_text(json.dumps([{**entry, **more}]))
        with pytest.raises(InvalidMessage):
            read_sign_ins(tmp_path / "oidc.json", read_providers(tmp_path / "oidc.json"))
    (tmp_path / "oidc.json").write_text(json.dumps([entry]))
    assert read_sign_ins(tmp_path / "oidc.json", read_providers(tmp_path / "oidc.json")) == []
