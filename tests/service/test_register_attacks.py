"""The register under attack: nonsense, strangers, other tenants, and what a merge or an end leaves in the books."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from drachm.adapters.eventjson import write_event
from drachm.adapters.rest.identity.routes import BY_OPERATION
from drachm.adapters.rest.identity.stored import StoredDirectory
from drachm.application.as_one import Aliases, clear_as_one
from drachm.application.audit import audit
from drachm.application.ties import Tie, allow
from drachm.bootstrap import disk_tally
from drachm.domain.coverage.model import Member

NONSENSE = ["no\x00body", "\ud800", "x" * 5_000, "../../etc", "' OR 1=1 --", "", "٣", "con_" + "7" * 26, "\u202e"]
ONE = {
    "get_party": "party_id",
    "list_sites": "party_id",
    "list_practitioners": "party_id",
    "get_contract": "contract_id",
    "get_payout_account": "payout_account_id",
    "list_payout_changes": "payout_account_id",
    "approve_payout_change": "change_id",
    "withdraw_payout_change": "change_id",
    "get_member": "member_id",
    "get_family": "family_id",
    "get_coverage": "coverage_id",
}


@pytest.mark.parametrize("operation", sorted(ONE))
def test_what_nothing_is_called_is_not_there(town: Any, ask: Any, operation: str) -> None:
    for name in NONSENSE:
        answer = ask(operation, town.operator(), {ONE[operation]: name})
        assert (answer.status, answer.code) == (404, "not_found"), (operation, name)


CHANGES: dict[str, tuple[dict[str, str], dict[str, Any] | None]] = {
    "update_party": ({"party_id": "?"}, {"name": "X"}),
    "create_site": ({"party_id": "?"}, {"name": "X"}),
    "update_site": ({"site_id": "?"}, {"name": "X"}),
    "create_practitioner": ({"party_id": "?"}, {"name": "X"}),
    "update_practitioner": ({"practitioner_id": "?"}, {"name": "X"}),
    "update_contract": ({"contract_id": "?"}, {"from_day": "2026-01-01"}),
    "propose_payout_change": ({"payout_account_id": "?"}, {"number": {"holder": "X"}}),
    "update_member": ({"member_id": "?"}, {"sex": "male"}),
    "split_member": ({"member_id": "?"}, {"from_member": "ana"}),
    "join_family": ({"family_id": "?"}, {"member": "ana", "from_day": "2026-01-01"}),
    "leave_family": ({"family_id": "?", "member_id": "ana"}, None),
    "update_coverage": ({"coverage_id": "?"}, {"from_day": "2026-01-01"}),
    "terminate_coverage": ({"coverage_id": "?"}, {"ends_on": "2026-01-01"}),
}


@pytest.mark.parametrize("operation", sorted(CHANGES))
def test_what_is_not_there_is_not_changed(town: Any, ask: Any, operation: str) -> None:
    path, body = CHANGES[operation]
    for name in NONSENSE:
        place = {word: name if value == "?" else value for word, value in path.items()}
        answer = ask(operation, town.operator(), place, body=body, if_match="*")
        assert answer.status == 404, (operation, name, answer.body)


@pytest.mark.parametrize("operation", sorted(ONE) + sorted(CHANGES))
def test_without_a_credential_nothing_is_told(town: Any, ask: Any, operation: str) -> None:
    names = BY_OPERATION[operation].parameters
    body = CHANGES[operation][1] if operation in CHANGES else None
    for name in ("clinic", "ana", "c-ana", "no-such"):
        assert ask(operation, town.nobody(), dict.fromkeys(names, name), body=body).status == 401


def test_the_same_names_in_another_tenant_stay_apart(town: Any, other_town: Any, ask: Any) -> None:
    new = {"id": "canary-77", "name": {"family": "Canary", "given": "Seven"}, "birth_date": "1990-01-01"}
    assert ask("create_member", other_town.operator(), body=new).status == 201
    found = ask("match_member", town.operator(), body={"name": new["name"], "birth_date": "1990-01-01"})
    assert found.body["outcome"] == "nobody"
    assert ask("create_member", town.operator(), body={**new, "id": "ours"}).status == 201
    for operation in ("list_members", "list_coverages", "list_families", "list_contracts", "list_parties"):
        assert "canary-77" not in ask(operation, town.operator()).raw.decode()
    merge = {"member": "canary-77", "into": "ana"}
    assert ask("merge_members", town.operator(), body=merge).status == 409
    cover = {"member": "canary-77", "plan": "town-plan", "starts_on": "2026-01-01"}
    assert ask("create_coverage", town.operator(), body=cover).status == 422
    etag = ask("get_party", other_town.operator(), {"party_id": "clinic"}).etag
    ask("update_party", other_town.operator(), {"party_id": "clinic"}, body={"name": "Theirs"}, if_match=etag)
    assert ask("get_party", town.operator(), {"party_id": "clinic"}).body["name"] == "Town clinic"


def test_refusals_do_not_repeat_what_was_sent(town: Any, ask: Any) -> None:
    canary = "Zyxcanary"
    person = {"name": {"family": canary, "given": canary}, "identifiers": [{"system": "ssn", "value": canary}]}
    bodies: dict[str, Any] = {
        "create_member": {**person, "registered_by": canary},
        "match_member": {**person, "birth_date": canary},
        "create_party": {"roles": ["provider"], "name": f"{canary}\n", "npi": canary},
        "create_coverage": {"member": canary, "plan": canary, "starts_on": "2026-01-01"},
        "create_family": {"members": [{"member": canary, "from_day": "2026-01-01"}]},
        "merge_members": {"member": canary, "into": canary},
    }
    for operation, body in bodies.items():
        answer = ask(operation, town.operator(), body=body)
        assert answer.status >= 400, operation
        assert canary not in answer.raw.decode(), operation


def wrong(town: Any) -> str:
    """What an audit finds; empty when the books are sound."""
    with disk_tally() as totals, disk_tally() as pots:
        report = audit(town.desk.books, totals, pots, time.monotonic, lambda done: None)
    return report.first_difference


def test_after_an_end_in_the_past_the_books_still_audit(town: Any, ask: Any) -> None:
    town.clear(
        *[town.event(f"e{number}", 7 * number, member="ben", billing_party="hospital") for number in range(1, 8)]
    )
    ended = ask("terminate_coverage", town.payer(), {"coverage_id": "c-ben-1"}, body={"ends_on": "2026-01-01"})
    assert len(ended.body["adjudicated"]) == 7
    # The other payer's half is all that is left.
    for number, one in enumerate(ended.body["adjudicated"], start=1):
        assert one["amounts"]["patient"]["micros"] == one["amounts"]["payers"]["micros"] == 3_500_000 * number
    assert wrong(town) == ""


def test_after_merges_and_splits_the_books_still_audit(town: Any, ask: Any) -> None:
    aliases = Aliases(town.market.records, lambda: 0.0)

    def clear(*events: Any) -> list[str]:
        aliases.forget()
        return [one.status for one in clear_as_one(events, town.desk, aliases)]

    ask("merge_members", town.operator(), body={"member": "ana", "into": "ben"})
    ask("merge_members", town.operator(), body={"member": "ben", "into": "dan"})
    assert {pot.id for pot in town.market.register.pots("dan")} == {"ana-gift", "ana-cash", "ben-cash"}
    assert clear(town.event("e1"), town.event("e2", member="ben"), town.event("e3", member="dan")) == ["posted"] * 3
    assert ask("split_member", town.operator(), {"member_id": "ben"}, body={"from_member": "dan"}).status == 200
    assert {pot.id for pot in town.market.register.pots("ben")} == {"ana-gift", "ana-cash", "ben-cash"}
    assert ask("split_member", town.operator(), {"member_id": "ana"}, body={"from_member": "ben"}).status == 200
    assert {pot.id for pot in town.market.register.pots("ana")} == {"ana-gift", "ana-cash"}
    assert {one.id for one in town.market.register.coverages(of="ben")} == {"c-ben-1", "c-ben-2"}
    assert {one.id for one in town.market.register.coverages(of="ana")} == {"c-ana"}
    assert clear(town.event("u1", kind="reversal", replaces="e1"), town.event("e1")) == ["posted", "posted"]
    assert wrong(town) == ""


def test_a_wrong_merge_in_the_middle_comes_apart_in_any_order(town: Any, ask: Any) -> None:
    ask("merge_members", town.operator(), body={"member": "ana", "into": "ben"})
    ask("merge_members", town.operator(), body={"member": "ben", "into": "dan"})
    assert ask("split_member", town.operator(), {"member_id": "ana"}, body={"from_member": "ben"}).status == 200
    assert {pot.id for pot in town.market.register.pots("ana")} == {"ana-gift", "ana-cash"}
    assert ask("split_member", town.operator(), {"member_id": "ben"}, body={"from_member": "dan"}).status == 200
    assert {pot.id for pot in town.market.register.pots("ana")} == {"ana-gift", "ana-cash"}
    assert {one.id: one.rank for one in town.market.register.coverages(of="ben")} == {"c-ben-1": 1, "c-ben-2": 2}


def test_who_may_see_the_one_sees_the_other_until_they_are_split(town: Any, ask: Any) -> None:
    at = town.clock.now()
    allow(town.market.records, Tie("t1", "issuer|ana", "ana", "self", at, None, "operator"))
    directory = StoredDirectory(lambda tenant: town.market.records)

    def seen() -> set[str]:
        return {tie.member for tie in directory.ties(town.name, "issuer|ana")}

    assert seen() == {"ana"}
    ask("merge_members", town.operator(), body={"member": "ana", "into": "ben"})
    assert seen() == {"ana", "ben"}
    ask("split_member", town.operator(), {"member_id": "ana"}, body={"from_member": "ben"})
    assert seen() == {"ana"}


def test_events_that_come_in_by_the_door_meet_the_merge(town: Any, ask: Any) -> None:
    def send(event_id: str, member: str) -> Any:
        return ask("post_service_events", town.integrator(), body=write_event(town.event(event_id, member=member)))

    assert send("e1", "ana").body["amounts"]["patient"]["micros"] == 16_000_000
    assert ask("merge_members", town.operator(), body={"member": "ana", "into": "cleo"}).status == 200
    assert send("e1", "ana").body["duplicate"]
    # Her cover is Cleo's now, and pays; the deductible that was met under the other record starts anew.
    assert send("e2", "ana").body["amounts"]["patient"]["micros"] == 16_000_000
    assert send("e2", "ana").body["duplicate"]
    asked = {"events": [write_event(town.event("ask", member="ana"))]}
    estimated = ask("create_estimate", town.clerk(), body=asked)
    assert estimated.body["events"][0]["amounts"]["patient"]["micros"] == 8_000_000
    cover = ask("check_eligibility", town.clerk(), body={"member": "ana", "asked_by": "clinic"})
    assert (cover.body["member"], cover.body["covered"]) == ("ana", True)
    assert send("e3", "cleo").body["amounts"]["patient"]["micros"] == 8_000_000
    town.follow()
    rows = town.market.index.page("events", parties=None, members=None, member="cleo")
    assert len(rows) == 2


def test_many_at_once_change_the_register_in_turn(town: Any, ask: Any) -> None:
    def change(number: int) -> int:
        body = {"from_day": "2026-01-01", "member": f"p{number}"}
        return int(ask("join_family", town.operator(), {"family_id": "dans"}, body=body).status)

    town.desk.books.enrol(members=[Member(f"p{number}") for number in range(8)])
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(change, range(8))) == {200}
    family = ask("get_family", town.operator(), {"family_id": "dans"}).body
    assert sorted(one["member"] for one in family["members"]) == ["dan", *(f"p{number}" for number in range(8))]
