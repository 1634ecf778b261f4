"""Every kind of credential in one header, and what is neither is told so."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

sys.path.insert(0, str(Path(__file__).parent))

from signing import Pair

from drachm.adapters.rest.identity import Authenticator, Environment, Kind, Principal, Role, Scope, Unauthenticated
from drachm.adapters.rest.identity.claims import ClaimMap
from drachm.adapters.rest.identity.clients import ASSERTION_TYPE, Assertions, Client
from drachm.adapters.rest.identity.errors import REASONS
from drachm.adapters.rest.identity.issuer import SigningKeys, TokenEndpoint
from drachm.adapters.rest.identity.jwks import KeySet
from drachm.adapters.rest.identity.keyring import Keyring
from drachm.adapters.rest.identity.keys import Peppers
from drachm.adapters.rest.identity.memory import (
    ClientsInMemory,
    DirectoryInMemory,
    KeysInMemory,
    StatementsInMemory,
)
from drachm.adapters.rest.identity.tokens import Provider, Tokens

PROVIDER, MACHINE = Pair("idp"), Pair("machine")
ISSUER, HERE = "https://id.example", "https://api.example"
CANARY = "canary-4f9a"


class Door:
    """A service, and one good credential of each kind."""

    def __init__(self, now: datetime, operator: Principal, peppers: Peppers) -> None:
        self.now = now
        randomness = random.Random(3).randbytes
        clients = ClientsInMemory()
        rights = (frozenset({Role.INTEGRATOR}), frozenset({"north"}), frozenset({Scope.EVENTS_WRITE}))
        live, keys = Environment.LIVE, {"keys": [MACHINE.jwk()]}
        clients.add(Client("ehr", "alder", live, "ehr", *rights, keys, created_at=now, created_by="olga"))
        assertions = Assertions(clients, StatementsInMemory(), frozenset({HERE}), live)
        signing = SigningKeys("s", {"s": ECKey.generate_key("P-256")})
        endpoint = TokenEndpoint(HERE, HERE, signing, clients, assertions, randomness)
        provider = Provider(ISSUER, HERE, ClaimMap(frozenset({"alder"})))
        tokens = Tokens({ISSUER: (provider, KeySet(lambda: {"keys": [PROVIDER.jwk()]}))}, DirectoryInMemory(), live)
        keyring = Keyring(KeysInMemory(), peppers, live, randomness)
        self.authenticator = Authenticator(live, keyring, endpoint, tokens)
        start = int(now.timestamp())
        self.key = keyring.issue(operator, "desk", *rights, now + timedelta(days=1), now)[0].text
        claims = {"iss": ISSUER, "aud": HERE, "sub": "u", "exp": start + 60, "sid": "x", "roles": ["clerk"]}
        self.claims = claims
        self.login = PROVIDER.token(claims)
        statement = MACHINE.token({"iss": "ehr", "sub": "ehr", "aud": HERE, "jti": "1", "exp": start + 60}, typ="JWT")
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": statement}
        self.machine = str(endpoint.issue({"grant_type": "client_credentials", **form}, now)["access_token"])

    def subject(self, header: str | None) -> str:
        return self.authenticator.principal(header, self.now).subject

    def refused(self, header: str) -> Unauthenticated:
        with pytest.raises(Unauthenticated) as told:
            self.authenticator.principal(header, self.now)
        return told.value


GOOD = Door(
    datetime(2025, 3, 14, tzinfo=UTC),
    Principal(
        *("alder", Kind.PERSON, "olga", "idp", Environment.LIVE),
        roles=frozenset({Role.OPERATOR}),
        scopes=frozenset(Scope),
    ),
    Peppers("p", {"p": random.Random(8).randbytes(32)}),
)
SILENT = GOOD.authenticator


@pytest.fixture
def door(now: datetime, operator: Principal, peppers: Peppers) -> Door:
    return Door(now, operator, peppers)


def test_each_kind_of_credential_is_known(door: Door) -> None:
    assert door.subject(f"Bearer {door.key}").startswith("key:")
    assert door.subject(f"bearer  {door.login} ") == f"{ISSUER}|u"
    assert door.subject(f"BEARER {door.machine}") == "client:ehr"
    for nothing in (None, "", "  "):
        caller = door.authenticator.principal(nothing, door.now)
        assert (caller.kind, caller.tenant, caller.roles) == (Kind.ANONYMOUS, "", frozenset())


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Basic dTpw", "credential_malformed"),
        ("Bearer", "credential_malformed"),
        (f"Bearer {CANARY}", "credential_malformed"),
        (f"Bearer {CANARY} {CANARY}", "credential_malformed"),
        ("Bearer " + "a." * 9000, "credential_malformed"),
        ("Bearer drk_live_ключ", "credential_malformed"),
        (f"Bearer drk_live_{CANARY}", "api_key_malformed"),
        (f"Bearer {CANARY}.a.b", "token_malformed"),
        (f"Bearer {Pair('idp').token({'iss': ISSUER, 'aud': HERE, 'sub': CANARY})}", "token_untrusted"),
        (f"Bearer {PROVIDER.token({'iss': CANARY, 'aud': HERE, 'sub': CANARY})}", "token_untrusted"),
        (f"Bearer {PROVIDER.token({'iss': [CANARY], 'sub': CANARY})}", "token_untrusted"),
        (f"Bearer {PROVIDER.token({'iss': HERE, 'sub': CANARY})}", "token_untrusted"),
    ],
)
def test_what_proves_nothing_is_refused_and_not_repeated(door: Door, header: str, code: str) -> None:
    told = door.refused(header)
    assert told.code == code
    assert CANARY not in f"{told} {told.message} {told.next_step} {told.where}"


def test_only_a_bearer_is_taken(door: Door) -> None:
    for credential in (door.key, door.login, door.machine):
        for scheme in ("Basic", "DPoP", "Token", "Bearers", ""):
            assert door.refused(f"{scheme} {credential}").code == "credential_malformed"


def test_a_provider_does_not_vouch_for_our_machines(door: Door) -> None:
    assert door.refused(f"Bearer {PROVIDER.token({**door.claims, 'iss': HERE})}").code == "token_untrusted"


def outcome(header: str) -> str:
    try:
        return SILENT.principal(header, datetime(2025, 3, 14, tzinfo=UTC)).kind.value
    except Unauthenticated as told:
        return told.code


@given(
    st.text() | st.binary().map(lambda data: data.decode("latin-1")), st.sampled_from(["", "Bearer ", "Bearer drk_"])
)
def test_whatever_is_sent_is_refused_in_order(text: str, scheme: str) -> None:
    assert outcome(scheme + text) in {*REASONS, "anonymous"}


@given(
    st.sampled_from(["key", "login", "machine"]),
    st.integers(0, 2000),
    st.sampled_from([*".-_=A0", "\0", "é", "\n"]) | st.just(""),
)
def test_a_changed_credential_is_refused_in_order(name: str, place: int, letter: str) -> None:
    text = str(getattr(GOOD, name))
    place %= len(text) - 1  # the last letter of a signature has bits that carry nothing
    changed = text[:place] + letter + text[place + 1 :]
    if changed == text:
        return
    with pytest.raises(Unauthenticated):
        GOOD.authenticator.principal(f"Bearer {changed}", GOOD.now)


def test_every_reason_has_words_and_a_next_step() -> None:
    for code in REASONS:
        told = Unauthenticated(code)
        assert told.code == code
        assert told.message
        assert told.next_step.endswith(".")
