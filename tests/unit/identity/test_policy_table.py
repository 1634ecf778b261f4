"""The tables are read strictly: a slip of the pen in them stops the start, it does not open a door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from drachm.adapters.rest.identity import (
    ROUTES,
    About,
    Allow,
    Deny,
    Environment,
    Kind,
    Principal,
    Resource,
    Role,
    Scope,
)
from drachm.adapters.rest.identity.decide import Access, Need, Policy, decide, relate
from drachm.adapters.rest.identity.model import MemberTie, Relation, roles_of, scopes_of
from drachm.adapters.rest.identity.policy import read_policies
from drachm.adapters.rest.identity.routes import BY_OPERATION, Route, read_routes
from drachm.domain.errors import IntegrityError

NOW = datetime(2025, 3, 14, tzinfo=UTC)
ME = (Route("GET", "/v1/me", "get_me", About.OPEN, "who"),)
GOOD = "S . . . . . . . . T   money:read  people,24h  GET /v1/me"


def test_a_row_is_read() -> None:
    row = read_policies(GOOD, ME)["GET", "/v1/me"]
    assert row.grants == {Role.PATIENT: Need.SELF, Role.INTEGRATOR: Need.TENANT}
    assert (row.scope, row.people, row.second, row.hidden, row.wait_hours) == (Scope.MONEY_READ, True, False, True, 24)
    assert read_policies("open GET /v1/me", ME)["GET", "/v1/me"].access is Access.OPEN


@pytest.mark.parametrize(
    "row",
    [
        "S . . . . . . . .     money:read  -       GET /v1/me",
        "S . . . . . . . . . . money:read  -       GET /v1/me",
        "X . . . . . . . . .   money:read  -       GET /v1/me",
        "S . . . . . . . . .   money:write -       GET /v1/you",
        "S . . . . . . . . .   money:read  hidden  GET /v1/me",
        "S . . . . . . . . .   money:read  24      GET /v1/me",
        "public  GET /v1/me",
        "roles  GET /v1/me",
        "GET /v1/me",
        f"{GOOD}\nopen GET /v1/me",
    ],
)
def test_a_row_that_cannot_be_read_stops_the_start(row: str) -> None:
    with pytest.raises(IntegrityError):
        read_policies(row, ME)


def test_an_unknown_scope_stops_the_start() -> None:
    with pytest.raises(ValueError, match="moneys"):
        read_policies("S . . . . . . . . . moneys:read - GET /v1/me", ME)


@pytest.mark.parametrize(
    "entry",
    [
        "GET /v1/me get_me open",
        "GET /v1/me get_me open\nno indent",
        "FETCH /v1/me get_me open\n  x",
        "GET v1/me get_me open\n  x",
        "GET /v1/me get_me open loud\n  x",
        "GET /v1/me get_me open\n  x\nPUT /v1/me get_me open\n  x",
        "GET /v1/me get_me open\n  x\nGET /v1/me get_you open\n  x",
    ],
)
def test_a_route_that_cannot_be_read_stops_the_start(entry: str) -> None:
    with pytest.raises(IntegrityError):
        read_routes(entry)


def test_routes_are_plain_data() -> None:
    approval = BY_OPERATION["approve_payout_change"]
    assert (approval.method, approval.parameters, approval.needs_key) == ("POST", ("change_id",), True)
    assert approval.tag == "payout-changes"
    assert BY_OPERATION["open_receipt_page"].tag == "receipt-page"
    assert BY_OPERATION["stream_member_receipts"].streams
    assert BY_OPERATION["get_health"].meaning == "Whether the process runs."
    assert BY_OPERATION["post_service_events"].meaning.startswith("Clear delivered care")
    for route in ROUTES:
        assert route.meaning.endswith("."), route
        assert len(route.meaning) < 130
        assert not (route.reads and route.needs_key), route
        apart = ("/problems/{code}", "/s/{code}", "/static/{file}", "/v1/callbacks/{tenant}/{rail}")
        assert (route.about is About.ONE) == bool(route.parameters) or route.template in apart, route


def test_calls_of_the_issue_are_there() -> None:
    said = {(route.method, route.template) for route in ROUTES}
    for method, template in (
        ("POST", "/v1/service-events"),
        ("POST", "/v1/estimates"),
        ("POST", "/v1/eligibility"),
        ("GET", "/v1/receipts/{receipt_id}/why"),
        ("POST", "/v1/members/merge"),
        ("POST", "/v1/coverages/{coverage_id}/termination"),
        ("POST", "/v1/plans/{plan_id}/preview"),
        ("POST", "/v1/price-books/{price_book_id}/publication"),
        ("GET", "/v1/trial-balance"),
        ("GET", "/v1/events"),
        ("GET", "/v1/operations/by-key/{key}"),
        ("GET", "/openapi.json"),
    ):
        assert (method, template) in said


def caller(*roles: Role) -> Principal:
    ties = (MemberTie("ana", Relation.SELF, NOW), MemberTie("ben", Relation.RELATIVE, NOW))
    parties = frozenset({"north"})
    return Principal(
        "alder", Kind.PERSON, "u", "c", Environment.LIVE, frozenset(roles), parties, ties, frozenset(Scope)
    )


def test_two_ties_together_cover_what_a_body_names() -> None:
    """A mother who is a patient and a relative may name herself and her child, and nobody beside them."""
    row = Policy("POST", "/x", Access.ROLES, About.NAMED, None, {Role.PATIENT: Need.SELF, Role.RELATIVE: Need.RELATIVE})
    mother = caller(Role.PATIENT, Role.RELATIVE)

    def said(principal: Principal, *members: str) -> bool:
        named = Resource("alder", Environment.LIVE, members=frozenset(members))
        return isinstance(decide(row, principal, relate(principal, named, About.NAMED, NOW)), Allow)

    assert said(mother, "ana", "ben")
    assert not said(mother, "ana", "ben", "fay")
    assert not said(caller(Role.PATIENT), "ana", "ben")
    assert not said(mother)


def test_nobody_without_a_tenant_shares_one() -> None:
    row = Policy("GET", "/x", Access.ROLES, About.WHOLE, None, {Role.OPERATOR: Need.TENANT})
    lost = Principal("", Kind.PERSON, "u", "c", Environment.LIVE, frozenset({Role.OPERATOR}))
    nowhere = Resource("", Environment.LIVE)
    assert decide(row, lost, relate(lost, nowhere, About.WHOLE, NOW)) == Deny("not_found")


def test_a_tie_holds_from_its_beginning_until_the_first_of_its_ends() -> None:
    hour = timedelta(hours=1)
    tie = MemberTie("ana", Relation.RELATIVE, NOW, valid_until=NOW + 2 * hour, revoked_at=NOW + hour)
    assert [tie.holds(NOW + passed) for passed in (-hour, 0 * hour, hour - hour / 60, hour, 3 * hour)] == [
        *(False, True, True),
        *(False, False),
    ]
    assert MemberTie("ana", Relation.SELF, NOW).holds(NOW + timedelta(days=36500))


def test_nobody_is_the_second_person_for_a_change_without_a_first() -> None:
    row = Policy("POST", "/x", Access.ROLES, About.ONE, None, {Role.OPERATOR: Need.TENANT}, second=True)

    def said(maker: str) -> object:
        asked = caller(Role.OPERATOR)
        return decide(row, asked, relate(asked, Resource("alder", Environment.LIVE, maker=maker), About.ONE, NOW))

    assert isinstance(said("somebody else"), Allow)
    assert said("u") == said("") == Deny("second_person_required")


def test_words_that_are_not_ours_mean_nothing() -> None:
    assert roles_of(["clerk", "Clerk", "admin"]) == {Role.CLERK}
    assert scopes_of(["openid", "money:read", "money"]) == {Scope.MONEY_READ}
