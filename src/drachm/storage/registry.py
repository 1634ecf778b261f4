"""What does a batch need to know of people, parties and agreements?

`asked` names the ids, `registry_of` puts what was found into the order in which the domain expects it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from drachm.domain.clearing.world import Registry
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.periods import Period


@dataclass(frozen=True, slots=True)
class Asked:
    """Ids that a batch of events names, each once."""

    members: list[str]
    providers: list[str]
    """Billing parties, whose contracts are needed too."""
    parties: list[str]
    """Providers, practitioners and sites."""


def asked(events: Sequence[ServiceEvent]) -> Asked:
    """Every id that the events name. One that PostgreSQL cannot hold is nobody's, and not asked for."""
    members = {event.member for event in events}
    providers = {event.billing_party for event in events}
    others = {party for event in events for party in (event.rendering_party, event.site) if party}
    return Asked(_storable(members), _storable(providers), _storable(providers | others))


def registry_of(
    tenant: int,
    *,
    members: Iterable[Sequence[Any]],
    coverages: Iterable[Sequence[Any]],
    parties: Iterable[Sequence[Any]],
    contracts: Iterable[Sequence[Any]],
    pots: Iterable[Sequence[Any]],
) -> Registry:
    """The registry from rows of queries/work.sql."""
    return grouped(
        tenant,
        members=(Member(key, birth, sex, family, shard, facts) for key, birth, sex, family, shard, facts in members),
        coverages=(_coverage(*row) for row in coverages),
        parties=(Party(key, tuple(roles), name, zone, facts) for key, roles, name, zone, facts in parties),
        contracts=(_contract(*row) for row in contracts),
        pots=(
            Pot(key, member, currency, 0, first, pocket, state) for key, member, currency, first, pocket, state in pots
        ),
    )


def grouped(
    tenant: int,
    *,
    members: Iterable[Member],
    coverages: Iterable[Coverage],
    parties: Iterable[Party],
    contracts: Iterable[Contract],
    pots: Iterable[Pot],
) -> Registry:
    """The registry with coverages by rank, contracts by payer and day, pots by priority: one order everywhere."""
    coverages_of: dict[str, list[Coverage]] = {}
    for coverage in sorted(coverages, key=lambda one: (one.rank, one.id)):
        coverages_of.setdefault(coverage.member, []).append(coverage)
    contracts_of: dict[str, list[Contract]] = {}
    for contract in sorted(contracts, key=lambda one: (one.payer, one.period.start)):
        contracts_of.setdefault(contract.provider, []).append(contract)
    pots_of: dict[str, list[Pot]] = {}
    for pot in sorted(pots, key=lambda one: (one.priority, one.id)):
        pots_of.setdefault(pot.member, []).append(pot)
    return Registry(
        tenant=tenant,
        members={member.id: member for member in members},
        coverages={member: tuple(found) for member, found in coverages_of.items()},
        parties={party.id: party for party in parties},
        contracts={provider: tuple(found) for provider, found in contracts_of.items()},
        pots={member: tuple(found) for member, found in pots_of.items()},
    )


def _storable(ids: Iterable[str]) -> list[str]:
    """The ids in order, without those that hold a zero byte or half a character."""
    return sorted(one for one in ids if "\x00" not in one and one.encode(errors="ignore").decode() == one)


def _coverage(
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


def _contract(
    provider: str, payer: str, price_book: str, starts_on: date, ends_on: date | None, network: str
) -> Contract:
    return Contract(provider, payer, price_book, Period(starts_on, ends_on), network)
