"""What does a batch do when a slice of a shared fund holds too little? (docs/decisions/0015)

It is not posted. The fund's rest refills the slice in a transaction of its own, and the batch is decided again. Where
the rest is not enough but other slices hold money, or other writers are always faster, the batch takes hold of the
whole fund and moves what it needs in its own posting. Only when there is nothing anywhere does the shortfall stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from drachm.application.allot import allotment_rows, glance, refill
from drachm.application.desk import Desk
from drachm.application.ports import Locked, Posting, Row
from drachm.domain.clearing.register import Registry
from drachm.domain.clearing.world import Needs
from drachm.domain.funding.allotment import Fund, Want, from_anywhere, fund_of, lies_elsewhere, net_of, paired
from drachm.domain.funding.model import Leg, Pot

REFILLS: Final = 4
"""How often a batch asks a fund's rest before it takes hold of the whole fund: others may spend what it fetched."""

PASSES: Final = 4
"""How often, for each fund in hold, a batch is decided again before it is halved."""


class Short(Exception):
    """Slices hold too little, and their fund may have more: `SharedFunds.fetch`, then decide again."""


class Entangled(Exception):
    """Events of one batch wait for money that others of the same batch give back: halve it."""


class SharedFunds:
    """What one batch knows of the funds that its members share, from try to try."""

    def __init__(self, desk: Desk, events: int) -> None:
        self._desk = desk
        self._alone = events == 1
        self._empty: set[str] = set()
        """Funds that were found with nothing anywhere."""
        self.held: dict[str, Fund] = {}
        """Funds of which everything is locked with the batch."""
        self._refills: Counter[str] = Counter()
        self._wider: Needs | None = None
        """What was found to be needed after the locks of an earlier try were taken."""
        self._dry: set[str] = set()
        """Funds that cannot help in this transaction."""
        self._net: dict[Fund, dict[str, int]] = {}
        """By held fund, what is moved before the first event."""
        self._start: Mapping[str, int] = {}
        self._lowest: dict[str, int] = {}
        self._gained: set[str] = set()
        self._wants: dict[Fund, list[Want]] = {}
        self._unused: dict[Fund, list[Mapping[str, int]]] = {}
        """By held fund, what its pots could spare when each want came up."""
        self._passes = 0
        self._waits = False

    def foresee(self, registry: Registry) -> None:
        """Look first at funds that were found empty before: where they still are, the batch is decided only once."""
        spent, people = self._desk.spent, registry.people.values()
        for fund in {fund_of(pot) for person in people for pot in person.pots if pot.fund in spent}:
            if fund.id in self._empty:
                continue
            if any(glance(fund.pots, self._desk.books).values()):
                spent.discard(fund.id)
            else:
                self._empty.add(fund.id)

    def needs(self, needs: Needs) -> Needs:
        """What to lock in this transaction: all pots of held funds besides what the events need."""
        self._dry, self._net, self._passes = set(self._empty), {}, 0
        if self._wider is not None:
            needs = Needs({*needs.totals, *self._wider.totals}, {*needs.pots, *self._wider.pots})
        if not self.held:
            return needs
        return Needs(needs.totals, {*needs.pots, *[pot for fund in self.held.values() for pot in fund.pots]})

    def widen(self, needs: Needs) -> None:
        """Lock these as well from now on: somebody who is let in and taken out by turns must not send the batch back to
        wait for ever."""
        known = self._wider or Needs((), ())
        self._wider = Needs({*known.totals, *needs.totals}, {*known.pots, *needs.pots})

    @property
    def rows(self) -> int:
        """How many journal positions to keep free before the events: one for each move at most."""
        return sum(fund.slices for fund in self.held.values())

    def begin(self, avail: Mapping[str, int]) -> Mapping[str, int]:
        """What the pots may spend before the first event; `avail` is what stands under lock."""
        self._wants, self._unused, self._lowest, self._gained, self._waits = {}, {}, {}, set(), False
        if self._net:
            moved = {pot: move for net in self._net.values() for pot, move in net.items()}
            avail = {pot: left + moved.get(pot, 0) for pot, left in avail.items()}
        self._start = avail
        return avail

    def lack(
        self,
        pots: Sequence[Pot],
        currency: str,
        missing: int,
        room: Mapping[str, int] | None = None,
        legs: Sequence[Leg] = (),
        *,
        whole: bool = False,
    ) -> None:
        """An event misses money, or a pot behind a fund paid what the fund should: ask the first fund among its pots
        that may have some.

        `room` says how much more the member may take from each limited pot: more than that is not fetched.
        """
        given = {leg.lot: leg.amount for leg in legs}
        behind = missing + sum(given.values())
        for pot in pots:
            behind -= given.get(pot.id, 0)
            if behind <= 0:
                return
            if not pot.fund or pot.currency != currency or pot.id not in self._start:
                continue
            wanted = behind if room is None else min(behind, room.get(pot.id, behind))
            if wanted <= 0 or (whole and wanted < missing):
                continue
            if pot.fund not in self._dry:
                fund = fund_of(pot)
                self._wants.setdefault(fund, []).append(Want(pot.id, wanted, whole))
                if fund.id in self.held:
                    self._unused.setdefault(fund, []).append(self._spare(fund))
                return
            self._waits = self._waits or any(one.startswith(f"{pot.fund}/") for one in self._gained)

    def saw(self, moves: Iterable[tuple[str, int]], after: Iterable[tuple[str, int]]) -> None:
        """What an event moved, and what its pots could spend after it."""
        self._gained.update([pot for pot, move in moves if move > 0])
        lowest = self._lowest
        for pot, left in after:
            if left < lowest.get(pot, self._start.get(pot, 0)):
                lowest[pot] = left

    def again(self) -> bool:
        """Whether the batch is to be decided again, because money came into slices that missed it.

        Raises `Short` for a fund that is not in hold, and `Entangled` for a batch that must be halved.
        """
        if not self._wants:
            if self._waits and not self._alone:
                raise Entangled
            return False
        if any(fund.id not in self.held for fund in self._wants):
            raise Short
        self._passes += 1
        if self._passes > PASSES * len(self.held) and not self._alone:
            raise Entangled
        for fund, wants in self._wants.items():
            net = net_of(from_anywhere(fund, wants, self._unused[fund]))
            if not net:
                self._dry.add(fund.id)
            sums = self._net.setdefault(fund, {})
            for pot, move in net.items():
                sums[pot] = sums.get(pot, 0) + move
        return True

    def _spare(self, fund: Fund) -> dict[str, int]:
        """What each pot of a held fund could have given before the batch began, without any event before now missing
        it."""
        start, lowest = self._start, self._lowest
        return {pot: lowest.get(pot, start[pot]) for pot in fund.pots if pot in start}

    def fetch(self) -> None:
        """Refill what was short from the funds' rests; outside the posting, which is undone by now."""
        for fund, wants in self._wants.items():
            if fund.id in self.held:
                continue
            targets: dict[str, int] = {}
            for one, missing, _ in wants:
                targets[one] = targets.get(one, self._start[one]) + missing
            self._refills[fund.id] += 1
            if refill(fund, targets, self._desk):
                if self._refills[fund.id] >= REFILLS:
                    self.held[fund.id] = fund
            elif lies_elsewhere(glance(fund.pots, self._desk.books), wants):
                self.held[fund.id] = fund
            else:
                self._empty.add(fund.id)
                self._desk.spent.add(fund.id)

    def joined(self, posting: Posting, locked: Locked) -> Posting:
        """The posting with the moves of held funds before it."""
        rows, moves, at = list(posting.rows), dict(posting.moves), locked.first_position
        first: list[Row] = []
        for fund, net in self._net.items():
            first += allotment_rows(paired(net), fund, locked.avail, at + len(first), self._desk)
            for pot, move in net.items():
                moves[pot] = moves.get(pot, 0) + move
        return posting._replace(rows=first + rows, moves=moves)
