"""Keys are shown once and end when revoked; machines sign for tokens; members let people look, and take it back."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from drachm.adapters.rest.identity import Kind, Principal, Role, Scope, Unauthenticated
from drachm.adapters.rest.identity.clients import ASSERTION_TYPE

NOON = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = {"name": "desk", "roles": ["clerk"], "parties": ["clinic"], "scopes": ["events:write", "events:read"]}
PAIR = ECKey.generate_key("P-256")
JWK = {**PAIR.as_dict(private=False), "kid": "k1"}
MACHINE = {**KEY, "name": "the record system", "roles": ["integrator"], "jwks": {"keys": [JWK]}}
FORM = "application/x-www-form-urlencoded"


def make_key(ask: Any, town: Any, by: Principal | None = None, **changes: Any) -> dict[str, Any]:
    answer = ask("create_api_key", by or town.operator(), body={**KEY, **changes})
    assert answer.status == 201, answer.body
    return dict(answer.body)


def opens(town: Any, key: str, at: datetime = NOON) -> Principal | str:
    """Whom the key stands for, or why it does not."""
    try:
        return town.house.authenticator.principal(f"Bearer {key}", at)  # type: ignore[no-any-return]
    except Unauthenticated as told:
        return told.code


def machine_key(town: Any, party: str = "clinic") -> Principal:
    return town.caller(Role.INTEGRATOR, parties=(party,), kind=Kind.MACHINE, subject=f"machine@{party}")  # type: ignore[no-any-return]


def test_a_new_key_is_shown_once_and_opens_what_it_says(town: Any, ask: Any) -> None:
    made = make_key(ask, town, expires_at="2026-05-01T00:00:00Z")
    assert made["key"].startswith(f"drk_sandbox_{made['id']}_")
    caller = opens(town, made["key"])
    assert isinstance(caller, Principal)
    assert (caller.tenant, caller.roles, caller.parties) == (town.name, {Role.CLERK}, {"clinic"})
    assert caller.scopes == {Scope.EVENTS_READ, Scope.EVENTS_WRITE}
    read = ask("get_api_key", town.operator(), {"key_id": made["id"]})
    assert read.status == 200
    assert read.body == {name: value for name, value in made.items() if name != "key"}
    assert made["key"] not in ask("list_api_keys", town.operator()).raw.decode()
    assert opens(town, made["key"], datetime(2026, 5, 1, tzinfo=UTC)) == "api_key_expired"


def test_a_key_ends_in_ninety_days_where_nobody_says_when(town: Any, ask: Any) -> None:
    made = make_key(ask, town)
    assert datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"]) == 90 * DAY


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"roles": ["patient"]}, "/roles/0"),
        ({"roles": ["king"]}, "/roles/0"),
        ({"roles": []}, "/roles"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"parties": ["a b"]}, "/parties/0"),
        ({"name": ""}, "/name"),
        ({"expires_at": "2026-03-10T16:00:00Z"}, "/expires_at"),
        ({"expires_at": "2027-12-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"secret": "mine"}, ""),
    ],
)
def test_a_key_that_makes_no_sense_is_refused_with_its_place(
    town: Any, ask: Any, change: dict[str, Any], pointer: str
) -> None:
    answer = ask("create_api_key", town.operator(), body={**KEY, **change})
    assert answer.status in (400, 422), answer.body
    assert [fault["pointer"] for fault in answer.body["errors"]] == [pointer]
    assert ask("list_api_keys", town.operator()).body["data"] == []


def test_only_people_who_run_the_market_make_keys(town: Any, ask: Any) -> None:
    machine = town.caller(Role.OPERATOR, kind=Kind.MACHINE)
    assert ask("create_api_key", machine, body=KEY).code == "person_required"
    assert ask("create_api_key", town.clerk(), body=KEY).code == "role_missing"
    assert ask("create_api_key", town.nobody(), body=KEY).status == 401
    few = town.operator(scopes=frozenset({Scope.KEYS_WRITE}))
    answer = ask("create_api_key", few, body=KEY)
    assert (answer.status, answer.code) == (403, "scope_missing"), "a key cannot do more than whoever makes it"


def test_keys_are_seen_by_whoever_acts_for_one_of_their_parties(town: Any, other_town: Any, ask: Any) -> None:
    own, far = make_key(ask, town)["id"], make_key(ask, town, parties=["hospital"])["id"]
    shared = make_key(ask, town, parties=["clinic", "hospital"])["id"]
    elsewhere = make_key(ask, other_town)["id"]

    def seen(caller: Principal) -> set[str]:
        return {key["id"] for key in ask("list_api_keys", caller).body["data"]}

    assert seen(town.operator()) == seen(town.auditor()) == {own, far, shared}
    assert seen(machine_key(town)) == {own, shared}
    assert seen(machine_key(town, "nobody")) == set()
    assert seen(other_town.operator()) == {elsewhere}
    assert ask("list_api_keys", town.clerk()).status == 403
    for name in ("get_api_key", "rotate_api_key", "revoke_api_key"):
        body = {} if name == "rotate_api_key" else None
        hidden = ask(name, town.operator(), {"key_id": elsewhere}, body=body)
        nowhere = ask(name, town.operator(), {"key_id": "0" * 12}, body=body)
        odd = ask(name, town.operator(), {"key_id": "é\x01"}, body=body)
        strange = ask(name, machine_key(town), {"key_id": far}, body=body)
        assert {one.status for one in (hidden, nowhere, odd, strange)} == {404}
        assert hidden.body == nowhere.body == strange.body, "no answer tells which keys there are"
    assert isinstance(opens(other_town, make_key(ask, other_town)["key"]), Principal)


def test_a_list_of_keys_comes_in_pages(town: Any, ask: Any) -> None:
    made = sorted(make_key(ask, town)["id"] for _ in range(5))
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    for _ in range(3):
        page = ask("list_api_keys", town.operator(), query=query).body
        seen += [key["id"] for key in page["data"]]
        query = {"limit": "2", "cursor": page["next"]}
    assert (seen, page["next"]) == (made, None)
    first = ask("list_api_keys", town.operator(), query={"limit": "2"}).body["next"]
    assert ask("list_clients", town.operator(), query={"cursor": first}).code == "invalid_cursor"


def test_rotation_leaves_both_keys_for_the_overlap_and_happens_once(town: Any, ask: Any) -> None:
    old = make_key(ask, town)
    path = {"key_id": old["id"]}
    answer = ask("rotate_api_key", town.operator(), path, body={"overlap_seconds": 3600})
    new = answer.body
    assert (answer.status, new["replaces"], new["roles"]) == (201, old["id"], ["clerk"])
    assert isinstance(opens(town, old["key"]), Principal)
    assert isinstance(opens(town, new["key"]), Principal)
    assert opens(town, old["key"], NOON + timedelta(hours=2)) == "api_key_expired"
    again = ask("rotate_api_key", town.operator(), path, body={})
    assert (again.status, again.code) == (409, "conflict")
    assert ask("rotate_api_key", town.operator(), path, body={"overlap_seconds": 604_801}).status == 422


def test_a_machine_does_not_rotate_itself_into_more(town: Any, ask: Any) -> None:
    strong = make_key(ask, town, roles=["operator"])
    answer = ask("rotate_api_key", machine_key(town), {"key_id": strong["id"]}, body={})
    assert (answer.status, answer.code) == (403, "role_missing")


def test_a_revoked_key_is_refused_at_once(town: Any, ask: Any) -> None:
    made = make_key(ask, town)
    assert isinstance(opens(town, made["key"]), Principal)
    for _ in range(2):
        assert ask("revoke_api_key", town.operator(), {"key_id": made["id"]}).status == 204
        assert opens(town, made["key"]) == "api_key_revoked"
    assert ask("get_api_key", town.auditor(), {"key_id": made["id"]}).body["revoked_at"] is not None
    assert ask("revoke_api_key", town.auditor(), {"key_id": made["id"]}).status == 403


# Machines


def make_client(ask: Any, town: Any, **changes: Any) -> Any:
    answer = ask("create_client", town.operator(), body={**MACHINE, **changes})
    assert answer.status == 201, answer.body
    return answer


def statement(client: str, jti: str = "", pair: ECKey = PAIR, kid: str = "k1", **other: Any) -> str:
    claims = {
        "iss": client,
        "sub": client,
        "aud": "http://127.0.0.1:8000/v1/token",
        "jti": jti or f"j{time.monotonic_ns()}",
        "exp": int(NOON.timestamp()) + 120,
        **other,
    }
    return jwt.encode({"alg": "ES256", "kid": kid}, claims, pair, algorithms=["ES256"])


def ask_token(ask: Any, town: Any, assertion: str, **other: str) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        **other,
    }
    return ask("issue_token", town.nobody(), body=urlencode(form).encode(), media=FORM, at=NOON)


def test_a_machine_signs_for_a_token_and_calls_with_it(town: Any, ask: Any) -> None:
    client = make_client(ask, town).body
    answer = ask_token(ask, town, statement(client["id"], "j1"), scope="events:read")
    assert (answer.status, answer.body["token_type"], answer.body["scope"]) == (200, "Bearer", "events:read")
    caller = opens(town, answer.body["access_token"])
    assert isinstance(caller, Principal)
    assert (caller.tenant, caller.credential, caller.scopes) == (town.name, client["id"], {Scope.EVENTS_READ})
    again = ask_token(ask, town, statement(client["id"], "j1"))
    assert (again.status, again.body["error"]) == (401, "invalid_client"), "a statement is good once"
    assert set(again.body) == {"error", "error_description"}


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password", "username": "x"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 400, "invalid_request"),
        (
            {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": "a.b.c"},
            401,
            "invalid_client",
        ),
    ],
)
def test_the_token_endpoint_says_no_in_its_standards_words(
    town: Any, ask: Any, form: dict[str, str], status: int, error: str
) -> None:
    answer = ask("issue_token", town.nobody(), body=urlencode(form).encode(), media=FORM)
    assert (answer.status, answer.body["error"]) == (status, error)
    assert answer.headers["content-type"] == "application/json"


def test_a_scope_that_the_machine_does_not_have_is_no_token(town: Any, ask: Any) -> None:
    client = make_client(ask, town).body
    answer = ask_token(ask, town, statement(client["id"]), scope="money:write")
    assert (answer.status, answer.body["error"]) == (400, "invalid_scope")


def test_our_own_keys_are_published_without_their_private_halves(town: Any, ask: Any) -> None:
    answer = ask("get_token_keys", town.nobody())
    assert answer.status == 200
    assert answer.body["keys"]
    assert all("d" not in key and {"kid", "alg", "use"} <= key.keys() for key in answer.body["keys"])


def test_new_keys_of_a_machine_end_its_tokens_and_need_the_version_that_was_read(town: Any, ask: Any) -> None:
    made = make_client(ask, town)
    path = {"client_id": made.body["id"]}
    token = ask_token(ask, town, statement(made.body["id"])).body["access_token"]
    other = ECKey.generate_key("P-256")
    body = {"jwks": {"keys": [{**other.as_dict(private=False), "kid": "k2"}]}}
    assert ask("replace_client_keys", town.operator(), path, body=body).status == 428
    assert ask("replace_client_keys", town.operator(), path, body=body, if_match='"stale"').status == 412
    changed = ask("replace_client_keys", town.operator(), path, body=body, if_match=made.etag)
    assert (changed.status, changed.body["generation"]) == (200, 2)
    assert changed.etag == ask("get_client", town.operator(), path).etag != made.etag
    assert opens(town, token) == "token_revoked"
    assert ask_token(ask, town, statement(made.body["id"])).status == 401
    assert ask_token(ask, town, statement(made.body["id"], pair=other, kid="k2")).status == 200
    stale = ask("replace_client_keys", town.operator(), path, body=body, if_match=made.etag)
    assert stale.status == 412


def test_a_disabled_machine_is_refused_at_once(town: Any, ask: Any) -> None:
    client = make_client(ask, town).body
    token = ask_token(ask, town, statement(client["id"])).body["access_token"]
    assert isinstance(opens(town, token), Principal)
    for _ in range(2):
        assert ask("revoke_client", town.operator(), {"client_id": client["id"]}).status == 204
    assert opens(town, token) == "token_revoked"
    assert ask_token(ask, town, statement(client["id"])).status == 401
    assert ask("get_client", town.auditor(), {"client_id": client["id"]}).body["disabled_at"] is not None


@pytest.mark.parametrize(
    ("keys", "pointer"),
    [
        ([{**JWK, "kid": ""}], "/jwks/keys/0/kid"),
        ([{**PAIR.as_dict(private=True), "kid": "k1"}], "/jwks/keys/0"),
        ([JWK, JWK], "/jwks/keys"),
        ([{"kty": "oct", "k": "c2VjcmV0", "kid": "k1"}], "/jwks/keys/0"),
        ([], "/jwks/keys"),
        ([1], "/jwks/keys/0"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_with_their_place(
    town: Any, ask: Any, keys: list[Any], pointer: str
) -> None:
    answer = ask("create_client", town.operator(), body={**MACHINE, "jwks": {"keys": keys}})
    assert answer.status in (400, 422), answer.body
    assert [fault["pointer"] for fault in answer.body["errors"]] == [pointer]
    assert ask("list_clients", town.operator()).body["data"] == []


def test_machines_of_others_are_not_seen(town: Any, other_town: Any, ask: Any) -> None:
    own, far = make_client(ask, town).body["id"], make_client(ask, other_town).body["id"]
    hospitals = make_client(ask, town, parties=["hospital"]).body["id"]
    assert [one["id"] for one in ask("list_clients", machine_key(town)).body["data"]] == [own]
    assert {one["id"] for one in ask("list_clients", town.auditor()).body["data"]} == {own, hospitals}
    for caller, client in ((town.operator(), far), (machine_key(town), hospitals), (town.operator(), "cli_0")):
        assert ask("get_client", caller, {"client_id": client}).status == 404
        assert ask("revoke_client", caller, {"client_id": client}).status == 404


@pytest.mark.parametrize("odd", ["\0", "a\0b", "é", "x" * 300, " ", "..", "\x7f", "'; DROP TABLE api_key"])
def test_an_id_that_makes_no_sense_names_nothing(town: Any, ask: Any, odd: str) -> None:
    by = town.operator()
    answers = [
        ask("get_api_key", by, {"key_id": odd}),
        ask("rotate_api_key", by, {"key_id": odd}, body={}),
        ask("revoke_api_key", by, {"key_id": odd}),
        ask("get_client", by, {"client_id": odd}),
        ask("replace_client_keys", by, {"client_id": odd}, body={"jwks": {"keys": [JWK]}}),
        ask("list_relatives", by, {"member_id": odd}),
        ask("revoke_relative", by, {"member_id": "ana", "relative_id": odd}),
        ask("get_operation_by_key", town.finance(), {"key": odd}),
    ]
    assert {answer.status for answer in answers} == {404}
    assert len({json.dumps(answer.body) for answer in answers}) == 1


# Who the caller is


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        ("list_api_keys", {}, None),
        ("create_api_key", {}, KEY),
        ("get_api_key", {"key_id": "0" * 12}, None),
        ("rotate_api_key", {"key_id": "0" * 12}, {}),
        ("revoke_api_key", {"key_id": "0" * 12}, None),
        ("list_clients", {}, None),
        ("create_client", {}, MACHINE),
        ("get_client", {"client_id": "cli_0"}, None),
        ("replace_client_keys", {"client_id": "cli_0"}, {"jwks": {"keys": [JWK]}}),
        ("revoke_client", {"client_id": "cli_0"}, None),
        ("get_operation_by_key", {"key": "k"}, None),
        ("list_relatives", {"member_id": "ana"}, None),
        ("allow_relative", {"member_id": "ana"}, {"subject": "x", "valid_until": "2026-06-01T00:00:00Z"}),
        ("revoke_relative", {"member_id": "ana", "relative_id": "rel_0"}, None),
        ("get_me", {}, None),
    ],
)
def test_nobody_learns_nothing(town: Any, ask: Any, name: str, path: dict[str, str], body: Any) -> None:
    assert ask(name, town.nobody(), path, body=body).status == 401


def test_everybody_with_a_credential_reads_who_they_are(town: Any, ask: Any) -> None:
    answer = ask("get_me", town.clerk())
    assert (answer.status, answer.body["roles"], answer.body["parties"]) == (200, ["clerk"], ["clinic"])
    assert ask("get_me", town.patient()).body["members"] == [{"member": "ana", "relation": "self", "valid_until": None}]
    assert ask("get_me", town.relative(revoked=True)).body["members"] == []
    assert ask("get_me", town.nobody()).status == 401


# Relatives

RITA = {"subject": "https://id.example|rita", "valid_until": "2026-06-01T00:00:00Z"}
ANA = {"member_id": "ana"}


def ties(town: Any, subject: str = RITA["subject"]) -> list[tuple[str, str]]:
    """What is known at a call of somebody's."""
    found = town.house.authenticator.tokens._directory.ties(town.name, subject)
    return [(tie.member, tie.relation.value) for tie in found if tie.holds(NOON + DAY)]


def test_a_patient_lets_somebody_look_and_takes_it_back(town: Any, ask: Any) -> None:
    made = ask("allow_relative", town.patient(), ANA, body=RITA)
    assert made.status == 201, made.body
    assert ties(town) == [("ana", "relative")]
    assert ask("list_relatives", town.patient(), ANA).body == {"data": [made.body], "next": None}
    path = {**ANA, "relative_id": made.body["id"]}
    for _ in range(2):
        assert ask("revoke_relative", town.patient(), path, at=NOON + timedelta(hours=1)).status == 204
        assert ties(town) == []
    assert ask("list_relatives", town.patient(), ANA, at=NOON + timedelta(hours=1)).body["data"] == []


def test_letting_somebody_look_again_moves_the_end(town: Any, ask: Any) -> None:
    ask("allow_relative", town.patient(), ANA, body=RITA)
    again = {**RITA, "valid_until": "2026-04-01T00:00:00Z"}
    ask("allow_relative", town.patient(), ANA, body=again, at=NOON + timedelta(minutes=1))
    (shown,) = ask("list_relatives", town.patient(), ANA, at=NOON + timedelta(minutes=2)).body["data"]
    assert shown["valid_until"] == "2026-04-01T00:00:00Z"


def test_only_the_member_and_the_operator_let_people_look(town: Any, other_town: Any, ask: Any) -> None:
    made = ask("allow_relative", town.operator(), ANA, body=RITA).body
    for caller in (town.patient("ben"), town.relative(), town.clerk(), town.payer(), other_town.patient("ana")):
        refused = [
            ask("allow_relative", caller, ANA, body={**RITA, "subject": "me"}),
            ask("revoke_relative", caller, {**ANA, "relative_id": made["id"]}),
        ]
        if caller.tenant == town.name:
            refused.append(ask("list_relatives", caller, ANA))
            assert {one.status for one in refused} <= {403, 404}
        assert ties(town, "me") == []
    assert ties(town) == [("ana", "relative")]
    assert ties(other_town, "me") == [("ana", "relative")], "her own namesake elsewhere may"
    machine = town.patient()
    assert ask("allow_relative", replace(machine, kind=Kind.MACHINE), ANA, body=RITA).code == "person_required"
    for member in ("nobody", "zoe"):
        assert ask("allow_relative", town.operator(), {"member_id": member}, body=RITA).status == 404


def test_a_tie_is_taken_back_only_through_its_own_member(town: Any, ask: Any) -> None:
    made = ask("allow_relative", town.patient("ben"), {"member_id": "ben"}, body=RITA).body
    assert ask("revoke_relative", town.patient("ana"), {**ANA, "relative_id": made["id"]}).status == 404
    assert ask("revoke_relative", town.patient("ana"), {**ANA, "relative_id": "rel_0"}).status == 404
    assert ties(town) == [("ben", "relative")]


def test_a_login_is_made_a_members_own_by_an_operator_alone(town: Any, ask: Any) -> None:
    own = {**RITA, "relation": "self"}
    assert ask("allow_relative", town.patient(), ANA, body=own).status == 403
    assert ties(town) == []
    assert ask("allow_relative", town.operator(), ANA, body=own).status == 201
    assert ties(town) == [("ana", "self")]


@pytest.mark.parametrize(
    "change",
    [
        {"valid_until": "2026-03-10T15:59:59Z"},
        {"valid_until": "2046-01-01T00:00:00Z"},
        {"valid_until": "soon"},
        {"valid_until": None},
        {"subject": ""},
        {"subject": "a\nb"},
        {"subject": "x" * 513},
        {"relation": "owner"},
    ],
)
def test_a_tie_that_makes_no_sense_is_refused(town: Any, ask: Any, change: dict[str, Any]) -> None:
    answer = ask("allow_relative", town.patient(), ANA, body={**RITA, **change})
    assert answer.status in (400, 422), answer.body
    assert "rita" not in json.dumps(answer.body)
    assert ask("list_relatives", town.patient(), ANA).body["data"] == []


def test_who_may_look_is_not_readable_in_the_database_and_ends_with_the_member(town: Any, ask: Any) -> None:
    ask("allow_relative", town.patient(), ANA, body=RITA)
    town.desk.books.erase("ana")
    assert ties(town) == []
