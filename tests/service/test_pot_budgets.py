"""A budget of a shared pot: what its holder sees and is told, and that it tells nobody what the care was."""

from __future__ import annotations

from typing import Any

import pytest

from drachm.application.notices import Notices
from drachm.domain.funding.mandate import Mandate
from drachm.domain.money import MICROS

COSMETIC = {"category": "cosmetic"}


def usd(dollars: int) -> dict[str, Any]:
    return {"micros": dollars * MICROS, "currency": "USD"}


@pytest.fixture
def pot(town: Any, ask: Any) -> dict[str, str]:
    """A pot of ana's household with 90 dollars, drawn first."""
    made = ask("open_wallet", town.patient("ana"), body={"holder": "ana", "currency": "USD"})
    path = {"wallet_id": str(made.body["id"])}
    assert ask("top_up_wallet", town.operator(), path=path, body={"amount": usd(90)}).status == 201
    town.desk.books.enrol(mandates={"ana": Mandate(1, order=(path["wallet_id"],))})
    return path


def budget(ask: Any, caller: Any, pot: dict[str, str], dollars: int | None, **more: Any) -> Any:
    tag = ask("get_wallet_budget", caller, path=pot).etag
    amount = usd(dollars) if dollars is not None else None
    return ask("set_wallet_budget", caller, path=pot, body={"amount": amount, **more}, if_match=tag)


def teller(town: Any) -> Notices:
    market = town.market
    return Notices(town.desk.books, market.index, market.register, market.money, market.records, town.clock.now)


def told(ask: Any, town: Any) -> list[tuple[str, int]]:
    found = ask("list_notices", town.patient("ana"), path={"member_id": "ana"}).body["data"]
    return [(one["month"], one["percent"]) for one in found]


def test_it_counts_forecasts_tells_once_and_withholds_nothing(town: Any, ask: Any, pot: dict[str, str]) -> None:
    ana = town.patient("ana")
    none = ask("get_wallet_budget", ana, path=pot).body
    assert (none["amount"], none["percent"], none["reached"]) == (None, 0, [])
    town.clear(town.event("e1", 20, facts=COSMETIC))
    set_ = budget(ask, ana, pot, 25, zone="America/New_York").body
    assert (set_["used"]["micros"], set_["left"]["micros"]) == (str(20 * MICROS), str(5 * MICROS))
    assert (set_["percent"], set_["reached"], set_["month"], set_["forecast"]) == (80, [50, 80], "2026-03", None)
    here = teller(town)
    here.tell()
    assert told(ask, town) == [("2026-03", 50), ("2026-03", 80)]
    town.clear(town.event("e2", 15, visit="v2", facts=COSMETIC))
    here.tell()
    here.tell()
    teller(town).tell()
    assert told(ask, town) == [("2026-03", 50), ("2026-03", 80), ("2026-03", 100)], "each step once, whoever looks"
    now = ask("get_wallet_budget", ana, path=pot).body
    assert (now["used"]["micros"], now["percent"]) == (str(35 * MICROS), 140), "it withholds nothing"
    gone = budget(ask, ana, pot, None)
    assert gone.body["amount"] is None
    assert budget(ask, ana, pot, 10).body["percent"] == 350


def test_a_month_behind_makes_a_forecast(town: Any, ask: Any, pot: dict[str, str]) -> None:
    ana = town.patient("ana")
    town.clear(town.event("e1", 8, facts=COSMETIC))
    budget(ask, ana, pot, 40)
    town.clock.move(days=30)
    town.clear(town.event("e2", 6, visit="v2", facts=COSMETIC, started_at=town.clock.now()))
    now = ask("get_wallet_budget", ana, path=pot).body
    assert now["month"] == "2026-04"
    assert now["used"]["micros"] == str(6 * MICROS)
    ahead = now["forecast"]
    assert ahead is not None
    # On the 9th of April the 10th of March is still ahead: 6 and 8.
    assert (ahead["likely"]["micros"], ahead["months"]) == (str(14 * MICROS), 1)


def test_private_care_leaves_nothing_behind(town: Any, ask: Any, pot: dict[str, str]) -> None:
    ana = town.patient("ana")
    town.clear(town.event("e1", 20, facts=COSMETIC))
    budget(ask, ana, pot, 25)
    (charge,) = ask("list_charges", ana).body["data"]
    assert ask("keep_charge_private", ana, path={"charge_id": charge["id"]}).status == 200
    town.follow()
    now = ask("get_wallet_budget", ana, path=pot).body
    assert (now["used"]["micros"], now["reached"]) == ("0", [])
    here = teller(town)
    here.tell()
    assert told(ask, town) == []


def test_only_its_holder_asks_and_only_for_what_can_be(town: Any, ask: Any, pot: dict[str, str]) -> None:
    ana = town.patient("ana")
    budget(ask, ana, pot, 25)
    for other in (town.patient("dan"), town.relative("eva", of="ana")):
        assert ask("get_wallet_budget", other, path=pot).status in (403, 404)
        body = {"amount": usd(1)}
        assert ask("set_wallet_budget", other, path=pot, body=body, if_match='"x"').status in (403, 404)
    for caller in (town.clerk("clinic"),):
        assert ask("get_wallet_budget", caller, path=pot).status == 403
    assert ask("set_wallet_budget", ana, path=pot, body={"amount": usd(1)}, if_match='"x"').status == 412
    assert ask("set_wallet_budget", ana, path=pot, body={"amount": usd(1)}).status == 428
    for body in (
        {"amount": usd(-1)},
        {"amount": {"micros": 5, "currency": "EUR"}},
        {"amount": usd(1), "zone": "Mars/X"},
    ):
        tag = ask("get_wallet_budget", ana, path=pot).etag
        assert ask("set_wallet_budget", ana, path=pot, body=body, if_match=tag).status in (400, 422)
    for wallet in ("ana-cash", "wal_nothing"):
        assert ask("get_wallet_budget", ana, path={"wallet_id": wallet}).status == 404
    assert ask("get_wallet_budget", ana, path=pot).body["amount"] == usd(25)
