"""Contracts: from a day on, and what was cleared before stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from drachm.domain.money import MICROS

NEW = {
    "provider": "clinic",
    "payer": "town-insurance",
    "price_book": "as-submitted",
    "starts_on": "2026-01-01",
    "network": "out",
    "fee": 15_000,
    "rounding": "to the cent, half up",
}


def test_a_contract_is_recorded_and_prices_what_follows(town: Any, ask: Any) -> None:
    made = ask("create_contract", town.operator(), body=NEW)
    assert made.status == 201, made.body
    assert made.body["terms"] == [
        {
            "starts_on": "2026-01-01",
            "ends_on": None,
            "price_book": "as-submitted",
            "network": "out",
            "fee": 15_000,
            "rounding": "to the cent, half up",
        }
    ]
    path = {"contract_id": made.body["id"]}
    for reader in (town.finance(), town.payer(), town.integrator(), town.price_editor(), town.auditor()):
        read = ask("get_contract", reader, path)
        assert (read.body, read.etag) == (made.body, made.etag)
    for stranger in (town.finance("hospital"), town.payer("town-hall")):
        assert ask("get_contract", stranger, path).status == 404
    assert ask("get_contract", town.clerk(), path).status == 403
    assert town.clear(town.event("e1"))[0].status == "posted"
    again = ask("create_contract", town.operator(), body=NEW)
    assert again.status == 409


def test_a_change_holds_from_its_day_and_what_was_cleared_stays(town: Any, ask: Any) -> None:
    made = ask("create_contract", town.operator(), body={**NEW, "network": "in"})
    path = {"contract_id": made.body["id"]}
    town.clear(town.event("e1"))
    rows = [stored for stored, _ in town.desk.books.rows()]
    change = {"from_day": "2026-03-01", "network": "out", "fee": 20_000}
    assert ask("update_contract", town.operator(), path, body=change).status == 428
    changed = ask("update_contract", town.operator(), path, body=change, if_match=made.etag)
    terms = [(one["starts_on"], one["ends_on"], one["network"], one["fee"]) for one in changed.body["terms"]]
    assert terms == [("2026-01-01", "2026-03-01", "in", 15_000), ("2026-03-01", None, "out", 20_000)]
    assert changed.body["terms"][1]["rounding"] == "to the cent, half up"
    assert [stored for stored, _ in town.desk.books.rows()] == rows
    again = town.clear(town.event("e1"))[0]
    assert again.duplicate
    assert ask("update_contract", town.operator(), path, body=change, if_match=made.etag).status == 412
    early = {**change, "from_day": "2025-01-01"}
    assert ask("update_contract", town.operator(), path, body=early, if_match=changed.etag).status == 409
    ended = ask(
        "update_contract",
        town.operator(),
        path,
        body={"from_day": "2026-03-01", "ends_on": "2026-04-01"},
        if_match=changed.etag,
    )
    assert [one["ends_on"] for one in ended.body["terms"]] == ["2026-03-01", "2026-04-01"]
    assert ended.body["terms"][1]["fee"] == 20_000
    # After its end the contract for every payer prices the care again.
    later = replace(town.event("e2"), started_at=town.event().started_at + timedelta(days=40))
    assert town.clear(later)[0].decision.priced.allowed == 40 * MICROS


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"provider": "town-hall"}, 422),
        ({"provider": "nobody-here"}, 422),
        ({"payer": "clinic"}, 422),
        ({"payer": "two words"}, 422),
        ({"price_book": "no-book"}, 422),
        ({"ends_on": "2025-12-31"}, 422),
        ({"fee": 1_000_001}, 422),
        ({"fee": 1.5}, 422),
        ({"payer": "*"}, 409),
        ({"payer": ""}, 409),
        ({"starts_on": "2026-02-30"}, 400),
    ],
)
def test_what_cannot_be_agreed(town: Any, ask: Any, change: Any, status: int) -> None:
    assert ask("create_contract", town.operator(), body={**NEW, **change}).status == status


@pytest.mark.parametrize("caller", ["finance", "payer", "price_editor", "integrator", "auditor"])
def test_only_the_operator_writes_contracts(town: Any, ask: Any, caller: str) -> None:
    who = getattr(town, caller)()
    assert ask("create_contract", who, body=NEW).status == 403
    listed = ask("list_contracts", town.operator()).body["data"]
    path = {"contract_id": listed[0]["id"]}
    assert ask("update_contract", who, path, body={"from_day": "2026-03-01"}, if_match="*").status in (403, 404)


def test_contracts_of_the_register_are_listed_page_by_page(town: Any, ask: Any) -> None:
    def seen(caller: Any, **query: str) -> list[tuple[str, str]]:
        page = ask("list_contracts", caller, query=query).body
        found = [(one["provider"], one["payer"]) for one in page["data"]]
        if page["next"]:
            found += seen(caller, **{**query, "cursor": page["next"]})
        return found

    everything = [("clinic", ""), ("clinic", "*"), ("hospital", ""), ("hospital", "*")]
    assert seen(town.operator(), limit="1") == seen(town.operator()) == everything
    assert seen(town.finance("hospital")) == everything[2:]
    assert seen(town.payer()) == []
    assert ask("get_contract", town.operator(), {"contract_id": "con_nonsense"}).status == 404
