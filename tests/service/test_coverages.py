"""Coverages and families: who pays for whom, in which order, and what becomes of what was cleared when that changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from drachm.application.clear_events import clear_events
from drachm.domain.clearing.model import Answer
from drachm.domain.coverage.model import Coverage
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

COVER = {"member": "cleo", "plan": "town-plan", "starts_on": "2026-01-01", "id": "c-cleo"}


def patient_share(result: dict[str, Any]) -> int:
    return result["amounts"]["patient"]["micros"] // MICROS


def test_a_payer_covers_a_member_and_the_next_event_knows(town: Any, ask: Any) -> None:
    assert town.clear(town.event("e1", member="cleo"))[0].decision.funding.due == 40 * MICROS
    made = ask("create_coverage", town.payer(), body=COVER)
    assert (made.status, made.body["payers"]) == (201, ["town-insurance"])
    # 10 dollars of deductible and a fifth of the rest.
    assert town.clear(town.event("e2", member="cleo"))[0].decision.funding.due == 16 * MICROS
    path = {"coverage_id": "c-cleo"}
    for reader in (town.payer(), town.patient("cleo"), town.clerk(), town.auditor()):
        assert ask("get_coverage", reader, path).body == made.body
    for stranger in (town.payer("town-hall"), town.patient("ana"), town.clerk("hospital"), town.relative(of="ana")):
        assert ask("get_coverage", stranger, path).status == 404
        assert ask("get_coverage", stranger, {"coverage_id": "no-such"}).status == 404


@pytest.mark.parametrize(
    ("caller", "change", "status"),
    [
        ("payer", {"plan": "town-help"}, 403),
        ("payer", {"plan": "no-plan"}, 403),
        ("payer", {"plan": "none"}, 403),
        ("operator", {"plan": "no-plan"}, 422),
        ("operator", {"member": "nobody-here"}, 422),
        ("operator", {"ends_on": "2026-01-01"}, 422),
        ("operator", {"rank": 0}, 422),
        ("operator", {"id": "c-ana"}, 409),
        ("operator", {"member": "ana"}, 409),
        ("operator", {"member": "ana", "rank": 2}, 409),
        ("operator", {"member": "ana", "plan": "town-help", "rank": 2}, 201),
        ("clerk", {}, 403),
        ("patient", {"member": "ana"}, 403),
        ("auditor", {}, 403),
    ],
)
def test_who_may_cover_whom(town: Any, ask: Any, caller: str, change: Any, status: int) -> None:
    assert ask("create_coverage", getattr(town, caller)(), body={**COVER, **change}).status == status


def test_two_payers_cannot_take_one_rank_at_once(town: Any, ask: Any) -> None:
    def cover(plan: str) -> int:
        body = {**COVER, "plan": plan, "id": f"c-{plan}"}
        return ask("create_coverage", town.operator(), body=body).status

    with ThreadPoolExecutor(4) as threads:
        statuses = sorted(threads.map(cover, ["town-plan", "town-help"] * 2))
    assert statuses == [201, 409, 409, 409]
    assert len(town.market.register.coverages(of="cleo")) == 1


def test_one_plan_twice_names_both_and_other_days_are_free(town: Any, ask: Any) -> None:
    assert ask("create_coverage", town.payer(), body={**COVER, "ends_on": "2026-06-01"}).status == 201
    again = {**COVER, "id": "c-again", "rank": 2}
    refused = ask("create_coverage", town.payer(), body={**again, "starts_on": "2026-05-31"})
    assert (refused.status, refused.code) == (409, "conflict")
    assert "c-cleo has the plan town-plan on some of the days of c-again" in refused.body["detail"]
    assert ask("create_coverage", town.payer(), body={**again, "starts_on": "2026-06-01"}).status == 201
    # A change may not make two of them either.
    help_ = {**COVER, "id": "c-help", "plan": "town-help", "rank": 3}
    assert ask("create_coverage", town.operator(), body=help_).status == 201
    path = {"coverage_id": "c-help"}
    tag, change = ask("get_coverage", town.operator(), path).etag, {"from_day": "2026-03-01", "plan": "town-plan"}
    assert ask("update_coverage", town.operator(), path, body=change, if_match=tag).status == 409


def test_of_two_that_were_there_before_each_can_be_ended(town: Any, ask: Any) -> None:
    days = Period(date(2026, 1, 1))
    covers = [Coverage("c-1", "cleo", "town-plan", days), Coverage("c-2", "cleo", "town-plan", days, rank=2)]
    town.desk.books.enrol(coverages=covers)
    done = ask("terminate_coverage", town.payer(), {"coverage_id": "c-2"}, body={"ends_on": "2026-03-01"})
    assert done.status == 200, done.body


def test_each_sees_the_coverages_they_have_to_do_with(town: Any, ask: Any) -> None:
    town.clear(town.event("e1", member="ben", billing_party="hospital"))

    def seen(caller: Any, **query: str) -> list[str]:
        return [one["id"] for one in ask("list_coverages", caller, query=query).body["data"]]

    assert seen(town.operator()) == ["c-ana", "c-ben-1", "c-ben-2", "c-dan"]
    assert seen(town.payer("town-hall")) == ["c-ben-2"]
    assert seen(town.clerk("hospital")) == ["c-ben-1", "c-ben-2"]
    assert seen(town.clerk()) == []
    assert seen(town.patient("dan")) == ["c-dan"]
    assert seen(town.operator(), member="ben") == ["c-ben-1", "c-ben-2"]
    assert seen(town.patient("dan"), member="ben") == []


def test_a_change_splits_the_days_and_leaves_what_was_cleared(town: Any, ask: Any) -> None:
    town.clear(town.event("e1"))
    before = town.desk.books.balances()
    path = {"coverage_id": "c-ana"}
    etag = ask("get_coverage", town.payer(), path).etag
    change = {"from_day": "2026-03-01", "facts": {"tier": "gold"}}
    changed = ask("update_coverage", town.payer(), path, body=change, if_match=etag)
    assert changed.status == 200, changed.body
    assert changed.body["coverage"]["starts_on"] == "2026-03-01"
    assert changed.body["before"]["ends_on"] == "2026-03-01"
    assert changed.body["before"]["policy"] == changed.body["coverage"]["policy"] == "c-ana"
    assert [one["event_id"] for one in changed.body["cleared_before"]] == ["e1"]
    assert town.desk.books.balances() == before
    assert ask("update_coverage", town.payer(), path, body=change, if_match=etag).status == 412
    for wrong in ({"from_day": "1999-01-01"}, {"from_day": "2026-04-01", "ends_on": "2026-03-01"}):
        assert ask("update_coverage", town.payer(), path, body=wrong, if_match=changed.etag).status == 409
    stranger = ask("update_coverage", town.payer("town-hall"), path, body=change, if_match="*")
    assert stranger.status == 404
    other = ask("update_coverage", town.payer(), path, body={**change, "plan": "town-help"}, if_match=changed.etag)
    assert other.status == 403


def test_an_end_in_the_past_adjudicates_anew_what_was_cleared_since(town: Any, ask: Any) -> None:
    early = town.event("early", started_at=town.event().started_at - timedelta(days=30))
    town.clear(early, town.event("e1"), town.event("e2", 20), town.event("hold", kind="hold"))
    town.clear(town.event("gone", 30), town.event("undo", kind="reversal", replaces="gone"))
    rows = [stored for stored, _ in town.desk.books.rows()]
    ended = ask("terminate_coverage", town.payer(), {"coverage_id": "c-ana"}, body={"ends_on": "2026-03-01"})
    assert ended.status == 200, ended.body
    assert ended.body["coverage"]["ends_on"] == "2026-03-01"
    found = ended.body["adjudicated"]
    assert [one["event_id"].partition("~")[0] for one in found] == ["e1", "e2"]
    assert [(one["status"], patient_share(one), one["amounts"]["payers"]["micros"]) for one in found] == [
        ("posted", 40, 0),
        ("posted", 20, 0),
    ]
    assert [(one["event_id"], one["why"]) for one in ended.body["left"]] == [("hold", "hold")]
    after = [stored for stored, _ in town.desk.books.rows()]
    assert [(row.position, row.body) for row in after[: len(rows)]] == [(row.position, row.body) for row in rows]
    assert sum(town.desk.books.balances().values()) == 0
    # Again, under another key: everything is done already.
    again = ask("terminate_coverage", town.payer(), {"coverage_id": "c-ana"}, body={"ends_on": "2026-03-01"})
    assert (again.status, again.body["adjudicated"]) == (200, [])
    later = ask("terminate_coverage", town.payer(), {"coverage_id": "c-ana"}, body={"ends_on": "2026-05-01"})
    assert later.status == 409
    # What was adjudicated anew can be taken back like anything else.
    undo = town.event("undo-1", kind="reversal", replaces=found[0]["event_id"])
    assert town.clear(undo)[0].status == "posted"


def test_a_cover_that_never_held_is_none(town: Any, ask: Any) -> None:
    ask("create_coverage", town.payer(), body=COVER)
    town.clear(town.event("e1", member="cleo"))
    path = {"coverage_id": "c-cleo"}
    ended = ask("terminate_coverage", town.payer(), path, body={"ends_on": "2025-06-01"})
    assert (ended.body["coverage"]["plan"], [patient_share(one) for one in ended.body["adjudicated"]]) == ("none", [40])
    assert ask("terminate_coverage", town.payer(), path, body={"ends_on": "2025-06-01"}).body["adjudicated"] == []
    assert ask("get_coverage", town.payer(), path).status == 200


def test_what_an_outside_payer_decided_is_left_to_it(town: Any, ask: Any) -> None:
    answer = Answer("a1", "town-insurance", 30 * MICROS, 25 * MICROS, 5 * MICROS, "provisional")
    clear_events([town.event("e1")], town.desk, {"e1": answer})
    ended = ask("terminate_coverage", town.operator(), {"coverage_id": "c-ana"}, body={"ends_on": "2026-03-01"})
    assert [(one["event_id"], one["why"]) for one in ended.body["left"]] == [("e1", "payer_answered")]


def test_only_the_payer_and_the_operator_end_a_cover(town: Any, ask: Any) -> None:
    town.clear(town.event("e1"))
    path, body = {"coverage_id": "c-ana"}, {"ends_on": "2026-03-01"}
    for caller in (town.clerk(), town.patient(), town.auditor(), town.integrator()):
        assert ask("terminate_coverage", caller, path, body=body).status == 403
    assert ask("terminate_coverage", town.payer("town-hall"), path, body=body).status == 404
    assert ask("terminate_coverage", town.payer(), path, body=body, key=None).code == "idempotency_key_missing"
    assert ask("terminate_coverage", town.payer(), path, body={"ends_on": "soon"}).status == 422


def test_a_payer_who_enrolled_a_member_does_not_touch_what_another_pays(town: Any, ask: Any) -> None:
    new = {"id": "eve", "registered_by": "town-hall", "name": {"family": "Stone", "given": "Eve"}}
    assert ask("create_member", town.payer("town-hall"), body=new).status == 201
    ask("create_coverage", town.payer(), body={**COVER, "member": "eve"})
    path = {"coverage_id": "c-cleo"}
    assert ask("get_coverage", town.payer("town-hall"), path).status == 200
    ended = ask("terminate_coverage", town.payer("town-hall"), path, body={"ends_on": "2026-03-01"})
    assert ended.status == 404


def test_a_family_is_founded_joined_and_left(town: Any, ask: Any) -> None:
    founding = {"party": "town-insurance", "id": "f1", "members": [{"member": "ana", "from_day": "2026-01-01"}]}
    made = ask("create_family", town.payer(), body=founding)
    assert made.status == 201, made.body
    assert town.market.register.members(ids=["ana"])[0].family == "f1"
    path = {"family_id": "f1"}
    joined = ask("join_family", town.payer(), path, body={"member": "ben", "from_day": "2026-02-01"})
    assert [one["member"] for one in joined.body["members"]] == ["ana", "ben"]
    for reader in (town.patient("ben"), town.relative(of="ana"), town.payer("town-hall"), town.auditor()):
        assert ask("get_family", reader, path).status == 200
    assert ask("get_family", town.patient("dan"), path).status == 404
    left = ask("leave_family", town.payer(), {**path, "member_id": "ben"}, query={"until": "2026-03-01"})
    assert left.body["members"][1] == {"member": "ben", "from_day": "2026-02-01", "until": "2026-03-01"}
    assert town.market.register.members(ids=["ben"])[0].family == ""
    assert ask("leave_family", town.payer(), {**path, "member_id": "ben"}).status == 409
    assert ask("get_family", town.patient("ben"), path).status == 404


@pytest.mark.parametrize(
    ("caller", "operation", "body", "status"),
    [
        ("payer", "join_family", {"member": "cleo", "from_day": "2026-01-01"}, 404),
        ("operator", "join_family", {"member": "cleo", "from_day": "2026-01-01"}, 200),
        ("operator", "join_family", {"member": "cleo", "from_day": "2027-01-01"}, 422),
        ("operator", "join_family", {"member": "nobody-here", "from_day": "2026-01-01"}, 422),
        ("clerk", "join_family", {"member": "cleo", "from_day": "2026-01-01"}, 403),
        ("operator", "create_family", {"id": "dans"}, 409),
        ("operator", "create_family", {"members": [{"member": "dan", "from_day": "2026-01-01"}]}, 409),
        ("payer", "create_family", {"members": [{"member": "ana", "from_day": "2026-01-01"}]}, 403),
    ],
)
def test_families_refuse(town: Any, ask: Any, caller: str, operation: str, body: Any, status: int) -> None:
    path = {"family_id": "dans"} if operation == "join_family" else {}
    who = town.payer("town-hall") if caller == "payer" else getattr(town, caller)()
    assert ask(operation, who, path, body=body).status == status


def test_a_family_of_the_register_is_listed_without_a_record(town: Any, ask: Any) -> None:
    listed = ask("list_families", town.operator()).body["data"]
    assert listed == [{"id": "dans", "members": [{"member": "dan", "from_day": None, "until": None}], "version": 0}]
    assert ask("list_families", town.payer("town-hall")).body["data"] == []
    assert ask("list_families", town.patient("ana")).body["data"] == []
    assert ask("list_families", town.patient("dan")).body["data"] == listed
    # A payer may not take people in whom it has nothing to do with.
    ask_cleo = ask(
        "join_family", town.payer(), {"family_id": "dans"}, body={"member": "cleo", "from_day": "2026-01-01"}
    )
    assert ask_cleo.status == 422


def test_an_end_that_is_told_many_times_at_once_happens_once(town: Any, ask: Any) -> None:
    town.clear(*[town.event(f"e{number}") for number in range(4)])

    def end(number: int) -> Any:
        path = {"coverage_id": "c-ana"}
        return ask("terminate_coverage", town.operator(), path, body={"ends_on": "2026-03-01"}, key=f"k{number}")

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(end, range(4)))
    assert {one.status for one in answers} == {200}
    corrections = [
        stored
        for stored, written in town.desk.books.rows()
        if stored.kind.name == "REPLACEMENT" and written.entries is not None
    ]
    assert len(corrections) == 4
    assert sum(town.desk.books.balances().values()) == 0
    again = end(0)
    assert (again.body, again.headers.get("idempotency-replayed")) == (answers[0].body, "true")


def test_members_are_spread_over_the_slices_of_a_fund(town: Any, ask: Any) -> None:
    for number in range(4):
        body = {"id": f"n{number}", "name": {"family": f"Only{number}", "given": "One"}}
        assert ask("create_member", town.operator(), body=body).status == 201
    shards = {one.shard for one in town.market.register.members(ids=[f"n{number}" for number in range(4)])}
    assert len(shards) > 1


def test_what_stands_under_a_merged_member_is_left_and_named(town: Any, ask: Any) -> None:
    town.clear(town.event("e1"))
    assert ask("merge_members", town.operator(), body={"member": "ana", "into": "cleo"}).status == 200
    town.clear(town.event("e2", member="cleo"))
    ended = ask("terminate_coverage", town.payer(), {"coverage_id": "c-ana"}, body={"ends_on": "2026-03-01"})
    assert [one["event_id"].partition("~")[0] for one in ended.body["adjudicated"]] == ["e2"]
    assert [(one["event_id"], one["why"]) for one in ended.body["left"]] == [("e1", "merged")]
    name = ended.body["left"][0]["id"]
    assert ask("get_service_event", town.operator(), {"event_id": name}).status == 200
