"""What may a plan look at, for this event, this member, this provider, on this day?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.events.model import Fact, ServiceEvent
from drachm.domain.periods import age_on


def in_force(coverages: Iterable[Coverage], day: date) -> tuple[Coverage, ...]:
    """The coverages of one member that hold on a day, primary first (ties by id)."""
    return tuple(sorted((c for c in coverages if day in c.period), key=lambda c: (c.rank, c.id)))


def line_facts(
    event: ServiceEvent,
    member: Member,
    provider: Party | None,
    site: Party | None,
    contract: Contract | None,
    category: str,
    book_facts: Mapping[str, Fact],
    day: date,
    received: date,
) -> dict[str, Fact]:
    """Everything but the coverages' own facts, later sources overriding earlier ones.

    Order: provider, site, member, event, price book; then what follows from them: `category` (the event's word, else
    the price book's), `service`, `code_system`, `network`, `emergency`, `authorised`, `filing_days`, `age`, `sex`,
    `place_of_service`.
    """
    facts: dict[str, Fact] = {}
    for party in (provider, site):
        if party is not None:
            facts.update(party.facts)
    facts.update(member.facts)
    facts["category"] = category
    facts.update(event.facts)
    facts.update(book_facts)
    facts.update(
        service=event.code.value,
        code_system=event.code.system,
        network=contract.network if contract is not None else "out",
        emergency=event.emergency,
        authorised=bool(event.authorisation),
        filing_days=max(0, (received - day).days),
        place_of_service=event.place_of_service,
    )
    if member.birth_date is not None:
        facts["age"] = max(0, age_on(member.birth_date, day))
    if member.sex:
        facts["sex"] = member.sex
    return facts
