"""What the tests of families' pockets have in common."""

from __future__ import annotations

from typing import Any

from drachm.domain.money import MICROS


def usd(dollars: int) -> dict[str, Any]:
    return {"micros": dollars * MICROS, "currency": "USD"}


def terms(dollars: int, *categories: str, paused: bool = False, every: str = "month") -> dict[str, Any]:
    limit = {"amount": usd(dollars), "every": every, "zone": "America/New_York", "categories": list(categories)}
    return {"limits": [limit], "paused": paused}


def say_yes(town: Any, ask: Any, *members: str) -> None:
    """Each of them accepts whatever waits for an answer."""
    for member in members:
        path, caller = {"member_id": member}, town.patient(member)
        for one in ask("list_member_invitations", caller, path=path).body["data"]:
            answer = {"invitation": one["id"], "accept": True}
            told = ask("answer_invitation", caller, path=path, body=answer)
            assert (told.status, told.body["state"]) == (200, "accepted")


def put_terms(ask: Any, caller: Any, path: dict[str, str], body: dict[str, Any]) -> Any:
    """Change a member's terms as the caller has read them."""
    read = ask("get_wallet_member", caller, path=path)
    return ask("set_wallet_member", caller, path=path, body=body, if_match=read.etag if read.status == 200 else "*")
