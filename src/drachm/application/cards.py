"""How does a holder leave a card for automatic top-ups? With the rail, never with us.

The holder's wish has an id that says nothing of the holder; the rail repeats it when the card is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from drachm.application.desk import RETRIES
from drachm.application.rails import CardRail, Rail
from drachm.application.records import Record, Records
from drachm.domain.errors import Conflict, InvalidMessage, Unavailable
from drachm.domain.payments.model import Card, CardKept

WISH: Final = "card_wish"
CARD: Final = "card"


def wish_for_card(id: str, member: str, currency: str, rail: Rail, records: Records, *, author: str) -> str:
    """Where a holder goes to leave a card with a rail; the same wish again is the same page.

    Raises `InvalidMessage` (`unknown_rail`) for a rail that keeps no cards, `Unavailable` when it does not answer.
    """
    keep = getattr(rail, "keep_card", None)
    if keep is None:
        raise InvalidMessage("this rail keeps no cards", where="rail", code="unknown_rail")
    if records.get(WISH, id) is None:
        body = {"member": member, "rail": rail.name}
        records.put([Record(WISH, id, body, members=frozenset({member}), author=author)])
    card_rail: CardRail = rail  # type: ignore[assignment]
    return card_rail.keep_card(id, currency)


def keep(kept: CardKept, rail: str, records: Records) -> None:
    """Remember the card of a wish; a later card takes the place of an earlier one. Raises `InvalidMessage`."""
    wish = records.get(WISH, kept.wish)
    if wish is None or wish.body["rail"] != rail:
        raise InvalidMessage("nobody wished for this card", where="callback", code="unknown_payment")
    member = str(wish.body["member"])
    body = {"customer": kept.card.customer, "method": kept.card.method, "wish": kept.wish}
    for _ in range(RETRIES):
        before = records.get(CARD, _name(rail, member))
        if before is not None and before.body["wish"] == kept.wish:
            return
        version = before.version if before is not None else 0
        try:
            records.put([Record(CARD, _name(rail, member), body, version, members=frozenset({member}))])
            return
        except Conflict:
            continue
    raise Unavailable("this card cannot be kept just now", where="card")


def card_of(rail: str, member: str, records: Records) -> Card | None:
    """The card that a holder left with a rail; None when there is none, or it was taken away."""
    record = records.get(CARD, _name(rail, member))
    if record is None or not record.body["method"]:
        return None
    return Card(str(record.body["customer"]), str(record.body["method"]))


def forget_card(rail: str, member: str, records: Records, *, author: str) -> None:
    """Use a holder's card no more. Raises `Conflict` (`version`) when it changes at the same moment."""
    record = records.get(CARD, _name(rail, member))
    if record is not None:
        body: Mapping[str, object] = {**record.body, "method": ""}
        records.put([replace(record, body=body, author=author)])


def _name(rail: str, member: str) -> str:
    return f"{rail}/{member}"
