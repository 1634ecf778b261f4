"""A provider's token is believed only when everything about it fits, and means only what the operator has agreed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

sys.path.insert(0, str(Path(__file__).parent))

from signing import Pair, b64, compact, hmac_signer

from drachm.adapters.rest.identity import Environment, Kind, Role, Scope, Unauthenticated
from drachm.adapters.rest.identity.claims import ClaimMap
from drachm.adapters.rest.identity.jose import TOKEN_LENGTH_MAX, Unreadable, check_signature, public_keys, take_apart
from drachm.adapters.rest.identity.jwks import KeySet
from drachm.adapters.rest.identity.memory import DirectoryInMemory
from drachm.adapters.rest.identity.model import MemberTie, Relation
from drachm.adapters.rest.identity.tokens import Provider, Tokens, read_token
from drachm.domain.errors import InvalidMessage, Unavailable

ISSUER = "https://id.example"
AUDIENCE = "https://api.example/v1"
PROVIDER = Provider(ISSUER, AUDIENCE, ClaimMap(frozenset({"alder", "birch"}), tenant=("tenant",)))
SIGNERS = {alg: Pair(f"{alg} key", alg) for alg in ("RS256", "PS256", "ES256", "EdDSA", "Ed25519", "ES384")}
KEY = SIGNERS["ES256"]


class Desk:
    """A service that trusts one provider."""

    def __init__(self, provider: Provider = PROVIDER, document: object = None) -> None:
        self.document = document or {"keys": [pair.jwk() for pair in SIGNERS.values()]}
        self.directory = DirectoryInMemory()
        self.calls = 0
        keys = KeySet(self._fetch, monotonic=lambda: 0.0)
        self.tokens = Tokens({provider.issuer: (provider, keys)}, self.directory, Environment.LIVE)

    def _fetch(self) -> object:
        self.calls += 1
        return self.document

    def said(self, text: str, at: datetime) -> str:
        try:
            self.tokens.verify(read_token(text), at)
        except Unauthenticated as told:
            return told.code
        return "good"


@pytest.fixture
def claims(now: datetime) -> dict[str, Any]:
    start = int(now.timestamp())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u-1",
        "iat": start,
        "exp": start + 600,
        "auth_time": start,
        "tenant": "alder",
        "roles": ["clerk", "wizard"],
        "parties": ["north"],
        "scope": "openid events:read estimates",
    }


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"])
def test_a_good_token_of_each_algorithm_says_who_is_calling(alg: str, claims: dict[str, Any], now: datetime) -> None:
    caller = Desk().tokens.verify(read_token(SIGNERS[alg].token(claims)), now)
    assert (caller.tenant, caller.kind, caller.subject) == ("alder", Kind.PERSON, f"{ISSUER}|u-1")
    assert caller.roles == {Role.CLERK}
    assert caller.parties == {"north"}
    assert caller.scopes == {Scope.EVENTS_READ, Scope.ESTIMATES}


def test_every_flipped_bit_is_noticed(claims: dict[str, Any], now: datetime) -> None:
    desk, text = Desk(), KEY.token(claims)
    assert desk.said(text, now) == "good"
    for place in range(0, len(text), 3):
        letter = "A" if text[place] != "A" else "B"
        if text[place] == "." or place == len(text) - 1:  # the last letter has bits that carry nothing
            continue
        assert desk.said(text[:place] + letter + text[place + 1 :], now) != "good", place


WRONG: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "no issuer": lambda claims: {**claims, "iss": None},
    "issuer as a list": lambda claims: {**claims, "iss": [ISSUER]},
    "another audience": lambda claims: {**claims, "aud": "https://shop.example"},
    "audience among words": lambda claims: {**claims, "aud": f"x {AUDIENCE}"},
    "no audience": lambda claims: {name: value for name, value in claims.items() if name != "aud"},
    "audience as an object": lambda claims: {**claims, "aud": {AUDIENCE: 1}},
    "no end": lambda claims: {name: value for name, value in claims.items() if name != "exp"},
    "no subject": lambda claims: {**claims, "sub": ""},
    "subject as a number": lambda claims: {**claims, "sub": 7},
    "subject with a NUL": lambda claims: {**claims, "sub": "u\0"},
    "subject with half a letter": lambda claims: {**claims, "sub": "u\ud800"},
    "no tenant": lambda claims: {**claims, "tenant": None},
    "a tenant it may not vouch for": lambda claims: {**claims, "tenant": "cedar"},
    "tenant as a list": lambda claims: {**claims, "tenant": ["alder"]},
}


@pytest.mark.parametrize("flaw", WRONG)
def test_a_signed_token_with_a_wrong_claim_is_not_trusted(flaw: str, claims: dict[str, Any], now: datetime) -> None:
    assert Desk().said(KEY.token(WRONG[flaw](claims)), now) == "token_untrusted"


@pytest.mark.parametrize("end", [True, "600", [1], {}, -1, 1e300, float("nan"), float("inf"), 10**400])
def test_an_end_that_is_no_time_is_refused(end: object, claims: dict[str, Any], now: datetime) -> None:
    try:
        text = KEY.token({**claims, "exp": end})
    except ValueError:
        pytest.skip("json cannot write it")
    assert Desk().said(text, now) in ("token_malformed", "token_untrusted")


def test_times_hold_within_the_agreed_skew(claims: dict[str, Any], now: datetime) -> None:
    desk, text, second = Desk(), KEY.token(claims), timedelta(seconds=1)
    end = now + timedelta(seconds=600 + PROVIDER.skew_seconds) - timedelta(microseconds=now.microsecond)
    assert desk.said(text, end - second) == "good"
    assert desk.said(text, end) == "token_expired"
    start = int(now.timestamp())
    for name in ("nbf", "iat"):
        assert desk.said(KEY.token({**claims, name: start + 30}), now) == "good"
        assert desk.said(KEY.token({**claims, name: start + 31}), now) == "token_not_yet_valid"


def test_a_remembered_token_still_ends(claims: dict[str, Any], now: datetime) -> None:
    desk, text = Desk(), KEY.token({**claims, "exp": int(now.timestamp()) + 60})
    assert [desk.said(text, now + timedelta(seconds=passed)) for passed in (0, 1, 89, 90, 200)] == [
        *("good", "good", "good"),
        *("token_expired", "token_expired"),
    ]


def test_no_signature_is_no_token(claims: dict[str, Any], now: datetime) -> None:
    for alg in ("none", "None", "NONE", "", None, 7):
        for kid in (KEY.kid, None):
            text = compact({"alg": alg, "kid": kid, "typ": "at+jwt"}, claims, lambda _: b"x")
            assert Desk().said(text, now) in ("token_untrusted", "token_malformed")
            assert Desk().said(text.rpartition(".")[0] + ".", now) == "token_malformed"


def test_a_public_key_is_no_shared_secret(claims: dict[str, Any], now: datetime) -> None:
    """RS256 and HS256 confused: the attacker signs with the provider's public key, in every form it is published in."""
    for alg in ("RS256", "ES256"):
        pair = SIGNERS[alg]
        public = pair.private.public_key()
        forms = [
            public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
            for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
        ]
        for secret in [*forms, forms[0].strip(), str(pair.jwk()).encode(), b""]:
            for hs in ("HS256", "hs256", alg):
                text = compact({"alg": hs, "kid": pair.kid, "typ": "at+jwt"}, claims, hmac_signer(secret))
                assert Desk().said(text, now) == "token_untrusted"


def test_a_shared_secret_among_the_keys_is_left_out(claims: dict[str, Any], now: datetime) -> None:
    desk = Desk(document={"keys": [{"kty": "oct", "k": b64(b"s" * 32), "kid": "s", "alg": "HS256"}]})
    text = compact({"alg": "HS256", "kid": "s", "typ": "at+jwt"}, claims, hmac_signer(b"s" * 32))
    with pytest.raises(Unauthenticated):
        desk.tokens.verify(read_token(text), now)
    with pytest.raises(InvalidMessage, match="HS256"):
        replace(PROVIDER, algorithms=frozenset({"ES256", "HS256"}))
    for nothing in ({"none"}, set[str]()):
        with pytest.raises(InvalidMessage, match="none"):
            replace(PROVIDER, algorithms=frozenset(nothing))


def test_an_algorithm_fits_its_key_and_the_list(claims: dict[str, Any], now: datetime) -> None:
    assert Desk().said(SIGNERS["ES384"].token(claims), now) == "token_untrusted", "not on the list"
    rsa_key = SIGNERS["RS256"]
    pinned = Desk(document={"keys": [rsa_key.jwk(alg="PS256")]})
    assert pinned.said(rsa_key.token(claims), now) == "token_untrusted", "the key says it is for another"
    crossed = compact({"alg": "ES256", "kid": rsa_key.kid, "typ": "at+jwt"}, claims, KEY.sign)
    assert Desk().said(crossed, now) == "token_untrusted", "signed by one key, naming another"


def test_the_signature_check_alone_holds_list_and_key_too(claims: dict[str, Any]) -> None:
    """The same again where the token is held against the key, whatever was asked before."""
    text = take_apart(KEY.token(claims))
    keys = public_keys({"keys": [*(pair.jwk() for pair in SIGNERS.values()), Pair(KEY.kid).jwk(kid="another")]})
    assert check_signature(text, keys[KEY.kid], frozenset({"ES256"})) == claims
    for key_id, allowed in ((KEY.kid, {"ES384"}), (KEY.kid, set()), ("ES384 key", {"ES256"}), ("another", {"ES256"})):
        with pytest.raises(Unreadable):
            check_signature(text, keys[key_id], frozenset(allowed))
    shared = take_apart(compact({"alg": "HS256", "kid": "s"}, claims, hmac_signer(b"s" * 32)))
    with pytest.raises(Unreadable):
        check_signature(shared, keys[KEY.kid], frozenset({"HS256"}))


def test_a_token_is_not_longer_than_a_header_line(claims: dict[str, Any]) -> None:
    """Up to the limit a token is read, one letter above it is not."""
    text = KEY.token({**claims, "pad": "x" * 5000})
    assert take_apart(text + "A" * (TOKEN_LENGTH_MAX - len(text)))
    with pytest.raises(Unreadable, match="base64url"):
        take_apart(text + "A" * (TOKEN_LENGTH_MAX + 1 - len(text)))


def test_weak_and_encryption_keys_are_left_out(claims: dict[str, Any], now: datetime) -> None:
    weak = Pair("weak", "RS256", bits=1024)
    assert Desk(document={"keys": [weak.jwk(), KEY.jwk()]}).said(weak.token(claims), now) == "token_untrusted"
    for more in ({"use": "enc"}, {"key_ops": ["encrypt"]}, {"key_ops": "verify"}):
        assert Desk(document={"keys": [KEY.jwk(**more), SIGNERS["PS256"].jwk()]}).said(KEY.token(claims), now) != "good"


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "crit", "b64"])
def test_a_token_that_says_where_its_key_is_is_not_read(name: str, claims: dict[str, Any], now: datetime) -> None:
    own = Pair("own")
    header = {"jwk": own.jwk(), "crit": ["exp"], "b64": False}.get(name, "https://evil.example/keys")
    assert Desk().said(own.token(claims, **{name: header}), now) == "token_malformed"


@pytest.mark.parametrize("kind", ["JWT", "id_token", "dpop+jwt", None, "logout+jwt", "client-authentication+jwt"])
def test_other_kinds_of_tokens_are_not_access_tokens(kind: str | None, claims: dict[str, Any], now: datetime) -> None:
    assert Desk().said(KEY.token(claims, typ=kind), now) == "token_untrusted"


def test_the_long_name_of_the_type_is_the_same_type(claims: dict[str, Any], now: datetime) -> None:
    assert Desk().said(KEY.token(claims, typ="application/at+JWT"), now) == "good"
    older = replace(PROVIDER, types=frozenset({"at+jwt", "jwt"}))
    assert Desk(older).said(KEY.token(claims, typ="JWT"), now) == "good"


def test_what_is_not_a_token_is_malformed(now: datetime) -> None:
    head = b64(b'{"alg":"ES256"}')
    bodies = (
        *(b"[1]", b'{"iss":1,"iss":2}', b'{"exp":NaN}', b'{"exp":' + b"9" * 5000 + b"}", b"\xff\xfe", b"[" * 4000),
    )
    heads = (
        b"[]",
        b'{"alg":["ES256"]}',
        b'{"alg":"ES256","pad":"' + b"x" * 3000 + b'"}',
        b"{}",
        b'{"alg":"ES256","kid":1}',
    )
    texts = ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "a.b.c\n", "é.b.c", "x" * 9000, f"{head}.e30.=="]
    texts += [f"{head}.{b64(body)}.x" for body in bodies] + [f"{b64(other)}.e30.x" for other in heads]
    for text in texts:
        with pytest.raises(Unauthenticated) as told:
            read_token(text)
        assert told.value.code == "token_malformed"


def test_a_machine_is_no_person_and_carries_no_personal_role(claims: dict[str, Any], now: datetime) -> None:
    desk = Desk()
    claims["roles"] = ["patient", "integrator"]
    person = desk.tokens.verify(read_token(KEY.token(claims)), now)
    assert (person.kind, person.roles) == (Kind.PERSON, {Role.PATIENT, Role.INTEGRATOR})
    without_login = {name: value for name, value in claims.items() if name != "auth_time"}
    for machine_claims in (without_login, {**claims, "client_id": "u-1"}, {**claims, "azp": "u-1"}):
        machine = desk.tokens.verify(read_token(KEY.token(machine_claims)), now)
        assert (machine.kind, machine.roles) == (Kind.MACHINE, {Role.INTEGRATOR})


def test_ties_come_from_our_records_at_every_call(claims: dict[str, Any], now: datetime) -> None:
    desk, text = Desk(), KEY.token({**claims, "roles": "relative", "members": ["ana"]})
    assert desk.tokens.verify(read_token(text), now).members == ()
    tie = MemberTie("ben", Relation.RELATIVE, now - timedelta(days=1))
    desk.directory.put("alder", f"{ISSUER}|u-1", [tie])
    assert desk.tokens.verify(read_token(text), now).tied_to(Relation.RELATIVE, now) == {"ben"}
    desk.directory.put("alder", f"{ISSUER}|u-1", [replace(tie, revoked_at=now)])
    assert desk.tokens.verify(read_token(text), now).tied_to(Relation.RELATIVE, now) == frozenset()


def test_words_of_the_provider_mean_what_the_operator_agreed(claims: dict[str, Any], now: datetime) -> None:
    mapping = ClaimMap(
        frozenset({"alder"}),
        roles=("realm_access", "roles"),
        role_words={"Front desk": Role.CLERK, "boss": Role.OPERATOR},
        parties=("https://drachm.example/clinics",),
        scopes=None,
    )
    desk = Desk(replace(PROVIDER, claims=mapping))
    odd = {
        "https://drachm.example/clinics": ["north", "x\0", "\ud800", 7],
        "realm_access": {"roles": ["Front desk", "x"]},
    }
    caller = desk.tokens.verify(read_token(KEY.token({**claims, **odd, "tenant": "birch"})), now)
    assert (caller.tenant, caller.roles, caller.scopes) == ("alder", {Role.CLERK}, frozenset(Scope))
    assert caller.parties == frozenset(), "a list that is not all words holds none"
    odd["https://drachm.example/clinics"] = ["north", "x\0", "\ud800"]
    assert desk.tokens.verify(read_token(KEY.token({**claims, **odd})), now).parties == {"north"}


@pytest.mark.parametrize("value", [None, 7, {"clerk": True}, [["clerk"]], True])
def test_roles_in_an_unexpected_form_are_no_roles(value: object, claims: dict[str, Any], now: datetime) -> None:
    assert Desk().tokens.verify(read_token(KEY.token({**claims, "roles": value})), now).roles == frozenset()


def test_settings_that_would_let_too_much_in_are_refused() -> None:
    assert replace(PROVIDER, skew_seconds=120)
    assert replace(PROVIDER, skew_seconds=0)
    for wrong in (
        {"skew_seconds": 121},
        {"issuer": ""},
        {"skew_seconds": -1},
        {"audience": ""},
        {"types": frozenset()},
    ):
        with pytest.raises(InvalidMessage):
            replace(PROVIDER, **wrong)  # type: ignore[arg-type]
    for tenants in (frozenset[str](), frozenset({"alder", "birch"})):
        with pytest.raises(InvalidMessage, match="tenant"):
            ClaimMap(tenants)
    with pytest.raises(InvalidMessage, match="tenant"):
        ClaimMap(frozenset(), tenant=("tenant",))
    with pytest.raises(InvalidMessage, match="another issuer"):
        Tokens({"https://other.example": (PROVIDER, KeySet(dict))}, DirectoryInMemory(), Environment.LIVE)


def test_a_token_is_proved_once_in_five_minutes(
    claims: dict[str, Any], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, proved, asked = Desk(), [], []
    prove, ties = desk.tokens._prove, desk.directory.ties
    monkeypatch.setattr(desk.tokens, "_prove", lambda token, at: (proved.append(at), prove(token, at))[1])
    monkeypatch.setattr(
        desk.directory, "ties", lambda tenant, subject: (asked.append(subject), ties(tenant, subject))[1]
    )
    text = KEY.token(claims)
    for passed in range(300):
        assert desk.said(text, now + timedelta(seconds=passed)) == "good"
    assert (len(proved), asked) == (1, []), "a clerk has no ties to ask for"
    assert desk.said(text, now + timedelta(seconds=300)) == "good"
    assert len(proved) == 2


def test_a_token_need_not_say_since_when(claims: dict[str, Any], now: datetime) -> None:
    assert Desk().said(KEY.token({**claims, "iat": None}), now) == "good"


def test_a_provider_that_never_answered_is_said_to_be_away(claims: dict[str, Any], now: datetime) -> None:
    def away() -> object:
        raise Unavailable("away")

    tokens = Tokens({ISSUER: (PROVIDER, KeySet(away))}, DirectoryInMemory(), Environment.LIVE)
    with pytest.raises(Unavailable):
        tokens.verify(read_token(KEY.token(claims)), now)
