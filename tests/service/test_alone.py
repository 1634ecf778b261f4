"""One person alone gives no money of a charge back, by whichever call; a system does by its own authority."""

from __future__ import annotations

from typing import Any

import pytest

from drachm.adapters.eventjson import write_event
from drachm.domain.money import MICROS

CARE = {"code": {"system": "local", "value": "visit"}, "currency": "USD", "started_at": "2026-03-10T14:00:00Z"}
NEEDED = (409, "second_person_needed")


def priced(dollars: int, **more: Any) -> dict[str, Any]:
    return {**CARE, "billed": {"micros": dollars * MICROS, "currency": "USD"}, **more}


def path(town: Any, ask: Any, event_id: str) -> dict[str, str]:
    town.follow()
    found = ask("list_service_events", town.operator(), query={"source": "ehr", "event_id": event_id}).body["data"]
    return {"event_id": found[0]["id"]}


@pytest.fixture
def charged(town: Any) -> Any:
    town.clear(town.event("e1", 40))
    return town


def money(town: Any) -> dict[str, int]:
    return {f"{one.kind}/{one.owner}": amount for one, amount in town.desk.books.balances().items() if amount}


def test_nobody_reverses_alone_and_the_answer_names_the_way(charged: Any, ask: Any) -> None:
    town, before, there = charged, money(charged), path(charged, ask, "e1")
    for who in (town.clerk(), town.operator()):
        no = ask("reverse_service_event", who, there, body={})
        assert (no.status, no.code) == NEEDED
        assert "/v1/charges/{charge_id}/refunds" in str(no.body)
    assert money(town) == before
    assert ask("reverse_service_event", town.integrator(), there, body={}).body["status"] == "posted"


def test_a_correction_may_ask_for_more_alone_and_never_for_less(charged: Any, ask: Any) -> None:
    town, there = charged, path(charged, ask, "e1")
    more = ask("revise_service_event", town.clerk(), there, body=priced(41), key="a")
    assert (more.status, more.body["status"]) == (201, "posted")
    again = ask("revise_service_event", town.clerk(), there, body=priced(41, event_id=more.body["event_id"]), key="b")
    assert (again.status, again.body["id"], again.body["duplicate"]) == (200, more.body["id"], True)
    newest = {"event_id": more.body["id"]}
    town.follow()
    # Less for all, less for the patient only, what cannot be decided now and could clear as anything later.
    for body in (priced(40), priced(41, facts={"category": "preventive"}), priced(90, billing_party="nobody-yet")):
        clerk = town.caller("clerk", parties=("clinic", "nobody-yet"))
        no = ask("revise_service_event", clerk, newest, body=body)
        assert (no.status, no.code) == NEEDED, body
    less = ask("revise_service_event", town.integrator(), newest, body=priced(30))
    assert (less.status, less.body["status"]) == (201, "posted")


def test_nor_by_sending_the_event_itself_single_or_in_bulk(charged: Any, ask: Any) -> None:
    town, before = charged, money(charged)

    def sent(event_id: str, dollars: int | None = None, **more: Any) -> dict[str, Any]:
        event = town.event(event_id, dollars or 0, **more)
        said: dict[str, Any] = write_event(event)
        if dollars is None:
            said.pop("billed", None)
        return said

    undo = sent("r1", kind="reversal", replaces="e1")
    no = ask("post_service_events", town.clerk(), body=undo)
    assert (no.status, no.code) == NEEDED
    # What is not here yet, and what comes with the same call, could give back what it meets later.
    bulk = [
        undo,
        sent("r2", kind="reversal", replaces="later"),
        sent("n1", 39, kind="replacement", replaces="e1"),
        sent("later", 40, visit="v9"),
        sent("n2", 50, kind="replacement", replaces="e1"),
        sent("n3", 1, kind="replacement", replaces="n2"),
    ]
    answer = ask("post_service_events", town.clerk(), body=bulk).body["data"]
    assert [one["status"] for one in answer] == [409, 409, 409, 201, 201, 409]
    assert {one["problem"]["code"] for one in answer if one["status"] == 409} == {"second_person_needed"}
    town.follow()
    assert all(money(town).get(name, 0) <= amount for name, amount in before.items() if name.startswith("provider"))
    done = ask("post_service_events", town.integrator(), body=sent("r3", kind="reversal", replaces="n2"))
    assert done.body["status"] == "posted"


def test_what_cost_nothing_and_what_only_waits_one_person_ends(town: Any, ask: Any) -> None:
    free = {"category": "preventive"}
    town.clear(
        town.event("hold", kind="hold", visit=""),
        town.event("nothing", 0, facts=free, visit="v2"),
        town.event("waits", 40, member="who", visit="v3"),
    )
    for event_id in ("hold", "nothing"):
        done = ask("reverse_service_event", town.clerk(), path(town, ask, event_id), body={})
        assert (done.status, done.body["status"]) == (201, "posted"), event_id
    assert ask("reverse_service_event", town.clerk(), path(town, ask, "waits"), body={}).status == 201
