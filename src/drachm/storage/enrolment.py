"""Who is enrolled? Parties, members, coverages, contracts and pots, as rows of queries/enrolment.sql."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeVar

import msgspec

from drachm.domain.clearing.numbers import party_number, patient_number, pot_number
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.funding.allotment import checked_fund, slices_of
from drachm.domain.funding.mandate import Mandate
from drachm.domain.funding.model import Pot
from drachm.domain.funding.purpose import checked_purpose
from drachm.domain.periods import Period
from drachm.storage import queries
from drachm.storage.arrays import byteas, int8s, texts
from drachm.storage.session import Connection
from drachm.storage.sheets import NOBODY, PARTY, PERSON, mandate_of, pack, parties_of, people_of, pot_of
from drachm.storage.vault import Vault

ROWS_PER_STATEMENT: Final = 1_000

_SQL: Final = queries.load("enrolment")

Cell = dict[str, Any]
T = TypeVar("T")
_json: Final = msgspec.json.Encoder().encode


class Enrolment:
    """Writes within one transaction of the registrar; of several rows with one id the last counts."""

    def __init__(self, conn: Connection, tenant: int, vault: Vault) -> None:
        self._conn = conn
        self._tenant = tenant
        self._vault = vault

    def next_version(self) -> int:
        """The register's next version. Until the end of the transaction nobody else changes the register."""
        version: int = self._ask("next_version")[0][0]
        return version

    def write(
        self,
        parties: Sequence[Party],
        members: Sequence[Member],
        coverages: Sequence[Coverage],
        contracts: Sequence[Contract],
        pots: Sequence[Pot],
        mandates: Mapping[str, Mandate],
    ) -> None:
        """Insert or replace, and write the sheets of everybody who is touched.

        Raises Conflict for a pot that is here in another currency or shared in another way: its money would change its
        meaning. Raises it too for an admission to a fund that is not here, and for the mandate of nobody.
        """
        version = self.next_version()
        touched = {member.id for member in members} | {one.member for one in coverages} | {one.member for one in pots}
        touched |= self._holders(coverages, pots) | mandates.keys()
        self._write("parties", {party.id: _party(party) for party in parties})
        self._write("members", {member.id: _member(member) for member in members})
        self._write("coverages", {coverage.id: _coverage(coverage) for coverage in coverages})
        self._write("contracts", {(one.provider, one.payer, one.period.start): _contract(one) for one in contracts})
        self._pots(pots)
        self._mandates(mandates)
        self.data_keys(sorted({patient_number(self._tenant, member.id) for member in members}))
        self._person_sheets(version, sorted(touched))
        self._party_sheets(version, sorted({one.id for one in parties} | {one.provider for one in contracts}))

    def freeze(self, member: str, currency: str, reason: str) -> None:
        """Freeze the pots of a member's own money, or (no reason) thaw them; those that already are so stay."""
        version = self.next_version()
        if self._ask("freeze", member=member, currency=currency, reason=reason):
            self._person_sheets(version, [member])

    def erase(self, member: str, patient: int) -> None:
        """Delete the data key and every sheet; one new sheet says how the member is registered now."""
        version = self.next_version()
        self._tell("delete_data_key", patient=patient)
        self._tell("delete_sheets", id=patient)
        self._tell("forget_mandate", id=member)
        self._person_sheets(version, [member])

    def alone_with(self, patients: Sequence[int]) -> None:
        """Wait until nobody posts, follows the journal, or writes a record of these people; until the end of the
        transaction nobody does."""
        self._conn.execute(_SQL["patience"])
        self._ask("alone_with")
        self._ask("alone_with_records", patients=int8s(sorted(patients)))
        self._ask("alone_with_books")

    def erase_people(self, members: Mapping[str, int]) -> None:
        """Delete the data keys of these people, how they are and were registered, their names in the readers' index.

        An empty sheet stays of each: it tells every process that remembers them, and whoever would write of them.
        """
        version = self.next_version()
        ids, patients = texts(sorted(members)), sorted(members.values())
        for query in ("erase_keys", "erase_sheets"):
            self._tell(query, patients=int8s(patients))
        for query in ("erase_coverages", "erase_admissions", "leave_pots", "erase_members", "erase_from_index"):
            self._tell(query, ids=ids)
        self._sheets(version, PERSON, dict.fromkeys(patients, NOBODY))

    def blank_records(self, patients: Sequence[int]) -> None:
        """What stands in the open beside records that no key opens any more."""
        for query in ("erase_tags", "erase_authors"):
            self._tell(query, patients=int8s(sorted(patients)))

    def erased_of(self, patients: Sequence[int]) -> list[int]:
        """Of these people those who were erased, and not registered again."""
        return [patient for (patient,) in self._ask("erased_of", patients=int8s(patients))] if patients else []

    def data_keys(self, patients: Sequence[int]) -> dict[int, bytes]:
        """The wrapped data key of each patient, made for those who have none."""
        found: dict[int, bytes] = {}
        for part in _parts(patients):
            keys = dict(self._ask("data_keys", patients=int8s(part)))
            new = [patient for patient in part if patient not in keys]
            if new:
                self._tell("add_data_keys", patients=int8s(new), wrapped=byteas(self._vault.new_keys(new)))
                # A writer may have been faster: what counts is what is stored.
                keys.update(self._ask("data_keys", patients=int8s(new)))
            found.update(keys)
        return found

    def _holders(self, coverages: Sequence[Coverage], pots: Sequence[Pot]) -> set[str]:
        """Who has these coverages and pots until now."""
        ids = {"coverages": texts([one.id for one in coverages]), "pots": texts([one.id for one in pots])}
        return {member for (member,) in self._ask("members_with", **ids)}

    def _pots(self, pots: Sequence[Pot]) -> None:
        rows = {pot.id: _pot(self._tenant, pot) for pot in pots}
        written = {pot for (pot,) in self._write("pots", rows)}
        for pot in sorted(rows.keys() - written):
            raise other_currency(pot)
        self._write("pot_states", rows)
        admitted = [pot.id for pot in pots if pot.member and pot.fund]
        for (stray,) in self._ask("stray_admissions", ids=texts(admitted)) if admitted else ():
            raise no_such_fund(stray)

    def _mandates(self, mandates: Mapping[str, Mandate]) -> None:
        rows = {member: {"id": member, "mandate": mandate} for member, mandate in mandates.items()}
        here = {member for (member,) in self._write("mandates", rows)}
        for stranger in sorted(rows.keys() - here):
            raise no_such_member(stranger)

    def _person_sheets(self, version: int, members: Sequence[str]) -> None:
        for part in _parts(members):
            ids = texts(part)
            sheets = people_of(
                [Member(*row) for row in self._ask("people", ids=ids)],
                [_coverage_of(*row) for row in self._ask("coverages_of", ids=ids)],
                [pot_of(*row) for row in self._ask("pots_of", ids=ids)],
                self._tenant,
                {member: mandate_of(said) for member, said in self._ask("mandates_of", ids=ids)},
            )
            self._sheets(version, PERSON, {patient_number(self._tenant, one.member.id): pack(one) for one in sheets})

    def _party_sheets(self, version: int, parties: Sequence[str]) -> None:
        for part in _parts(parties):
            ids = texts(part)
            sheets = parties_of(
                [Party(key, tuple(roles), *rest) for key, roles, *rest in self._ask("parties_now", ids=ids)],
                [_contract_of(*row) for row in self._ask("contracts_of", ids=ids)],
            )
            self._sheets(version, PARTY, {party_number(self._tenant, one.party.id): pack(one) for one in sheets})

    def _sheets(self, version: int, kind: int, packed: Mapping[int, bytes]) -> None:
        if packed:
            ids = sorted(packed)
            values = byteas([packed[one] for one in ids])
            self._tell("add_sheets", version=version, kind=kind, ids=int8s(ids), packed=values)

    def _write(self, query: str, rows: Mapping[Any, Cell]) -> list[Any]:
        answers: list[Any] = []
        for part in _parts(list(rows.values())):
            text = _json(part).decode()
            cursor = self._conn.execute(_SQL[query], {"tenant": self._tenant, "rows": text})
            if cursor.description:
                answers.extend(cursor.fetchall())
        return answers

    def _ask(self, query: str, **values: object) -> list[Any]:
        return self._conn.execute(_SQL[query], {"tenant": self._tenant, **values}, binary=True).fetchall()

    def _tell(self, query: str, **values: object) -> None:
        self._conn.execute(_SQL[query], {"tenant": self._tenant, **values})


def no_such_member(member: str) -> Conflict:
    """Who is not here has nothing that could be paid."""
    return Conflict("there is no such member", where=f"member {member}", next_step="Register the member first.")


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
    slices: list[Pot] = []
    for at, pot in enumerate(rows[2]):
        if len(pot.currency) != 3:
            raise InvalidMessage("a currency has three letters (ISO 4217)", where=f"pot {pot.id}")
        if pot.purpose is not None:
            pot = rows[2][at] = pot._replace(purpose=checked_purpose(pot.purpose, where=f"pot {pot.id}"))
        if (pot.slices or pot.fund or pot.terms) and not checked_fund(pot).fund:
            slices += slices_of(pot)
    rows[2].extend(slices)
    return rows


def admits(fund: Pot | None, pot: Pot) -> bool:
    """Whether the fund is one, and as the admission says."""
    if fund is None or fund.member or fund.fund:
        return False
    return (fund.slices, fund.currency, fund.purpose) == (pot.slices, pot.currency, pot.purpose)


def other_currency(pot: str) -> Conflict:
    """A pot never changes its currency, nor its fund and slices: the entries of its wallet stay where they are.

    Nor for what its money was given: that was promised when it was.
    """
    return Conflict(
        "the pot is here in another currency, for another purpose, or belongs to a fund in another way",
        where=f"pot {pot}",
        next_step="Open a new pot with an id of its own.",
    )


def no_such_fund(pot: str) -> Conflict:
    """Who is admitted to a fund that is not here, or is not as the admission says, would draw from nothing."""
    return Conflict(
        "there is no such fund with so many slices in this currency and for this purpose",
        where=f"pot {pot}",
        next_step="Enrol the fund first, and admit the member to it as it was enrolled.",
    )


def not_storable(problem: str, where: str) -> InvalidMessage:
    """What a refused enrolment means to the one who sent it."""
    return InvalidMessage(
        f"a row cannot be stored: {problem}",
        where=where,
        next_step="Correct the named value; nothing of this enrolment was kept.",
    )


def erasable(tenant: int, member: str) -> int:
    """The number of a member whose key may be erased. Raises InvalidMessage for none."""
    if not member:
        raise InvalidMessage("nobody is named", where="member", next_step="Name the member to erase.")
    return patient_number(tenant, member)


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for at in range(0, len(values), ROWS_PER_STATEMENT):
        yield values[at : at + ROWS_PER_STATEMENT]


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
    # Money never enters an admission: those of one fund share a row that nobody finds by name, and that stays at zero.
    held_in = f"{pot.fund}@" if pot.member and pot.fund else pot.id
    return {
        "id": pot.id,
        "state": pot_number(tenant, held_in),
        "member": pot.member,
        "currency": pot.currency,
        "pocket": pot.pocket,
        "priority": pot.priority,
        "fund": pot.fund,
        "slices": pot.slices,
        "terms": pot.terms,
        "purpose": pot.purpose,
        "closes": pot.purpose.closes if pot.purpose is not None else None,
    }


def _days(period: Period) -> Cell:
    return {"starts_on": period.start.isoformat(), "ends_on": period.end.isoformat() if period.end else None}


def _coverage_of(
    key: str,
    member: str,
    plan: str,
    starts_on: date,
    ends_on: date | None,
    rank: int,
    policy: str,
    facts: dict[str, Any],
) -> Coverage:
    return Coverage(key, member, plan, Period(starts_on, ends_on), rank, policy, facts)


def _contract_of(
    provider: str, payer: str, price_book: str, starts_on: date, ends_on: date | None, network: str
) -> Contract:
    return Contract(provider, payer, price_book, Period(starts_on, ends_on), network)
