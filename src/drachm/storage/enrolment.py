"""Who is enrolled? Parties, members, coverages, contracts and pots, as rows of queries/enrolment.sql."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from drachm.application.ports import ConstraintFired
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.funding.model import Pot
from drachm.domain.periods import Period
from drachm.storage import queries
from drachm.storage.rows import pot_number
from drachm.storage.session import Connection

ROWS_PER_STATEMENT: Final = 1_000

_SQL: Final = queries.load("enrolment")

Cell = dict[str, Any]


class Enrolment:
    """Writes within one transaction of the owner; of several rows with one id the last counts."""

    def __init__(self, conn: Connection, tenant: int) -> None:
        self._conn = conn
        self._tenant = tenant

    def parties(self, parties: Iterable[Party]) -> None:
        self._write("parties", {party.id: _party(party) for party in parties})

    def members(self, members: Iterable[Member]) -> None:
        self._write("members", {member.id: _member(member) for member in members})

    def coverages(self, coverages: Iterable[Coverage]) -> None:
        self._write("coverages", {coverage.id: _coverage(coverage) for coverage in coverages})

    def contracts(self, contracts: Iterable[Contract]) -> None:
        rows = {(one.provider, one.payer, one.period.start): _contract(one) for one in contracts}
        self._write("contracts", rows)

    def pots(self, pots: Iterable[Pot]) -> None:
        """Raises Conflict for a pot that is here in another currency: its money would change its meaning."""
        rows = {pot.id: _pot(self._tenant, pot) for pot in pots}
        written = {pot for (pot,) in self._write("pots", rows)}
        for pot in sorted(rows.keys() - written):
            raise other_currency(pot)
        self._write("pot_states", rows)

    def _write(self, query: str, rows: Mapping[Any, Cell]) -> list[Any]:
        answers: list[Any] = []
        for part in _parts(rows.values()):
            text = json.dumps(part, ensure_ascii=False)
            cursor = self._conn.execute(_SQL[query], {"tenant": self._tenant, "rows": text})
            if cursor.description:
                answers.extend(cursor.fetchall())
        return answers


def checked(
    coverages: Iterable[Coverage], contracts: Iterable[Contract], pots: Iterable[Pot]
) -> tuple[list[Coverage], list[Contract], list[Pot]]:
    """The same rows when each can be stored. Raises InvalidMessage naming the first that cannot."""
    rows = list(coverages), list(contracts), list(pots)
    for coverage in rows[0]:
        _ensure_days(coverage.period, f"coverage {coverage.id}")
    for contract in rows[1]:
        where = f"contract {contract.provider} {contract.payer}"
        _ensure_days(contract.period, where)
        if contract.network not in ("in", "out"):
            raise InvalidMessage("a network is 'in' or 'out'", where=where)
    for pot in rows[2]:
        if len(pot.currency) != 3:
            raise InvalidMessage("a currency has three letters (ISO 4217)", where=f"pot {pot.id}")
    return rows


def other_currency(pot: str) -> Conflict:
    """A pot never changes its currency: the entries of its wallet stay in the old one."""
    return Conflict(
        "the pot is here in another currency",
        where=f"pot {pot}",
        next_step="Open a new pot with an id of its own for the other currency.",
    )


def not_storable(refusal: ConstraintFired) -> InvalidMessage:
    """What a refused enrolment means to the one who sent it."""
    return InvalidMessage(
        f"a row cannot be stored: {refusal.message}",
        where=refusal.where,
        next_step="Correct the named value; nothing of this enrolment was kept.",
    )


def _parts(rows: Iterable[Cell]) -> Iterator[list[Cell]]:
    waiting = iter(rows)
    while part := list(islice(waiting, ROWS_PER_STATEMENT)):
        yield part


def _ensure_days(period: Period, where: str) -> None:
    if period.end is not None and period.end <= period.start:
        raise InvalidMessage(
            "its last day does not lie after its first",
            where=where,
            next_step="Periods are half-open: the end is the first day after the period.",
        )


def _party(party: Party) -> Cell:
    return {
        "id": party.id,
        "roles": list(party.roles),
        "name": party.name,
        "zone": party.zone,
        "facts": dict(party.facts),
    }


def _member(member: Member) -> Cell:
    return {
        "id": member.id,
        "shard": member.shard,
        "birth_date": member.birth_date.isoformat() if member.birth_date else None,
        "sex": member.sex,
        "family": member.family,
        "facts": dict(member.facts),
    }


def _coverage(coverage: Coverage) -> Cell:
    return {
        "id": coverage.id,
        "member": coverage.member,
        "plan": coverage.plan,
        **_days(coverage.period),
        "rank": coverage.rank,
        "policy": coverage.policy,
        "facts": dict(coverage.facts),
    }


def _contract(contract: Contract) -> Cell:
    return {
        "provider": contract.provider,
        "payer": contract.payer,
        "price_book": contract.price_book,
        **_days(contract.period),
        "network": contract.network,
    }


def _pot(tenant: int, pot: Pot) -> Cell:
    return {
        "id": pot.id,
        "state": pot_number(tenant, pot.id),
        "member": pot.member,
        "currency": pot.currency,
        "pocket": pot.pocket,
        "priority": pot.priority,
    }


def _days(period: Period) -> Cell:
    return {"starts_on": period.start.isoformat(), "ends_on": period.end.isoformat() if period.end else None}
