"""What one person proposes and another agrees to, on pages: the frame that refunds, cash back and write-offs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from drachm.adapters.rest.service.desk_frame import Seat, named
from drachm.adapters.rest.service.desk_today import Standing
from drachm.adapters.rest.service.journal_reading import find_charge
from drachm.adapters.rest.service.speech import gettext

SHOWN: Final = 50
"""How many of those that nobody waits for are listed."""


class Proposed(Protocol):
    """The view of a proposal: who did what and when (subjects of the issuer, UTC)."""

    @property
    def state(self) -> str: ...

    proposed_by: str
    proposed_at: datetime
    agreed_by: str | None
    agreed_at: datetime | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None


States = Mapping[str, tuple[str, str]]
"""Tone and words of each state."""


def lists_of(
    seat: Seat,
    operation: str,
    states: States,
    shown: Callable[[Seat, Any], dict[str, Any]],
    apart: Sequence[str] = (),
    **narrow: str,
) -> dict[str, Any]:
    """`waiting` for a second person, what is in each state of `apart` under its name, the newest `others`, and whether
    there are `more` of those."""
    found = {state: seat.ask_all(operation, query={"state": state, **narrow}) for state in states}
    waiting = [*found.pop("agreed"), *found.pop("proposed")]
    lists = {"waiting": waiting, **{state: found.pop(state) for state in apart}}
    others = sorted((one for some in found.values() for one in some), key=lambda one: one.proposed_at, reverse=True)
    lists["others"] = others[:SHOWN]
    return {name: [shown(seat, one) for one in some] for name, some in lists.items()} | {"more": len(others) > SHOWN}


def who_did_what(seat: Seat, one: Proposed, states: States) -> dict[str, Any]:
    """How it stands; when and by whom it was proposed, agreed to and withdrawn."""
    tone, words = states[one.state]
    return {
        "standing": Standing(one.state, tone, gettext(words)),
        "proposed": seat.here(one.proposed_at),
        "proposer": named(one.proposed_by),
        "agreed": seat.here(one.agreed_at) if one.agreed_at else None,
        "agreer": named(one.agreed_by),
        "withdrawn": seat.here(one.withdrawn_at) if one.withdrawn_at else None,
        "withdrawer": named(one.withdrawn_by),
    }


def charge_named(seat: Seat) -> Any:
    """The charge of the page, if this person may do something about it."""
    charge = seat.ask("get_charge", {"charge_id": seat.call.path["charge_id"]})
    seat.call.permit(seat.call.resource(parties=clinic_of(seat, charge.id)))
    return charge


def clinic_of(seat: Seat, charge: str) -> frozenset[str]:
    """Whose charge it is, as the books say."""
    looked = find_charge(seat.call.market, charge)
    return frozenset({looked.row.provider} - {""}) if looked is not None else frozenset()
