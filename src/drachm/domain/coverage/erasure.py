"""May everything that is kept of a person's care be erased, who says so, and what if not?

A person has the right to it (GDPR article 17), and a house has duties against it (article 17(3)): health records and
accounts are kept for years by law. So a request is answered within a month (article 12(3)), by two people where it is
granted, because nobody can take it back; by one where it is refused, with the ground and, where it ends, the day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal

from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.periods import add_months

State = Literal["asked", "proposed", "agreed", "erased", "refused", "withdrawn"]
Ground = Literal["legal_retention", "public_health", "legal_claims", "not_identified", "no_right"]
"""Article 17(3)(b), (c) and (e); article 12(6); article 17(1) where none of its cases is given."""
OPEN: Final[frozenset[State]] = frozenset({"asked", "proposed", "agreed"})
"""Somebody has still to do something."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request to erase what is kept of a person, and who did what about it (subjects of the issuer, UTC)."""

    id: str
    member: str
    asked_by: str
    asked_at: datetime
    on_behalf: bool = False
    """Staff asked for the person, who had said it elsewhere."""
    proposed_by: str = ""
    """Who took it up."""
    proposed_at: datetime | None = None
    agreed_by: str = ""
    agreed_at: datetime | None = None
    erased_at: datetime | None = None
    refused_by: str = ""
    refused_at: datetime | None = None
    ground: Ground | Literal[""] = ""
    until: date | None = None
    """The first day on which the ground holds no more; None: no day can be named."""
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = None

    @property
    def state(self) -> State:
        if self.erased_at is not None:
            return "erased"
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.refused_at is not None:
            return "refused"
        if self.agreed_at is not None:
            return "agreed"
        return "proposed" if self.proposed_at is not None else "asked"

    @property
    def answer_by(self) -> date:
        """The last day of the month within which the person is answered (article 12(3); UTC)."""
        return add_months(self.asked_at.date(), 1)


def taken_up(wish: Erasure, by: str, at: datetime) -> Erasure:
    """Proposed by somebody of the house. Raises Conflict for who asked for themselves, and when it is too late."""
    _ensure(wish, "asked")
    if not wish.on_behalf:
        _ensure_other(by, wish.asked_by)
    return replace(wish, proposed_by=by, proposed_at=at)


def agreed(wish: Erasure, by: str, at: datetime) -> Erasure:
    """With a second person's consent. Raises Conflict for who asked or proposed it, and when it is too late."""
    _ensure(wish, "proposed")
    _ensure_other(by, wish.asked_by, wish.proposed_by)
    return replace(wish, agreed_by=by, agreed_at=at)


def erased(wish: Erasure, at: datetime) -> Erasure:
    """Done. Raises Conflict for what nobody agreed to."""
    _ensure(wish, "agreed")
    return replace(wish, erased_at=at)


def reopened(wish: Erasure) -> Erasure:
    """Agreed to, but something was in the way: a second person agrees once more when it is settled."""
    _ensure(wish, "agreed")
    return replace(wish, agreed_by="", agreed_at=None)


def refused(wish: Erasure, by: str, at: datetime, ground: Ground, until: date | None) -> Erasure:
    """Refused with a ground. Raises Conflict when it is too late, InvalidMessage for a day that has come."""
    _ensure(wish, "asked", "proposed")
    if ground == "legal_retention" and until is None:
        raise InvalidMessage("say until when the law has it kept", where="$.until", code="invalid_refusal")
    if until is not None and until <= at.date():
        raise InvalidMessage("this day has come already", where="$.until", code="invalid_refusal")
    return replace(wish, refused_by=by, refused_at=at, ground=ground, until=until)


def withdrawn(wish: Erasure, by: str, at: datetime) -> Erasure:
    """Taken back; one person is enough. Raises Conflict once somebody agreed."""
    _ensure(wish, "asked", "proposed")
    return replace(wish, withdrawn_by=by, withdrawn_at=at)


def _ensure(wish: Erasure, *states: State) -> None:
    if wish.state not in states:
        early = wish.state == "asked"
        raise Conflict(
            "nobody has taken this up yet" if early else f"this is {wish.state} already",
            where="erasure_id",
            next_step="Take it up first." if early else "Read it.",
        )


def _ensure_other(by: str, *others: str) -> None:
    if not by or by in others:
        raise Conflict(
            "nobody decides alone, or about their own request",
            where="erasure_id",
            next_step="Let somebody else agree.",
            code="second_person_needed",
        )
