"""What one person proposes and another agrees to, on pages: the frame that refunds, cash back and write-offs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from drachm.adapters.rest.service.asking import MOST
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
    """`waiting` for a second person and what is in each state of `apart` under its name, the oldest first; the newest
    `others`; and whether there are `more` of these, or `more_wait`."""
    asked = {"order": "oldest", **narrow}
    open_ones = {
        state: seat.ask_all(operation, query={"state": state, **asked}) for state in ("agreed", "proposed", *apart)
    }
    waiting = [*open_ones.pop("agreed"), *open_ones.pop("proposed")]
    asked = {"order": "newest", "limit": str(SHOWN + 1), **narrow}
    over = [state for state in states if state not in ("agreed", "proposed", *apart)]
    others = [one for state in over for one in seat.ask(operation, query={"state": state, **asked}).data]
    others.sort(key=_changed, reverse=True)
    lists = {"waiting": waiting, **open_ones, "others": others[:SHOWN]}
    more = {"more": len(others) > SHOWN, "more_wait": any(len(one) >= MOST for one in (waiting, *open_ones.values()))}
    return {name: [shown(seat, one) for one in some] for name, some in lists.items()} | more


def _changed(one: Any) -> datetime:
    """When it last became something else, as its view says."""
    moments: list[datetime | None] = [one.proposed_at, one.agreed_at, one.withdrawn_at, getattr(one, "paid_at", None)]
    return max(moment for moment in moments if moment is not None)


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
