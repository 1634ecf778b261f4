"""How do thousands spend one limited fund without queueing at it, and never pass its limit?

A fund (assistance fund, employer pot, funder's programme) is a pot without a member. It is drawn in allotments: money
moves from the fund's own pot, the rest, to slices, which are ordinary pots near their users. Events spend a slice and
never touch the fund. Slices and rest are the fund, always (docs/decisions/0015).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from drachm.domain.errors import InvalidMessage
from drachm.domain.funding.model import Pot
from drachm.domain.funding.purpose import Purpose
from drachm.domain.funding.quota import Terms, checked_terms
from drachm.domain.ledger.model import Account, Entry, Source

DEFAULT_SLICES: Final = 64
MAX_SLICES: Final = 1024


class Fund(NamedTuple):
    """A shared limit."""

    id: str
    """Of its own pot, which holds what is not allotted: the rest."""
    currency: str
    slices: int
    """How many there are; never changed."""

    @property
    def only_slice(self) -> str:
        """The one slice that all draw from, as in a family's pot; empty where there are several."""
        return slice_id(self.id, 0) if self.slices == 1 else ""

    @property
    def pots(self) -> tuple[str, ...]:
        """The fund's own pot, then its slices."""
        return (self.id, *[slice_id(self.id, number) for number in range(self.slices)])


class Want(NamedTuple):
    """What one event misses in its slice."""

    slice: str
    missing: int
    """Micros."""
    whole: bool = False
    """True for a request: with less than all of it, it is refused all the same."""


class Move(NamedTuple):
    """Money that changes its place inside a fund."""

    giver: str
    taker: str
    amount: int
    """Micros, more than 0."""


def open_fund(
    fund: str,
    currency: str,
    *,
    slices: int = DEFAULT_SLICES,
    pocket: str = "assistance",
    purpose: Purpose | None = None,
) -> Pot:
    """A fund, ready to be enrolled; its slices are made with it. Raises `InvalidMessage` for a nonsense number."""
    return checked_fund(Pot(fund, "", currency, 0, 0, pocket, 0, "", slices, None, purpose))


def admission(fund: Pot, member: str, *, priority: int = 0, terms: Terms | None = None) -> Pot:
    """What admits a member to a fund, ready to be enrolled; the priority orders it among the member's own pots.

    It holds no money: the member's register shows the slice of the member's shard in its place. Enrolled again with
    other `terms`, it changes them; with `Terms(ended=True)` it takes the member out.
    """
    return fund._replace(id=f"{fund.id}@{member}", member=member, priority=priority, fund=fund.id, terms=terms)


def checked_fund(pot: Pot) -> Pot:
    """The same fund or admission. Raises `InvalidMessage` for one that cannot be."""
    where = f"pot {pot.id}"
    if not pot.id or pot.fund == pot.id:
        raise InvalidMessage("a fund and an admission to it have each an id of its own", where=where)
    if not 1 <= pot.slices <= MAX_SLICES:
        raise InvalidMessage(f"a fund has 1 to {MAX_SLICES} slices, not {pot.slices}", where=where)
    if bool(pot.member) != bool(pot.fund):
        raise InvalidMessage(
            "a fund has no member, and who is admitted to one is a member",
            where=where,
            next_step="Enrol the fund without a member; admit each member by a pot that names the fund.",
        )
    if pot.terms is not None:
        if not pot.fund:
            raise InvalidMessage("terms are an admission's, not the fund's", where=where)
        checked_terms(pot.terms, where=where)
    return pot


def slices_of(fund: Pot) -> list[Pot]:
    """The slices of a fund as pots."""
    numbers = range(fund.slices)
    return [fund._replace(id=slice_id(fund.id, number), fund=fund.id) for number in numbers]


def slice_for(admitted: Pot, shard: int) -> Pot:
    """The pot that a member admitted to a fund draws from."""
    return admitted._replace(id=slice_id(admitted.fund, shard % admitted.slices))


def slice_id(fund: str, number: int) -> str:
    """The id of a slice.

    >>> slice_id("winter-fund", 7)
    'winter-fund/7'
    """
    return f"{fund}/{number}"


def fund_named(pot: str) -> str:
    """The fund in the id of a slice; empty for an id that cannot be a slice's.

    >>> fund_named("winter-fund/7")
    'winter-fund'
    """
    fund, _, number = pot.rpartition("/")
    return fund if number.isdecimal() else ""


def fund_of(pot: Pot) -> Fund:
    """The fund that a slice, an admission or the fund's own pot belongs to."""
    return Fund(pot.fund or pot.id, pot.currency, pot.slices)


def from_rest(fund: Fund, avail: Mapping[str, int], targets: Mapping[str, int]) -> list[Move]:
    """What the rest gives to slices so that each holds its target; nothing when it is not enough for all of them.

    While there is plenty, a slice receives more than it needs, at most rest / (2 x slices): then it need not come again
    soon, and half of the rest stays for the others. So slices shrink as the fund nears its end. A single slice has no
    others, and receives everything.
    """
    rest = avail[fund.id]
    given = {one: target - avail[one] for one, target in targets.items() if target > avail[one]}
    spare = rest - sum(given.values())
    if spare < 0:
        return []
    size = rest if fund.only_slice else rest // (2 * fund.slices)
    for one, need in given.items():
        more = min(spare, max(0, size - need))
        given[one] = need + more
        spare -= more
    return [Move(fund.id, one, amount) for one, amount in given.items()]


def from_anywhere(fund: Fund, wants: Sequence[Want], unused: Sequence[Mapping[str, int]]) -> list[Move]:
    """What rest and other slices give so that each want is met, in order, exactly: the rest first, then the richest.

    `unused` says for each want what each pot of the fund could spare when it came up, in micros. A want that comes
    later goes short before one that came earlier.
    """
    gone: dict[str, int] = {}
    moves = []
    for (one, missing, whole), spare in zip(wants, unused, strict=True):
        left = {pot: amount - gone.get(pot, 0) for pot, amount in spare.items()}
        givers = [pot for pot, amount in left.items() if amount > 0 and pot != one]
        if whole and sum([left[pot] for pot in givers]) < missing:
            continue
        givers.sort(key=lambda pot: (pot != fund.id, -left[pot], pot))
        for giver in givers:
            taken = min(missing, left[giver])
            if taken:
                moves.append(Move(giver, one, taken))
                gone[giver] = gone.get(giver, 0) + taken
                missing -= taken
        # What stands in its own slice is not unused any more.
        gone[one] = gone.get(one, 0) + left[one]
    return moves


def lies_elsewhere(avail: Mapping[str, int], wants: Sequence[Want]) -> bool:
    """Whether any want could be met from another pot of its fund, where `avail` says what all of them may spend."""
    total = sum(avail.values())
    return any(total - avail.get(one, 0) >= (missing if whole else 1) for one, missing, whole in wants)


def net_of(moves: Iterable[Move]) -> dict[str, int]:
    """What moves add to each pot."""
    net: dict[str, int] = {}
    for giver, taker, amount in moves:
        net[giver] = net.get(giver, 0) - amount
        net[taker] = net.get(taker, 0) + amount
    return net


def paired(net: Mapping[str, int]) -> list[Move]:
    """Few moves that change each pot by its net amount: fewer than there are pots. The amounts sum to zero."""
    givers = [(pot, -amount) for pot, amount in sorted(net.items()) if amount < 0]
    moves = []
    for taker, wanted in sorted(net.items()):
        while wanted > 0:
            giver, left = givers.pop()
            taken = min(wanted, left)
            moves.append(Move(giver, taker, taken))
            wanted -= taken
            if left > taken:
                givers.append((giver, left - taken))
    return moves


def allotment_entries(move: Move, currency: str) -> tuple[Entry, ...]:
    """Entries of an allotment, or of its return: the money leaves one pot of the fund for another."""
    return (
        Entry(Account("wallet", move.giver, currency), move.amount, Source.WALLET),
        Entry(Account("wallet", move.taker, currency), -move.amount, Source.WALLET),
    )
