"""Names that nobody has: every address answers them as it answers what is not there."""

from __future__ import annotations

import pytest

ODD = [
    "\0",
    "ana-cash\0",
    "a" * 5_000,
    "\ud800",
    "..",
    "%00",
    "'; DROP TABLE pot; --",
    "ana-cash ",
    "acc_",
    "stm_",
    "\u202e",
]
BODIES = {
    "top_up_wallet": {"amount": {"micros": 1, "currency": "USD"}},
    "replace_plan_draft": {"document": {"id": "x", "payer": "town-insurance"}},
    "preview_plan": {"from": "2026-01-01", "until": "2026-02-01"},
    "publish_plan": {"from": "2026-01-01"},
    "replace_price_book_draft": {"document": {"id": "x"}, "owner": "town-insurance"},
    "preview_price_book": {"from": "2026-01-01", "until": "2026-02-01"},
    "publish_price_book": {"from": "2026-01-01"},
}
ADDRESSES = {
    "wallet_id": ("get_wallet", "list_wallet_entries", "top_up_wallet"),
    "account_id": ("get_account", "list_account_entries"),
    "statement_id": ("get_statement",),
    "plan_id": ("get_plan", "get_plan_draft", "replace_plan_draft", "validate_plan", "preview_plan", "publish_plan"),
    "price_book_id": (
        "get_price_book",
        "get_price_book_draft",
        "replace_price_book_draft",
        "validate_price_book",
        "preview_price_book",
        "publish_price_book",
    ),
}


@pytest.mark.parametrize("parameter", ADDRESSES)
def test_odd_names_find_nothing_and_break_nothing(town, ask, parameter: str) -> None:
    for operation in ADDRESSES[parameter]:
        for odd in ODD:
            for caller in (town.operator(), town.price_editor()):
                answer = ask(operation, caller, path={parameter: odd}, body=BODIES.get(operation))
                assert answer.status in (400, 403, 404), (operation, odd[:20], answer.body)
                if answer.status != 404:
                    assert answer.code in ("role_missing", "bad_request", "invalid_message", "invalid_body")


def test_odd_days_and_versions_in_a_query(town, ask) -> None:
    path = {"plan_id": "town-plan"}
    for query in ({"on": "2026-02-30"}, {"on": "soon"}, {"on": "0001-01-01"}):
        assert ask("get_plan", town.clerk(), path=path, query=query).code == "bad_request"
        assert ask("list_plans", town.clerk(), query=query).code == "bad_request"
    assert ask("get_plan", town.clerk(), path=path, query={"version": "x" * 2_000}).status == 404
    assert ask("get_plan", town.clerk(), path=path, query={"on": "1990-01-01"}).status == 404
    assert ask("list_statements", town.operator(), query={"party": "x" * 3_000}).status == 200
    assert ask("list_accounts", town.operator(), query={"kind": "gold"}).status == 400
    assert ask("list_accounts", town.operator(), query={"cursor": "x"}).code == "invalid_cursor"
