"""Does the policy table say what was meant, for every route, role and relation?"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from matrix import LIST, STATUS, Caller, Case, Target, cases, reached
from matrix_rules import ROLES, SCOPES, words

from drachm.adapters.rest.identity import (
    BY_OPERATION,
    DENIALS,
    POLICIES,
    ROUTES,
    About,
    Allow,
    Denied,
    Deny,
    Environment,
    Kind,
    Principal,
    Reach,
    Resource,
    Role,
    Scope,
    anonymous,
    decide,
    missing_rows,
    permit,
    policy_of,
    reach_on,
    relate,
)
from drachm.adapters.rest.identity.decide import Access, Need, Policy
from drachm.adapters.rest.identity.model import MemberTie, Relation
from drachm.domain.errors import IntegrityError

NOW = datetime(2025, 3, 14, 9, 26, 53, tzinfo=UTC)
DAY = timedelta(days=1)
TIES = (
    MemberTie("ana", Relation.SELF, NOW - DAY),
    MemberTie("ben", Relation.RELATIVE, NOW - DAY, valid_until=NOW + DAY),
    MemberTie("cem", Relation.RELATIVE, NOW - 9 * DAY, valid_until=NOW + DAY, revoked_at=NOW),
    MemberTie("dev", Relation.RELATIVE, NOW - 9 * DAY, valid_until=NOW - DAY),
    MemberTie("eli", Relation.RELATIVE, NOW + DAY),
)
HOME = ("alder", Environment.LIVE)
MARKETS = {
    "ours": HOME,
    "other tenant": ("birch", Environment.LIVE),
    "other environment": ("alder", Environment.SANDBOX),
}
RECEIPT = "rct_of_self"


def principal(caller: Caller) -> Principal:
    """Every caller has every tie: only the role decides which of them counts."""
    if caller.kind == "anonymous":
        return anonymous(Environment.LIVE)
    if caller.kind == "link":
        place = ("alder", Kind.LINK, "link:1", "link:1", Environment.LIVE)
        return Principal(*place, receipt=RECEIPT, second_factor=caller.answered)
    return Principal(
        "alder",
        Kind(caller.kind),
        "caller",
        "credential",
        Environment.LIVE,
        roles=frozenset(Role(role) for role in caller.roles),
        parties=frozenset({"north"}),
        members=TIES,
        scopes=frozenset(Scope) - ({Scope(caller.lacks)} if caller.lacks else set()),
    )


def resource(case: Case) -> Resource:
    """A body names things inside the caller's own tenant, whatever ids it names."""
    target, named = case.target, case.route.about is About.NAMED
    tenant, environment = HOME if named else MARKETS[target.market]
    foreign = named and target.market != "ours"
    return Resource(
        tenant,
        environment,
        id=RECEIPT if target.name == "self" else "rct_of_another",
        parties=frozenset({"elsewhere"}) if foreign else target.parties,
        members=frozenset({"stranger"}) if foreign else target.members,
        maker="caller" if case.caller.proposer else "somebody else",
    )


def answer(case: Case, policy: Policy | None = None) -> Allow | Deny:
    policy = policy or policy_of(case.route.method, case.route.template)
    caller = principal(case.caller)
    return decide(policy, caller, relate(caller, resource(case), policy.about, NOW))


def reach_of(ties: frozenset[str]) -> Reach:
    members = {name for name, tie in (("ana", "self"), ("ben", "relative")) if tie in ties}
    return Reach("tenant" in ties, frozenset({"north"} if "party" in ties else ()), frozenset(members))


def test_every_pair_of_the_matrix_gets_its_answer() -> None:
    counted: Counter[str] = Counter()
    wrong = []
    for case in cases():
        counted[case.expected] += 1
        found = answer(case)
        said = "allow" if isinstance(found, Allow) else found.code
        is_list = case.route.about is About.MANY and isinstance(found, Allow)
        if is_list and found.reach != reach_of(reached(case.route.operation, case.caller)):
            wrong.append(f"{case.route.operation} by {case.caller} reaches {found.reach}")
        if said != case.expected:
            wrong.append(f"{case.route.operation} by {case.caller} on {case.target.name}: {said}, not {case.expected}")
    assert wrong[:20] == []
    assert counted.total() >= 20_000
    assert set(counted) == set(STATUS), "every kind of answer was tried"
    assert counted["allow"] > 2_000


def test_a_case_is_a_request_that_can_be_sent() -> None:
    case = next(
        case for case in cases() if case.route.operation == "approve_payout_change" and case.expected != "allow"
    )
    assert case.path({"change_id": "chg_7"}) == "/v1/payout-changes/chg_7/approval"
    assert case.path({}) == "/v1/payout-changes/change_id-unknown/approval"
    assert case.status == Deny(case.expected).status


def test_statuses_are_those_of_the_denials() -> None:
    assert {code: status for code, status in STATUS.items() if code != "allow"} == {
        code: status for code, (status, _) in DENIALS.items()
    }


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert missing_rows((route.method, route.template) for route in ROUTES) == []
    assert set(POLICIES) == {(route.method, route.template) for route in ROUTES}


def test_a_route_without_a_row_is_found_and_served_to_nobody() -> None:
    assert missing_rows([("GET", "/v1/me"), ("GET", "/v1/secret"), ("TRACE", "/v1/me")]) == [
        "GET /v1/secret",
        "TRACE /v1/me",
    ]
    with pytest.raises(IntegrityError, match="no row"):
        policy_of("GET", "/v1/secret")


def test_every_route_stands_in_the_paragraphs_of_the_roles() -> None:
    said = {operation for ties in ROLES.values() for groups in ties.values() for operation in words(groups)}
    assert said <= set(BY_OPERATION)
    assert {operation for groups in SCOPES.values() for operation in words(groups)} <= set(BY_OPERATION)
    by_role = {route.operation for route in ROUTES if POLICIES[route.method, route.template].grants}
    assert said == by_role


@pytest.mark.parametrize("role", Role)
def test_a_list_reaches_what_the_role_reaches_and_no_more(role: Role) -> None:
    everything = Reach(everything=True)
    reaches = {
        Role.PATIENT: Reach(members=frozenset({"ana"})),
        Role.RELATIVE: Reach(members=frozenset({"ben"})),
        Role.AUDITOR: everything,
        Role.OPERATOR: everything,
    }
    clinic = Reach(parties=frozenset({"north"}))
    shared = {"list_parties", "list_plans", "list_expense_rules", "open_desk_plans"}
    for route in ROUTES:
        if route.about is not About.MANY:
            continue
        found = answer(Case(route, Caller((role.value,)), LIST, ""))
        if isinstance(found, Allow):
            assert found.reach == (everything if route.operation in shared else reaches.get(role, clinic)), route


def test_an_auditor_changes_nothing_and_a_funder_learns_of_no_care() -> None:
    care = {"service-events", "charges", "visits", "receipts", "members", "coverages", "work-queue", "estimates"}
    for (method, _), policy in POLICIES.items():
        route = next(route for route in ROUTES if (route.method, route.template) == (policy.method, policy.template))
        assert Role.AUDITOR not in policy.grants or method == "GET"
        assert Role.FUNDER not in policy.grants or (route.tag not in care and "receipts" not in route.template)


def test_nothing_of_another_tenant_or_environment_is_ever_shown() -> None:
    beyond = [case for case in cases() if case.target.market != "ours" and case.route.about is About.ONE]
    assert len(beyond) > 5_000
    allowed = [case for case in beyond if isinstance(answer(case), Allow)]
    assert {case.route.operation for case in allowed} <= {"get_problem"}


def item_by_item(case: Case) -> str:
    caller, thing = principal(case.caller), resource(case)
    try:
        reach = reach_on(case.route.operation, caller, NOW)
    except Denied as denied:
        return denied.code
    return "allow" if reach.covers(thing.parties, thing.members) else "not_related"


def test_asking_once_and_item_by_item_is_the_same_as_asking_each_time() -> None:
    tried = 0
    for case in cases():
        if case.route.about is not About.NAMED or case.caller.proposer:
            continue
        tried += 1
        assert item_by_item(case) == case.expected, case
    assert tried > 5_000


def test_a_handler_goes_on_or_stops_in_one_line() -> None:
    patient = principal(Caller(("patient",)))
    own = Resource("alder", Environment.LIVE, members=frozenset({"ana"}))
    assert permit("get_receipt", patient, own, NOW) == Reach(members=frozenset({"ana"}))
    for thing in (Resource("alder", Environment.LIVE, members=frozenset({"fay"})), None):
        with pytest.raises(Denied) as told:
            permit("get_receipt", patient, thing, NOW)
        assert (told.value.status, told.value.code, told.value.where) == (404, "not_found", "")
    with pytest.raises(Denied) as told:
        permit("get_trial_balance", patient, Resource("alder", Environment.LIVE), NOW)
    assert (told.value.status, told.value.code) == (403, "role_missing")
    with pytest.raises(Denied) as told:
        permit("get_me", principal(Caller(kind="anonymous")), None, NOW)
    assert told.value.status == 401
    assert permit("get_health", principal(Caller(kind="anonymous")), None, NOW) == Reach()


def test_unknown_and_foreign_get_the_same_answer() -> None:
    """Whoever may not see a thing is told the same for one that is there and one that is not."""
    nobody = Target("nobody", frozenset(), frozenset())
    there = Target("other patient", frozenset({"fay"}), frozenset({"south"}))
    for route in ROUTES:
        for role in Role:
            caller = Caller((role.value,))
            ours = answer(Case(route, caller, there, ""))
            none = answer(Case(route, caller, nobody, ""))
            assert ours == none, (route.operation, role)


def test_a_payout_change_needs_two_people_and_a_day() -> None:
    policy = policy_of("POST", "/v1/payout-changes/{change_id}/approval")
    assert (policy.second, policy.people, policy.wait_hours) == (True, True, 24)


def test_any_other_letter_in_the_table_would_be_noticed() -> None:
    """Every letter of the table, changed to every other: some case of that role gives another answer."""
    unnoticed, tried = [], 0
    plain = [case for case in cases() if len(case.caller.roles) == 1 and case.caller.kind == "person"]
    for route in ROUTES:
        row = policy_of(route.method, route.template)
        if row.access is not Access.ROLES:
            continue
        ours = [case for case in plain if case.route is route and not case.caller.lacks and not case.caller.proposer]
        for role, letter in product(Role, (None, *Need)):
            if letter is row.grants.get(role):
                continue
            tried += 1
            grants = {name: need for name, need in row.grants.items() if name is not role}
            changed = replace(row, grants=grants if letter is None else {**grants, role: letter})
            if not any(case.caller.roles == (role.value,) and answer(case, changed) != answer(case) for case in ours):
                unnoticed.append(f"{route.operation}: {role.value} {letter}")
    assert tried > 4_000
    assert unnoticed == []
