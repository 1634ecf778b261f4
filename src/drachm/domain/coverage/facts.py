"""What may a plan look at, for this event, this member, this provider, on this day?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from operator import attrgetter

from drachm.domain.coverage.model import Contract, Coverage, Member
from drachm.domain.events.model import Fact, ServiceEvent
from drachm.domain.periods import age_on

_RANK_AND_ID = attrgetter("rank", "id")


def in_force(coverages: Iterable[Coverage], day: date) -> tuple[Coverage, ...]:
    """The coverages of one member that hold on a day, primary first (ties by id)."""
    found = [coverage for coverage in coverages if day in coverage.period]
    if len(found) > 1:
        found.sort(key=_RANK_AND_ID)
    return tuple(found)


def line_facts(
    event: ServiceEvent,
    member: Member,
    premises: Mapping[str, Fact],
    contract: Contract | None,
    category: str,
    book_facts: Mapping[str, Fact],
    day: date,
    received: date,
) -> dict[str, Fact]:
    """Everything but the coverages' own facts, later sources overriding earlier ones.

    Order: `premises` (provider, then site), member, event, price book; then what follows from them: `category` (the
    event's word, else the price book's), `service`, `code_system`, `network`, `emergency`, `authorised`, `filing_days`,
    `age`, `sex`, `place_of_service`.
    """
    facts: dict[str, Fact] = dict(premises)
    facts |= member.facts
    facts["category"] = category
    facts |= event.facts
    facts |= book_facts
    # One by one: a call with many names, or one large literal, takes longer than everything else here.
    facts["service"] = event.code.value
    facts["code_system"] = event.code.system
    facts["network"] = contract.network if contract is not None else "out"
    facts["emergency"] = event.emergency
    facts["authorised"] = bool(event.authorisation)
    facts["filing_days"] = max(0, (received - day).days)
    facts["place_of_service"] = event.place_of_service
    if member.birth_date is not None:
        facts["age"] = max(0, age_on(member.birth_date, day))
    if member.sex:
        facts["sex"] = member.sex
    return facts
