"""Estimates over the interface: who may ask, what is said, and that it comes true."""

from __future__ import annotations

from drachm.adapters.eventjson import write_event
from drachm.domain.money import MICROS


def order(*events):
    return {"events": [write_event(event) for event in events]}


def test_a_clerk_sees_before_care_what_clearing_then_says(town, ask) -> None:
    events = [town.event("a", 40), town.event("b", 25)]
    foreseen = ask("create_estimate", town.clerk(), body=order(*events))
    assert foreseen.status == 200
    real = ask("post_service_events", town.clerk(), body=[write_event(event) for event in events])
    assert real.status in (200, 201, 207)
    outcomes = town.clear(*events)
    for one, outcome in zip(foreseen.body["events"], outcomes, strict=True):
        answer = outcome.decision.adjudication
        assert one["amounts"]["patient"]["micros"] == answer.patient_responsibility
        assert one["amounts"]["payers"]["micros"] == answer.plan_paid
        assert sum(p["amount"]["micros"] for p in one["pockets"]) == outcome.decision.funding.drawn
    first = foreseen.body["events"][0]
    assert [step["clause"] for step in first["why"]][:2] == ["3", "4"]
    assert first["why"][0]["clause_text"].startswith("You pay the first 10")
    assert first["plans"][0] | {"hash": ""} == {
        "id": "town-plan",
        "version": "2026.1",
        "payer": "town-insurance",
        "hash": "",
    }
    assert sum(part["amount"]["micros"] for part in first["parts"]) == 40 * MICROS
    assert foreseen.body["totals"][0]["patient"] == {"micros": str(16 * MICROS + 5 * MICROS), "currency": "USD"}
    # The pots of a patient are not named to a clinic.
    assert "ana-cash" not in foreseen.raw.decode()


def test_what_waits_and_what_is_refused_is_said_by_name(town, ask) -> None:
    events = [
        town.event("a", member="nobody"),
        town.event("b", currency="EUR"),
        town.event("c", 5000, kind="hold", member="cleo"),
        town.event("d", facts={"category": "cosmetic"}),
    ]
    answer = ask("create_estimate", town.clerk(), body=order(*events))
    said = [(one["status"], one["reason"]) for one in answer.body["events"]]
    assert said == [
        ("pended", "unknown_member"),
        ("pended", "currency_mismatch"),
        ("refused", "insufficient_funds"),
        ("denied", "not_covered"),
    ]
    assert answer.body["events"][0]["next_step"]
    assert answer.body["events"][0]["amounts"] is None


def test_only_for_oneself_or_a_clinic_of_ones_own(town, other_town, ask) -> None:
    mine = order(town.event("a"))
    assert ask("create_estimate", town.patient("ana"), body=mine).status == 200
    assert ask("create_estimate", town.integrator(), body=mine).status == 200
    for caller, code in (
        (town.patient("ben"), "not_related"),
        (town.relative(of="ana"), "role_missing"),
        (town.clerk("hospital"), "not_related"),
        (town.payer(), "role_missing"),
        (town.funder(), "role_missing"),
        (town.nobody(), "unauthenticated"),
    ):
        answer = ask("create_estimate", caller, body=mine)
        assert answer.code == code
    both = order(town.event("a"), town.event("b", billing_party="hospital"))
    assert ask("create_estimate", town.clerk(), body=both).code == "not_related"
    both = order(town.event("a"), town.event("b", member="ben"))
    assert ask("create_estimate", town.patient("ana"), body=both).code == "not_related"
    # Another tenant has people of the same names: it answers of its own only.
    other_town.clear(other_town.event("z", 40))
    alone = ask("create_estimate", town.clerk(), body=mine).body["events"][0]
    assert alone["amounts"]["patient"]["micros"] == 16 * MICROS


def test_a_patient_learns_nothing_of_events_that_others_sent(town, ask) -> None:
    town.clear(town.event("a", 40), town.event("b", 10, member="ben"))
    again = ask("create_estimate", town.patient("ana"), body=order(town.event("b", 40))).body["events"][0]
    assert (again["status"], again["duplicate"], again["event_id"], again["source"]) == ("posted", False, "b", "ehr")
    undo = town.event("r", kind="reversal", replaces="b", billed=0)
    assert ask("create_estimate", town.patient("ana"), body=order(undo)).code == "invalid_body"
    # The clinic, whose events they are, is told.
    clerk = ask("create_estimate", town.clerk(), body=order(town.event("a", 40), town.event("a", 41)))
    assert [(one["status"], one["duplicate"]) for one in clerk.body["events"]] == [
        ("posted", True),
        ("conflict", False),
    ]


def test_nonsense_is_a_problem_with_its_place(town, ask) -> None:
    bad = order(town.event("a"))
    bad["events"][0]["started_at"] = "2026-02-30T10:00:00Z"
    answer = ask("create_estimate", town.clerk(), body=bad)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (400, "/events/0/started_at")
    for body in ({"events": []}, {"events": order(town.event("a"))["events"] * 51}, {}, {"events": 1}, []):
        assert ask("create_estimate", town.clerk(), body=body).status == 422
    huge = [town.event(f"h{n}", billed=2**53 - 1, member="cleo") for n in range(3)]
    totals = ask("create_estimate", town.clerk(), body=order(*huge)).body["totals"]
    assert totals[0]["billed"]["micros"] == str(3 * (2**53 - 1))
