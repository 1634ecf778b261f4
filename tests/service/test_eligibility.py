"""Cover as of a day, what is left of every limit, network, authorisation; for whoever may ask."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from drachm.domain.coverage.model import Contract, Coverage, Member
from drachm.domain.events.model import Code
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

ALWAYS = Period(date(2000, 1, 1))

RICH: dict[str, Any] = {
    "id": "rich-plan",
    "version": "1",
    "payer": "rich-insurance",
    "currency": "USD",
    "zone": "America/New_York",
    "effective": {"from": "2025-01-01", "until": "2027-01-01"},
    "benefit_year": "07-01",
    "facts": {
        "category": {"type": ["visit", "drug", "therapy", "surgery", "other"], "default": "other"},
        "network": ["in", "out"],
        "authorised": "flag",
        "age": "number",
        "cover_since": {"type": "date", "default": None},
        "family_size": {"type": "number", "default": 1},
        "drug_class": {"type": "text", "default": ""},
    },
    "bands": [{"fact": "age_band", "of": "age", "to": [{"below": 19, "is": "child"}, {"is": "adult"}]}],
    "accumulators": [
        {"id": "deductible", "scope": "person", "period": "benefit_year", "by": ["network"],
         "feeds": [{"of": "deductible"}]},
        {"id": "family_deductible", "scope": "family", "period": "benefit_year", "feeds": [{"of": "deductible"}]},
        {"id": "oop", "scope": "person", "period": "benefit_year", "feeds": [{"of": "cost_share"}]},
        {"id": "therapy_visits", "scope": "person", "period": {"rolling_days": 90},
         "feeds": [{"of": "visits", "when": {"category": "therapy"}}]},
        {"id": "by_class", "scope": "policy", "period": "month", "by": ["drug_class"], "feeds": [{"of": "paid"}]},
    ],
    "steps": [
        {"id": "ask_first", "kind": "exclude", "when": {"category": "surgery", "authorised": False}, "clause": "A",
         "reason": "no_authorisation"},
        {"id": "wait", "kind": "waiting_period", "since": "cover_since", "months": 12,
         "when": {"category": "surgery"}, "clause": "W"},
        {"id": "therapy", "kind": "benefit_limit", "when": {"category": "therapy"}, "clause": "T",
         "unit_limits": [{"accumulator": "therapy_visits", "limit": 3}]},
        {"id": "deductible", "kind": "deductible", "clause": "D", "limits": [
            {"accumulator": "deductible", "limit": {"cases": [
                {"when": {"age_band": "child"}, "value": 50 * MICROS},
                {"when": {"network": "in"}, "value": 100 * MICROS},
                {"value": 200 * MICROS}]}},
            {"accumulator": "family_deductible",
             "limit": {"base": 150 * MICROS, "per_extra_member": 10 * MICROS, "members_included": 2}}]},
        {"id": "share", "kind": "coinsurance", "ppm": 100_000, "clause": "C"},
        {"id": "drugs", "kind": "pay", "when": {"category": "drug"}, "clause": "R",
         "limits": [{"accumulator": "by_class", "limit": 30 * MICROS}]},
        {"id": "most", "kind": "out_of_pocket_max", "clause": "M",
         "limits": [{"accumulator": "oop", "limit": 400 * MICROS}]},
    ],
    "text": {"D": "The first part of a year is yours."},
}  # fmt: skip


@pytest.fixture
def rich(town):
    """Eve of a family of four, covered by a plan with every sort of limit."""
    town.desk.books.publish("plan", RICH)
    eve = Member("eve", date(1990, 1, 1), "female", "eves", facts={"family_size": 4})
    kid = Member("kid", date(2015, 1, 1), "male", "eves", facts={"family_size": 4})
    town.desk.books.enrol(
        members=[eve, kid],
        coverages=[
            Coverage("c-eve", "eve", "rich-plan", ALWAYS, policy="p1", facts={"cover_since": "2025-06-01"}),
            Coverage("c-kid", "kid", "rich-plan", ALWAYS, policy="p1"),
        ],
        contracts=[Contract("clinic", "rich-insurance", "as-submitted", ALWAYS, "in")],
    )
    return town


def limits(answer: Any, cover: int = 0) -> dict[tuple[str, str], Any]:
    found = answer.body["coverages"][cover]["limits"]
    return {(one["accumulator"], one["split"].get("network", "")): one for one in found}


def amount(limit: Any, name: str) -> int:
    return int(limit[f"{name}_amount"]["micros"]) // MICROS


def test_limits_follow_care_and_always_add_up(town, ask) -> None:
    clerk, body = town.clerk(), {"member": "ana", "provider": "clinic"}
    fresh = limits(ask("check_eligibility", clerk, body=body))
    assert amount(fresh["deductible", ""], "left") == 10
    assert amount(fresh["oop", ""], "left") == 50
    lefts = []
    for n in range(8):
        outcome = town.clear(town.event(f"e{n}", 40))[0]
        found = limits(ask("check_eligibility", clerk, body=body))
        oop = found["oop", ""]
        assert amount(oop, "used") + amount(oop, "left") == amount(oop, "limit") == 50
        lefts.append(amount(oop, "left"))
        assert outcome.decision.adjudication.patient_responsibility >= 0
    assert lefts[0] == 34
    assert lefts[-1] == 0
    assert all(earlier >= later for earlier, later in pairwise(lefts))
    assert amount(found["deductible", ""], "left") == 0
    assert found["deductible", ""]["clause_text"].startswith("You pay the first 10")
    assert (found["oop", ""]["from"], found["oop", ""]["until"]) == ("2026-01-01", "2027-01-01")


def test_what_is_said_to_be_left_is_what_the_next_event_is_asked_for(rich, ask) -> None:
    for n, dollars in enumerate((30, 45, 500, 900)):
        before = limits(ask("check_eligibility", rich.clerk(), body={"member": "eve", "provider": "clinic"}))
        person, family = before["deductible", "in"], before["family_deductible", ""]
        event = rich.event(f"e{n}", dollars, member="eve", visit=f"v{n}", facts={"category": "visit"})
        answer = rich.clear(event)[0].decision.adjudication
        taken = sum(share.amount for share in answer.shares if share.component == "deductible") // MICROS
        expected = min(dollars, amount(person, "left"), amount(family, "left"))
        # The maximum may give some of it back; here it does not reach so far.
        assert taken == expected
    after = limits(ask("check_eligibility", rich.clerk(), body={"member": "kid", "provider": "clinic"}))
    assert amount(after["family_deductible", ""], "used") == 100
    assert amount(after["deductible", "in"], "limit") == 50
    assert amount(after["deductible", "in"], "used") == 0


def test_without_a_provider_each_network_is_told(rich, ask) -> None:
    found = limits(ask("check_eligibility", rich.patient("eve"), body={"member": "eve"}))
    assert {key for key in found if key[0] == "deductible"} == {("deductible", "in"), ("deductible", "out")}
    assert amount(found["deductible", "in"], "limit") == 100
    assert amount(found["deductible", "out"], "limit") == 200
    assert found["deductible", "in"]["when"] == [{"network": "in"}]
    assert amount(found["family_deductible", ""], "limit") == 170
    assert (found["oop", ""]["from"], found["oop", ""]["until"]) == ("2025-07-01", "2026-07-01")


def test_counts_rolling_days_and_totals_split_by_what_only_care_tells(rich, ask) -> None:
    for n in range(2):
        rich.clear(rich.event(f"t{n}", 10, member="eve", visit=f"t{n}", facts={"category": "therapy"}))
    found = limits(ask("check_eligibility", rich.patient("eve"), body={"member": "eve"}))
    therapy = found["therapy_visits", ""]
    assert (therapy["counted"], therapy["limit_count"], therapy["used_count"], therapy["left_count"]) == (
        "visits", 3, 2, 1)  # fmt: skip
    assert therapy["when"] == [{"category": "therapy"}]
    assert date.fromisoformat(therapy["until"]) - date.fromisoformat(therapy["from"]) == timedelta(days=90)
    drugs = found["by_class", ""]
    assert (drugs["split"], drugs["period"]) == ({"drug_class": ""}, "month")
    # The third visit is covered, the fourth is not, as was said.
    said = [
        rich.clear(rich.event(f"u{n}", 10, member="eve", visit=f"u{n}", facts={"category": "therapy"}))[0].status
        for n in range(2)
    ]
    assert said == ["posted", "denied"]


def test_a_named_service_says_whether_the_payer_must_agree(rich, ask) -> None:
    service = {"code": {"system": "local", "value": "knee"}, "billed": {"micros": 900 * MICROS, "currency": "USD"}}
    body = {"member": "eve", "provider": "clinic", "on": "2026-07-15", "services": [
        {**service, "facts": {"category": "surgery"}},
        {**service, "facts": {"category": "visit"}},
        {"code": {"system": "local", "value": "knee"}, "facts": {"category": "surgery"}},
    ]}  # fmt: skip
    answer = ask("check_eligibility", rich.clerk(), body=body)
    surgery, visit, unpriced = answer.body["services"]
    assert (surgery["authorisation"], surgery["estimate"]["reason"]) == ("required", "no_authorisation")
    assert surgery["estimate_if_agreed"]["status"] == "posted"
    assert (visit["authorisation"], visit["estimate_if_agreed"]) == ("not_required", None)
    assert (unpriced["authorisation"], unpriced["estimate"]["reason"]) == ("unknown", "fact_missing")
    # Nothing of it was posted.
    assert [stored.kind.name for stored, _ in rich.desk.books.rows()] == ["TOP_UP"] * 3


def test_waiting_periods_are_told_with_their_day(rich, ask) -> None:
    [wait] = ask("check_eligibility", rich.patient("eve"), body={"member": "eve"}).body["coverages"][0][
        "waiting_periods"
    ]
    assert (wait["until"], wait["over"], wait["when"]) == ("2026-06-01", False, [{"category": "surgery"}])
    later = {"member": "eve", "on": "2026-06-01"}
    [wait] = ask("check_eligibility", rich.patient("eve"), body=later).body["coverages"][0]["waiting_periods"]
    assert wait["over"] is True
    kid = ask("check_eligibility", rich.patient("kid"), body={"member": "kid"}).body["coverages"][0]
    assert kid["waiting_periods"] == []


def test_several_covers_in_order_ended_and_to_come(town, ask) -> None:
    town.desk.books.enrol(
        coverages=[
            Coverage("c-old", "ben", "town-plan", Period(date(2020, 1, 1), date(2024, 1, 1)), rank=3),
            Coverage("c-next", "ben", "town-help", Period(date(2027, 1, 1)), rank=4),
            Coverage("c-lost", "ben", "no-such-plan", ALWAYS, rank=5),
        ]
    )
    answer = ask("check_eligibility", town.clerk("hospital"), body={"member": "ben", "provider": "hospital"})
    said = [(one["coverage"], one["status"], one["payer"], one["network"]) for one in answer.body["coverages"]]
    assert said == [
        ("c-ben-1", "active", "town-insurance", "in"),
        ("c-ben-2", "active", "town-hall", "in"),
        ("c-old", "ended", "", None),
        ("c-next", "not_begun", "", None),
        ("c-lost", "unknown_plan", "", None),
    ]
    assert answer.body["covered"] is True
    none = ask("check_eligibility", town.clerk(), body={"member": "cleo", "provider": "clinic"})
    assert (none.body["covered"], none.body["coverages"]) == (False, [])


def test_who_may_ask(town, other_town, ask) -> None:
    body = {"member": "ana", "provider": "clinic"}
    assert ask("check_eligibility", town.patient("ana"), body=body).status == 200
    assert ask("check_eligibility", town.operator(), body=body).status == 200
    for caller, code in (
        (town.patient("ben"), "not_related"),
        (town.clerk("hospital"), "not_related"),
        (town.relative(of="ana"), "role_missing"),
        (town.finance(), "role_missing"),
        (town.payer(), "not_related"),
        (town.nobody(), "unauthenticated"),
    ):
        assert ask("check_eligibility", caller, body=body).code == code
    assert ask("check_eligibility", town.clerk(), body={"member": "ana"}).code == "not_related"
    assert ask("check_eligibility", town.clerk(), body={**body, "asked_by": "hospital"}).code == "not_related"


def test_a_payer_is_told_of_its_own_cover_only(town, ask) -> None:
    mine = {"member": "ben", "asked_by": "town-hall"}
    answer = ask("check_eligibility", town.payer("town-hall"), body=mine)
    assert [one["payer"] for one in answer.body["coverages"]] == ["town-hall"]
    service = {"code": {"system": "local", "value": "x"}, "billed": {"micros": 40 * MICROS, "currency": "USD"}}
    priced = {**mine, "provider": "clinic", "services": [service]}
    seen = ask("check_eligibility", town.payer("town-hall"), body=priced).body["services"][0]["estimate"]
    assert seen["pockets"] == []
    assert [part["label"] for part in seen["parts"] if part["bearer"] == "patient"] == ["The patient's share"]
    assert sum(part["amount"]["micros"] for part in seen["parts"]) == 40 * MICROS
    stranger = ask("check_eligibility", town.payer("town-hall"), body={**mine, "member": "ana"})
    nobody = ask("check_eligibility", town.payer("town-hall"), body={**mine, "member": "nobody"})
    # A member of others and somebody who is not here look the same.
    assert stranger.body | {"member": ""} == nobody.body | {"member": ""}
    assert stranger.body["coverages"] == []


def test_nonsense_has_its_place(town, ask) -> None:
    clerk, body = town.clerk(), {"member": "ana", "provider": "clinic"}
    assert ask("check_eligibility", clerk, body={**body, "member": "nobody"}).code == "unknown_member"
    assert ask("check_eligibility", town.operator(), body={**body, "provider": "none"}).code == "unknown_provider"
    bad = ask("check_eligibility", clerk, body={**body, "on": "2026-02-30"})
    assert (bad.status, bad.body["errors"][0]["pointer"]) == (422, "/on")
    odd = ask("check_eligibility", clerk, body={**body, "services": [{"code": {"system": "x", "value": "a b"}}]})
    assert odd.body["errors"][0]["pointer"] == "/services/0/code/value"
    many = [{"code": {"system": "local", "value": Code("local", "a").value}}] * 11
    assert ask("check_eligibility", clerk, body={**body, "services": many}).status == 422
