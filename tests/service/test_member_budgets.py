"""The budget that a shared pot's holder keeps for one member: whose care counts, who sees it, and who is told."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from drachm.application.notices import Notices
from drachm.application.pot_budgets import PotBudget, budgets_of, pot_budget, set_pot_budget
from drachm.domain.coverage.model import Member
from drachm.domain.errors import Conflict
from drachm.domain.money import MICROS

sys.path.insert(0, str(Path(__file__).parent))

from family_helpers import put_terms, say_yes, usd


@pytest.fixture
def pot(town: Any, ask: Any) -> str:
    """90 dollars for dan, who holds it, and dora."""
    town.desk.books.enrol(members=[Member("dora", date(1975, 1, 1), "female", family="dans")])
    body = {"currency": "USD", "family": "dans", "funder": "town-fund", "holder": "dan"}
    wallet = str(ask("open_wallet", town.operator(), body=body).body["id"])
    ask("top_up_wallet", town.funder(), path={"wallet_id": wallet}, body={"amount": usd(90)})
    say_yes(town, ask, "dan", "dora")
    return wallet


def of(pot: str, member: str) -> dict[str, str]:
    return {"wallet_id": pot, "member_id": member}


def keep(ask: Any, caller: Any, path: dict[str, str], dollars: int | None, **more: Any) -> Any:
    tag = ask("get_wallet_member_budget", caller, path=path).etag
    body = {"amount": usd(dollars) if dollars is not None else None, **more}
    return ask("set_wallet_member_budget", caller, path=path, body=body, if_match=tag)


def care(town: Any, name: str, dollars: int, member: str, **more: Any) -> None:
    town.clear(town.event(name, dollars, member=member, visit=name, **more))


def teller(town: Any) -> Notices:
    market = town.market
    return Notices(town.desk.books, market.index, market.register, market.money, market.records, town.clock.now)


def told(ask: Any, town: Any, member: str = "dan") -> list[tuple[str | None, int]]:
    found = ask("list_notices", town.patient(member), path={"member_id": member}).body["data"]
    return [(one.get("member"), one["percent"]) for one in found]


def used(ask: Any, town: Any, pot: str, member: str) -> int:
    found = ask("get_wallet_member_budget", town.patient("dan"), path=of(pot, member)).body
    return int(found["used"]["micros"]) // MICROS


def test_it_counts_one_members_care_and_tells_the_holder_once(town: Any, ask: Any, pot: str) -> None:
    dan, dora = town.patient("dan"), of(pot, "dora")
    care(town, "d1", 12, "dora")
    care(town, "d2", 30, "dan")
    set_ = keep(ask, dan, dora, 20, zone="America/New_York").body
    assert (set_["member"], set_["amount"], set_["used"]["micros"]) == ("dora", usd(20), str(12 * MICROS))
    assert (set_["percent"], set_["reached"], set_["month"]) == (60, [50], "2026-03")
    here = teller(town)
    here.tell()
    care(town, "d3", 9, "dora")
    here.tell()
    here.tell()
    teller(town).tell()
    # It withholds nothing, and only its holder hears of it: whose, how much, and nothing of what.
    assert told(ask, town) == [("dora", 50), ("dora", 80), ("dora", 100)]
    assert told(ask, town, "dora") == []
    notice = str(ask("list_notices", dan, path={"member_id": "dan"}).body)
    assert "clinic" not in notice
    assert "Video" not in notice
    assert (used(ask, town, pot, "dora"), used(ask, town, pot, "dan")) == (21, 14)


def test_private_care_a_reversal_and_another_pot_do_not_count(town: Any, ask: Any, pot: str) -> None:
    keep(ask, town.patient("dan"), of(pot, "dora"), 20)
    care(town, "d1", 15, "dora")
    (charge,) = ask("list_charges", town.patient("dora")).body["data"]
    care(town, "d2", 4, "dora", facts={"private": True})
    assert used(ask, town, pot, "dora") == 15
    assert ask("keep_charge_private", town.patient("dora"), path={"charge_id": charge["id"]}).status == 200
    town.follow()
    assert used(ask, town, pot, "dora") == 0
    care(town, "d3", 10, "dora")
    care(town, "r3", 0, "dora", kind="reversal", replaces="d3")
    assert used(ask, town, pot, "dora") == 0
    teller(town).tell()
    assert told(ask, town) == []


def test_a_month_behind_makes_a_forecast_of_one_person(town: Any, ask: Any, pot: str) -> None:
    care(town, "d1", 8, "dora")
    care(town, "d2", 30, "dan")
    keep(ask, town.patient("dan"), of(pot, "dora"), 40)
    town.clock.move(days=30)
    care(town, "d3", 6, "dora", started_at=town.clock.now())
    now = ask("get_wallet_member_budget", town.patient("dan"), path=of(pot, "dora")).body
    assert (now["month"], now["used"]["micros"]) == ("2026-04", str(6 * MICROS))
    assert (now["forecast"]["likely"]["micros"], now["forecast"]["months"]) == (str(14 * MICROS), 1)


def test_who_holds_the_pot_asks_about_who_belongs_to_it(town: Any, ask: Any, pot: str) -> None:
    dan, dora = town.patient("dan"), of(pot, "dora")
    assert keep(ask, dan, dora, 20).status == 200
    body = {"amount": usd(1)}
    for other in (town.patient("dora"), town.patient("ana"), town.funder(), town.clerk("clinic")):
        assert ask("get_wallet_member_budget", other, path=dora).status in (403, 404)
        assert ask("list_wallet_budgets", other, path={"wallet_id": pot}).status in (403, 404)
        assert ask("set_wallet_member_budget", other, path=dora, body=body, if_match='"x"').status in (403, 404)
    for path in (of(pot, "ana"), of(pot, "nobody"), of("ana-cash", "ana"), of("wal_nothing", "dora")):
        assert ask("get_wallet_member_budget", dan, path=path).status in (403, 404)
        assert ask("set_wallet_member_budget", dan, path=path, body=body, if_match='"x"').status in (403, 404)
    assert ask("set_wallet_member_budget", dan, path=dora, body=body, if_match='"x"').status == 412
    assert ask("set_wallet_member_budget", dan, path=dora, body=body).status == 428
    for wrong in ({"amount": usd(-1)}, {"amount": {"micros": 5, "currency": "EUR"}}, {"amount": usd(1), "zone": "M/X"}):
        tag = ask("get_wallet_member_budget", dan, path=dora).etag
        assert ask("set_wallet_member_budget", dan, path=dora, body=wrong, if_match=tag).status in (400, 422)
    # The tag of the pot's own budget is not that of a member's.
    whole = ask("get_wallet_budget", dan, path={"wallet_id": pot})
    assert ask("set_wallet_member_budget", dan, path=dora, body=body, if_match=whole.etag).status == 412
    assert (
        ask("set_wallet_budget", dan, path={"wallet_id": pot}, body={"amount": usd(50)}, if_match=whole.etag).status
        == 200
    )
    listed = ask("list_wallet_budgets", dan, path={"wallet_id": pot}).body["data"]
    assert [(one["member"], one["amount"]) for one in listed] == [(None, usd(50)), ("dora", usd(20))]
    assert keep(ask, dan, dora, None).body["amount"] is None
    assert [one["member"] for one in ask("list_wallet_budgets", dan, path={"wallet_id": pot}).body["data"]] == [None]


def test_who_leaves_or_is_erased_is_not_told_of_any_more(town: Any, ask: Any, pot: str) -> None:
    dan, dora, records = town.patient("dan"), of(pot, "dora"), town.market.records
    keep(ask, dan, dora, 20)
    care(town, "d1", 15, "dora")
    assert ask("remove_wallet_member", town.patient("dora"), path=dora).status == 204
    teller(town).tell()
    assert told(ask, town) == []
    assert ask("get_wallet_member_budget", dan, path=dora).status == 404
    assert ask("list_wallet_budgets", dan, path={"wallet_id": pot}).body["data"] == []
    town.desk.books.erase("dora")
    assert budgets_of(pot, records) == []


def test_a_holder_who_has_left_is_told_nothing(town: Any, ask: Any, pot: str) -> None:
    keep(ask, town.patient("dan"), of(pot, "dora"), 20)
    care(town, "d1", 15, "dora")
    assert ask("remove_wallet_member", town.patient("dan"), path=of(pot, "dan")).status == 204
    teller(town).tell()
    assert told(ask, town) == []
    assert ask("get_wallet_member_budget", town.patient("dan"), path=of(pot, "dora")).status in (403, 404)


def test_two_tabs_at_once(town: Any, pot: str) -> None:
    records, now = town.market.records, town.clock.now()
    _, version = pot_budget(pot, records, "dora")
    new = PotBudget(pot, 5 * MICROS, "UTC", version, "dora")
    set_pot_budget(new, away=False, by="dan", at=now, records=records)
    with pytest.raises(Conflict):
        set_pot_budget(new._replace(amount=7 * MICROS), away=False, by="dan", at=now, records=records)
    assert pot_budget(pot, records, "dora")[0] == PotBudget(pot, 5 * MICROS, "UTC", version + 1, "dora")


def test_a_limit_still_holds_beside_it(town: Any, ask: Any, pot: str) -> None:
    dan, dora = town.patient("dan"), of(pot, "dora")
    keep(ask, dan, dora, 50)
    limit = {"amount": usd(10), "every": "month", "zone": "UTC", "categories": []}
    assert put_terms(ask, dan, dora, {"limits": [limit]}).status == 200
    care(town, "d1", 15, "dora")
    assert used(ask, town, pot, "dora") == 10
