"""A machine proves itself by its signature, once per statement, and its tokens end when its record says so."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

sys.path.insert(0, str(Path(__file__).parent))

from signing import Pair, compact, hmac_signer

from drachm.adapters.rest.identity import Environment, Kind, Principal, Role, Scope, TokenRefused, Unauthenticated
from drachm.adapters.rest.identity.clients import (
    ASSERTION_TYPE,
    Assertions,
    Client,
    changed_keys,
    disabled,
    register,
    registered_keys,
)
from drachm.adapters.rest.identity.issuer import TOKEN_SECONDS, SigningKeys, TokenEndpoint
from drachm.adapters.rest.identity.memory import ClientsInMemory, StatementsInMemory
from drachm.adapters.rest.identity.tokens import read_token
from drachm.domain.errors import Conflict, InvalidMessage

ENDPOINT = "https://api.example/v1/token"
ISSUER = "https://api.example"
AUDIENCE = "https://api.example/v1"
MACHINE = Pair("m1")
OTHER = Pair("m2", "EdDSA")
OURS = {"s1": ECKey.generate_key("P-256"), "s2": OKPKey.generate_key("Ed25519")}
SCOPES = frozenset({Scope.EVENTS_WRITE, Scope.EVENTS_READ})


class Town:
    """One token endpoint with one registered machine."""

    def __init__(self, now: datetime, current: str = "s1", environment: Environment = Environment.LIVE) -> None:
        self.now = now
        self.clients, self.used = ClientsInMemory(), StatementsInMemory()
        self.client = Client(
            "ehr-1",
            "alder",
            Environment.LIVE,
            "the record system of north",
            frozenset({Role.INTEGRATOR}),
            frozenset({"north"}),
            SCOPES,
            {"keys": [MACHINE.jwk()]},
            created_at=now,
            created_by="olga",
        )
        self.clients.add(self.client)
        assertions = Assertions(self.clients, self.used, frozenset({ENDPOINT, ISSUER}), environment)
        keys = SigningKeys(current, OURS)
        randomness = random.Random(5).randbytes
        self.endpoint = TokenEndpoint(ISSUER, AUDIENCE, keys, self.clients, assertions, randomness)
        self.count = 0

    def claims(self, **other: Any) -> dict[str, Any]:
        self.count += 1
        end = int(self.now.timestamp()) + 120
        full = {"iss": "ehr-1", "sub": "ehr-1", "aud": ENDPOINT, "jti": f"j{self.count}", "exp": end, **other}
        return {name: value for name, value in full.items() if value is not None}

    def form(self, assertion: str = "", **other: str) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.statement(),
            **other,
        }

    def statement(self, **claims: Any) -> str:
        return MACHINE.token(self.claims(**claims), typ="JWT")

    def said(self, form: Mapping[str, str]) -> str:
        try:
            self.endpoint.issue(form, self.now)
        except TokenRefused as told:
            return told.code
        return "issued"

    def token(self, **other: str) -> str:
        return str(self.endpoint.issue(self.form(**other), self.now)["access_token"])

    def caller(self, token: str, later: int = 0) -> Principal:
        return self.endpoint.verify(read_token(token), self.now + timedelta(seconds=later))

    def refused(self, token: str, later: int = 0) -> str:
        with pytest.raises(Unauthenticated) as told:
            self.caller(token, later)
        return told.value.code


@pytest.fixture
def town(now: datetime) -> Town:
    return Town(now)


@pytest.mark.parametrize(("current", "alg"), [("s1", "ES256"), ("s2", "Ed25519")])
def test_a_machine_gets_a_token_for_ten_minutes(now: datetime, current: str, alg: str) -> None:
    town = Town(now, current)
    answer = town.endpoint.issue(town.form(), now)
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 600, "events:read events:write")
    token = read_token(answer["access_token"])
    assert (token.algorithm, token.key_id, token.type) == (alg, current, "at+jwt")
    caller = town.caller(answer["access_token"])
    assert (caller.tenant, caller.kind, caller.subject) == ("alder", Kind.MACHINE, "client:ehr-1")
    assert (caller.roles, caller.parties, caller.scopes) == ({Role.INTEGRATOR}, {"north"}, SCOPES)
    assert town.caller(answer["access_token"], TOKEN_SECONDS + 29)
    assert town.refused(answer["access_token"], TOKEN_SECONDS + 30) == "token_expired"


def test_a_token_can_be_asked_for_with_less_but_not_with_more(town: Town) -> None:
    assert town.caller(town.token(scope="events:read")).scopes == {Scope.EVENTS_READ}
    for everything in ("events:read events:write", "", "  "):
        assert town.caller(town.token(scope=everything)).scopes == SCOPES
    for more in ("events:read money:write", "keys:write", "everything", "events:read events:readd"):
        assert town.said(town.form(scope=more)) == "invalid_scope"


def test_a_statement_works_once(town: Town) -> None:
    form = town.form()
    assert [town.said(form) for _ in range(3)] == ["issued", "invalid_client", "invalid_client"]
    again = town.form(town.statement(jti="j1"))
    assert town.said(again) == "invalid_client", "another statement with the same id"


def test_two_hundred_at_once_get_one_token_for_one_statement(town: Town) -> None:
    form = town.form()
    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(lambda _: town.said(form), range(200)))
    assert said.count("issued") == 1


def test_statements_are_remembered_until_they_have_ended(town: Town) -> None:
    form = town.form()
    town.said(form)
    town.used.forget(town.now + timedelta(seconds=149))
    assert town.said(form) == "invalid_client"
    assert len(town.used._until) == 1
    town.used.forget(town.now + timedelta(seconds=151))
    assert town.used._until == {}
    town.now += timedelta(seconds=151)
    assert town.said(form) == "invalid_client", "it has ended"


FLAWS: dict[str, Callable[[Town], str]] = {
    "another key": lambda town: Pair("m1").token(town.claims(), typ="JWT"),
    "an unregistered key id": lambda town: OTHER.token(town.claims(), typ="JWT"),
    "no key id": lambda town: MACHINE.token(town.claims(), typ="JWT", kid=None),
    "another client": lambda town: town.statement(iss="ehr-2", sub="ehr-2"),
    "issuer is another": lambda town: town.statement(iss="ehr-2"),
    "subject is another": lambda town: town.statement(sub="ehr-2"),
    "no subject": lambda town: town.statement(sub=None),
    "subject with a NUL": lambda town: town.statement(iss="e\0", sub="e\0"),
    "another audience": lambda town: town.statement(aud="https://other.example/token"),
    "two audiences": lambda town: town.statement(aud=[ENDPOINT, "https://other.example/token"]),
    "no audience": lambda town: town.statement(aud=None),
    "no id": lambda town: town.statement(jti=None),
    "an empty id": lambda town: town.statement(jti=""),
    "a number as id": lambda town: town.statement(jti=7),
    "an endless id": lambda town: town.statement(jti="j" * 201),
    "no end": lambda town: town.statement(exp=None),
    "ended": lambda town: town.statement(exp=int(town.now.timestamp()) - 30),
    "too long": lambda town: town.statement(exp=int(town.now.timestamp()) + 331),
    "not yet": lambda town: town.statement(nbf=int(town.now.timestamp()) + 31),
    "issued tomorrow": lambda town: town.statement(iat=int(town.now.timestamp()) + 31),
    "an access token": lambda town: MACHINE.token(town.claims(), typ="at+jwt"),
    "no signature": lambda town: compact({"alg": "none", "kid": "m1"}, town.claims(), lambda _: b"x"),
    "a shared secret": lambda town: compact({"alg": "HS256", "kid": "m1"}, town.claims(), hmac_signer(b"m1")),
    "no token": lambda _: "hello",
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flawed_statement_is_refused_without_saying_why(town: Town, flaw: str) -> None:
    with pytest.raises(TokenRefused) as told:
        town.endpoint.issue(town.form(FLAWS[flaw](town)), town.now)
    assert (told.value.code, told.value.status) == ("invalid_client", 401)
    assert town.used._until == {}, "what was not proved is not remembered"
    assert town.said(town.form()) == "issued"


def test_times_within_the_skew_and_the_issuer_as_audience_are_good(town: Town) -> None:
    seconds = int(town.now.timestamp())
    for claims in (
        {"jti": "j" * 200},
        {"exp": seconds + 330},
        {"exp": seconds - 29},
        {"nbf": seconds + 30},
        {"aud": [ISSUER]},
    ):
        assert town.said(town.form(town.statement(**claims))) == "issued"
    assert town.said(town.form(MACHINE.token(town.claims(), typ=None))) == "issued"
    assert town.said(town.form(client_id="ehr-1")) == "issued"
    assert town.said(town.form(client_id="ehr-2")) == "invalid_client"


def test_the_store_is_asked_for_names_of_clients_only_and_rarely(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    plain = town.clients.find
    monkeypatch.setattr(town.clients, "find", lambda name: (asked.append(name), plain(name))[1])
    for odd in ("e\0", "\ud800", "", "x" * 65, "../ehr-1", "ehr 1"):
        assert town.said(town.form(town.statement(iss=odd, sub=odd))) == "invalid_client"
    assert asked == []
    token = town.token()
    for _ in range(50):
        town.caller(token)
    assert asked == ["ehr-1", "ehr-1"], "once for the statement, once for the token"


def test_other_requests_are_refused_in_the_words_of_the_standard(town: Town) -> None:
    for form, code in (
        ({}, "unsupported_grant_type"),
        (town.form(grant_type="password"), "unsupported_grant_type"),
        (town.form(client_assertion_type="saml"), "invalid_request"),
        ({**town.form(), "client_assertion": ""}, "invalid_request"),
        (town.form(client_secret="s"), "invalid_request"),
    ):
        assert town.said(form) == code


def test_a_sandbox_endpoint_knows_no_live_machine(now: datetime) -> None:
    town = Town(now, environment=Environment.SANDBOX)
    assert town.said(town.form()) == "invalid_client"


def test_a_disabled_machine_is_refused_at_once_with_the_token_it_has(town: Town) -> None:
    token = town.token()
    assert town.caller(token)
    disabled(town.clients, town.client, town.now)
    assert town.refused(token) == "token_revoked"
    assert town.said(town.form()) == "invalid_client"
    ended = town.clients.find("ehr-1")
    assert ended is not None
    assert ended.generation == 2
    assert disabled(town.clients, ended, town.now + timedelta(days=1)).disabled_at == town.now, "the first time stays"


def test_a_record_that_says_disabled_is_enough(town: Town) -> None:
    token = town.token()
    town.clients.replace(replace(town.client, disabled_at=town.now))
    assert town.refused(token) == "token_revoked"


def test_new_keys_end_the_tokens_of_the_old_ones(town: Town, operator: Principal) -> None:
    token = town.token()
    changed_keys(town.clients, operator, town.client, {"keys": [OTHER.jwk()]})
    assert town.refused(token) == "token_revoked"
    assert town.said(town.form()) == "invalid_client"
    assert town.said(town.form(OTHER.token(town.claims(), typ="JWT"))) == "issued"


def test_rights_are_those_of_the_record_not_of_the_token(town: Town) -> None:
    token = town.token()
    town.clients.replace(replace(town.client, scopes=frozenset({Scope.EVENTS_READ})))
    assert town.caller(token).scopes == {Scope.EVENTS_READ}


def test_our_own_signing_keys_are_rotated_without_a_gap(town: Town, now: datetime) -> None:
    token = town.token()
    next_day = Town(now, "s2")
    assert next_day.caller(token)
    only = Town(now)
    only.endpoint._public = {}
    assert only.refused(token) == "token_untrusted"
    published = SigningKeys("s1", OURS).published()["keys"]
    assert [(key["kid"], key["alg"]) for key in published] == [("s1", "ES256"), ("s2", "Ed25519")]
    assert not any("d" in key for key in published)


def test_tokens_that_are_not_ours_are_not_trusted(town: Town) -> None:
    seconds = int(town.now.timestamp())
    good = {"iss": ISSUER, "aud": AUDIENCE, "client_id": "ehr-1", "sub": "ehr-1", "generation": 1, "exp": seconds + 60}
    key, mine = Pair("s1"), town.token()
    assert town.refused(key.token(good)) == "token_untrusted"
    assert town.refused(key.token(good, kid="s9")) == "token_untrusted"
    assert town.refused(key.token(good, typ="JWT")) == "token_untrusted"
    head, body, signature = mine.split(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert town.refused(f"{head}.{body}.{flipped}") == "token_untrusted"
    assert town.refused(mine, -31) == "token_not_yet_valid"


def test_what_our_own_key_signed_for_another_purpose_is_no_token_here(town: Town) -> None:
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "client_id": "ehr-1",
        "generation": 1,
        "exp": int(town.now.timestamp()) + 60,
        "scope": "events:read",
    }

    def signed(kind: str = "at+jwt", **other: object) -> str:
        claims = {name: value for name, value in {**good, **other}.items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": "s1"}, claims, OURS["s1"], default_type=kind)

    assert town.caller(signed()).scopes == {Scope.EVENTS_READ}
    assert town.caller(signed(scope=None)).scopes == frozenset()
    for other in (
        {"iss": "https://other.example"},
        {"aud": "https://other.example"},
        {"aud": [AUDIENCE]},
        {"exp": None},
    ):
        assert town.refused(signed(**other)) == "token_untrusted"
    assert town.refused(signed("JWT")) == "token_untrusted"
    for other in ({"client_id": "ehr-9"}, {"client_id": None}, {"generation": 2}, {"generation": None}):
        assert town.refused(signed(**other)) == "token_revoked"


@pytest.mark.parametrize("pair", [ECKey.generate_key("P-384"), OKPKey.generate_key("X25519")], ids=["P-384", "X25519"])
def test_signing_keys_that_do_not_fit_are_refused(pair: Any) -> None:
    with pytest.raises(InvalidMessage, match="P-256 or Ed25519"):
        SigningKeys("s", {"s": pair})
    with pytest.raises(InvalidMessage, match="P-256 or Ed25519"):
        SigningKeys("absent", OURS)
    public = ECKey.import_key(OURS["s1"].as_dict(private=False))
    with pytest.raises(InvalidMessage, match="private keys"):
        SigningKeys("s", {"s": public})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "JWK Set"),
        ({"keys": []}, "JWK Set"),
        ({"keys": [MACHINE.jwk()] * 11}, "JWK Set"),
        ({"keys": [MACHINE.jwk(), MACHINE.jwk()]}, "same id"),
        ({"keys": ["x"]}, "needs an id"),
        ({"keys": [{**MACHINE.jwk(), "kid": ""}]}, "needs an id"),
        ({"keys": [{**MACHINE.jwk(), "kid": 7}]}, "needs an id"),
        ({"keys": [MACHINE.jwk(d="AQAB")]}, "private key"),
        ({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}]}, "private key"),
        ({"keys": [{**MACHINE.jwk(), "x": "AAAA"}]}, "cannot be used"),
        ({"keys": [MACHINE.jwk(use="enc")]}, "cannot be used"),
    ],
)
def test_keys_that_cannot_be_registered_say_why(document: object, said: str) -> None:
    with pytest.raises(InvalidMessage, match=said) as told:
        registered_keys(document)
    assert "AQAB" not in str(told.value)


def test_nobody_registers_or_rekeys_a_machine_that_can_do_more(town: Town, operator: Principal) -> None:
    weak = replace(operator, roles=frozenset({Role.INTEGRATOR}), parties=frozenset({"north"}), scopes=SCOPES)
    fresh = replace(town.client, id="ehr-2")
    assert register(town.clients, weak, fresh) == fresh
    with pytest.raises(Conflict):
        register(town.clients, weak, replace(fresh, name="again"))
    for too_much in (
        replace(fresh, id="a", parties=frozenset({"north", "south"})),
        replace(fresh, id="b", roles=frozenset({Role.OPERATOR})),
        replace(fresh, id="c", roles=frozenset({Role.PATIENT})),
        replace(fresh, id="d", scopes=frozenset(Scope)),
        replace(fresh, id="e", tenant="birch"),
        replace(fresh, id="f", environment=Environment.SANDBOX),
    ):
        with pytest.raises(InvalidMessage, match="cannot do more"):
            register(town.clients, weak, too_much)
        assert town.clients.find(too_much.id) is None
    strong = replace(town.client, scopes=frozenset(Scope))
    with pytest.raises(InvalidMessage, match="more than you can"):
        changed_keys(town.clients, weak, strong, {"keys": [OTHER.jwk()]})
    itself = replace(weak, credential=strong.id)
    assert changed_keys(town.clients, itself, strong, {"keys": [OTHER.jwk()]}).generation == 2
