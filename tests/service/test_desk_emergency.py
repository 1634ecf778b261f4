"""Emergency access: a wider look for a reason and a while, everything written down, and reviewed by somebody else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor

from drachm.adapters.rest.identity.model import Role
from drachm.application import emergencies

FORM = {"reason": "patient_here", "words": "Ben is here and does not speak", "minutes": "15"}


@pytest.fixture
def noor(visitor: Visitor, lived_in: Any) -> Visitor:
    return visitor.signed_in("Noor", [Role.CLERK], ["clinic"])


@pytest.fixture
def fay(visitor: Visitor, noor: Visitor) -> Visitor:
    return visitor.signed_in("Fay", [Role.FINANCE], ["clinic"])


def sights(noor: Visitor) -> list[dict[str, Any]]:
    return [dict(one.body) for one in noor.town.market.records.find(emergencies.SIGHT)]


def taken(noor: Visitor) -> str:
    assert noor.post("take_desk_emergency", FORM).status == 303
    (record,) = noor.town.market.records.find(emergencies.KIND)
    return record.id


def test_it_opens_single_charges_of_others_for_a_while_and_each_is_written_down(noor: Visitor) -> None:
    foreign = {"charge_id": noor.charge("e3")}
    assert noor.get("open_desk_charge", foreign).status == 404
    name = taken(noor)
    assert sights(noor) == []
    page = noor.get("open_desk_charge", foreign)
    assert page.status == 200
    assert "Emergency access until 12:15." in page.body
    found = noor.post("search_desk", {"id": "ehr/e3"})
    assert found.headers["location"] == f"/desk/charges/{foreign['charge_id']}"
    assert sights(noor) == [{"emergency": name, "page": "open_desk_charge", "what": foreign}]
    noor.town.clock.move(minutes=16)
    assert noor.get("open_desk_charge", foreign).status == 404
    assert len(sights(noor)) == 1


def test_it_changes_nothing_else(noor: Visitor, fay: Visitor) -> None:
    taken(noor)
    charge = {"charge_id": noor.charge("e3")}
    assert "Make a receipt link" not in noor.get("open_desk_charge", charge).body
    for call, path, form in (
        ("hand_out_at_desk", charge, {"hours": "24"}),
        ("propose_refund_at_desk", charge, {"reason": "goodwill", "most": "60", "key": "k" * 30}),
        ("retry_at_desk", {"event_id": noor.event("e3")}, {}),
    ):
        assert noor.post(call, form, path).status in (403, 404), call
    assert " ben " not in noor.words("open_desk")
    assert fay.get("open_desk_charge", charge).status == 404, "nobody else sees more"
    other = noor.again()
    assert other.get("open_desk_charge", charge).status == 404, "nor another session of the same person"


def test_without_words_or_beyond_an_hour_nothing_is_taken(visitor: Visitor, noor: Visitor) -> None:
    for changes in (
        {"words": "short"},
        {"minutes": "61"},
        {"minutes": "1440"},
        {"reason": "curious"},
        {"words": "x" * 501},
    ):
        answer = noor.post("take_desk_emergency", {**FORM, **changes})
        assert answer.status in (400, 422), changes
    assert noor.post("take_desk_emergency", {**FORM, "csrf": "x"}).status == 403
    assert noor.town.market.records.find(emergencies.KIND) == []
    ed = visitor.signed_in("Ed", [Role.PRICE_EDITOR], ["clinic"])
    ed.get("open_desk_plans")
    assert ed.post("take_desk_emergency", FORM).status == 403


def test_ended_is_ended(noor: Visitor) -> None:
    taken(noor)
    foreign = {"charge_id": noor.charge("e3")}
    assert noor.get("open_desk_charge", foreign).status == 200
    noor.get("open_desk_emergency")
    assert noor.post("end_desk_emergency", {}).status == 303
    assert noor.get("open_desk_charge", foreign).status == 404


def test_somebody_else_reviews_it_when_it_is_over(visitor: Visitor, noor: Visitor, fay: Visitor) -> None:
    name = taken(noor)
    path = {"emergency_id": name}
    noor.get("open_desk_charge", {"charge_id": noor.charge("e3")})
    assert noor.get("open_desk_review", path).status == 403
    assert "Noor" in fay.words("open_desk_reviews")
    assert "It still holds" in fay.words("open_desk_review", path)
    assert fay.post("review_emergency", {"verdict": "right"}, path).status == 409
    noor.town.clock.move(minutes=20)
    said = fay.words("open_desk_review", path)
    assert noor.charge("e3") in said
    assert "Ben is here and does not speak" in said
    hal = visitor.signed_in("Hal", [Role.FINANCE], ["hospital"])
    assert hal.get("open_desk_review", path).status == 404
    assert hal.post("review_emergency", {"verdict": "right"}, path).status == 404
    both = visitor.signed_in("Noor", [Role.CLERK, Role.FINANCE], ["clinic"])
    assert both.post("review_emergency", {"verdict": "right"}, path).status == 403
    assert fay.post("review_emergency", {"verdict": "not_right"}, path).status in (400, 422)
    done = fay.post("review_emergency", {"verdict": "not_right", "remark": "She had a letter"}, path)
    assert done.status == 303
    assert "It was not right" in fay.words("open_desk_reviews")
    op = visitor.signed_in("Op", [Role.OPERATOR], [])
    assert op.post("review_emergency", {"verdict": "right"}, path).status == 409
    aud = visitor.signed_in("Aud", [Role.AUDITOR], [])
    assert "She had a letter" in aud.words("open_desk_review", path)
    assert aud.post("review_emergency", {"verdict": "right"}, path).status == 403
