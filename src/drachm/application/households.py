"""Who belongs to a shared pot, who is asked to, and who was?

A *membership* says since when a pot pays for somebody and whether that person has consented; an *invitation* asks. Both
are records, sealed under the member's own key where they name one: so erasing the member ends them. What the clearing
line reads of it is the admission in the register.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

import msgspec

from drachm.application.records import Record, Records
from drachm.domain.errors import Conflict
from drachm.domain.funding.quota import Terms

WALLET: Final = "wallet"
"""A pocket that was opened here: for which family, by which holder, funded by whom."""
MEMBERSHIP: Final = "wallet_membership"
INVITATION: Final = "wallet_invitation"
_PAGE: Final = 100

Asked = Literal["member", "helper"]
Answer = Literal["open", "accepted", "declined", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Membership:
    """That a shared pot pays, or paid, for a member."""

    wallet: str
    member: str
    inside: bool
    """Whether it pays now, as far as the limits allow."""
    since: datetime
    of_family: bool
    """Belongs to it as one of the family for whom it was opened, so no longer than to that."""
    of_age: date | None = None
    """For a minor, admitted without being asked: the day on which that consent is needed."""
    shares: bool = False
    """The member lets the payer see what the care was, and where."""
    private: tuple[str, ...] = ()
    """Categories that the member keeps private."""
    version: int = 0

    def unheard(self, day: date) -> bool:
        """Of age on that day, and never asked."""
        return self.of_age is not None and day >= self.of_age


@dataclass(frozen=True, slots=True)
class Invitation:
    """A question to somebody, answered once."""

    id: str
    wallet: str
    asked: Asked
    member: str
    """Whom it names; empty: whoever has its code."""
    terms: Terms
    opens_at: datetime
    expires_at: datetime
    asked_by: str
    digest: str = ""
    """SHA-256 of its code, hexadecimal; empty: it names somebody."""
    state: Answer = "open"
    answered_by: str = ""
    """Subject of the login that answered."""
    version: int = 0

    def stands(self, at: datetime) -> bool:
        """Whether it can be answered now."""
        return self.state == "open" and self.opens_at <= at < self.expires_at

    def may_stand(self, at: datetime) -> bool:
        """Whether it can be answered now or later."""
        return self.state == "open" and at < self.expires_at


def helper_of(wallet: str) -> str:
    """In whose name a helper is tied to a pocket: nobody's, as no member's id holds a blank."""
    return f"wallet {wallet}"


def wallet_term(wallet: str) -> str:
    """By which word memberships and invitations of a pot are found."""
    return f"wallet={wallet}"


def memberships(records: Records, wallet: str) -> dict[str, Membership]:
    """Everybody for whom a pot ever paid, by member."""
    found = (_membership(one) for one in _all(records, MEMBERSHIP, wallet))
    return {one.member: one for one in found}


def keep_membership(records: Records, one: Membership, by: str, at: datetime) -> Membership:
    """Write a membership. Raises `Conflict` when somebody was faster."""
    body = msgspec.to_builtins(one)
    del body["version"]
    members, terms = frozenset({one.member}), frozenset({wallet_term(one.wallet)})
    record = Record(
        MEMBERSHIP, f"{one.wallet}@{one.member}", body, one.version, members=members, terms=terms, author=by, at=at
    )
    return _membership(records.put([record])[0])


def invitations(records: Records, wallet: str) -> list[Invitation]:
    """Every invitation to a pot, whatever became of it."""
    return [_invitation(one) for one in _all(records, INVITATION, wallet)]


def invitations_of(records: Records, member: str) -> list[Invitation]:
    """Every invitation that names a member."""
    found: list[Invitation] = []
    after = ""
    while page := records.find(INVITATION, after=after, limit=_PAGE, members=[member]):
        found += [_invitation(one) for one in page]
        after = page[-1].id
    return found


def find_invitation(records: Records, id: str) -> Invitation | None:
    """One by its id."""
    record = records.get(INVITATION, id)
    return None if record is None else _invitation(record)


def keep_invitation(records: Records, one: Invitation, by: str, at: datetime) -> Invitation:
    """Write an invitation. Raises `Conflict` when somebody was faster."""
    body = msgspec.to_builtins(one)
    del body["version"]
    members, terms = frozenset({one.member} - {""}), frozenset({wallet_term(one.wallet)})
    record = Record(INVITATION, one.id, body, one.version, members=members, terms=terms, author=by, at=at)
    return _invitation(records.put([record])[0])


def answered(records: Records, one: Invitation, state: Answer, by: str, at: datetime) -> Invitation:
    """Answer, or withdraw, an invitation: once. Raises `Conflict` for one that cannot be answered any more."""
    fits = one.may_stand(at) if state == "withdrawn" else one.stands(at)
    if not fits:
        raise Conflict(
            "this invitation is answered, over, or not open yet", next_step="Ask whoever sent it for another one."
        )
    try:
        return keep_invitation(records, replace(one, state=state, answered_by=by), by, at)
    except Conflict as conflict:
        raise Conflict("somebody else has just answered this invitation") from conflict


def _all(records: Records, kind: str, wallet: str) -> Iterable[Record]:
    after = ""
    while page := records.find(kind, after=after, limit=_PAGE, terms=[wallet_term(wallet)]):
        yield from page
        after = page[-1].id


def _membership(record: Record) -> Membership:
    said: dict[str, Any] = {**record.body, "version": record.version}
    return msgspec.convert(said, Membership)


def _invitation(record: Record) -> Invitation:
    said: dict[str, Any] = {**record.body, "version": record.version}
    return msgspec.convert(said, Invitation)
