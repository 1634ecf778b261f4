"""Who is insured, with whom, when, in which order?

A member's coverages form a stack: primary first. Each names a plan document by id; the version follows from the local
service date. Without any coverage the stack is empty: the member pays the self-pay price, which is never a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from drachm.domain.events.model import Fact
from drachm.domain.periods import Period

NO_PLAN = "none"
"""The plan id that says: this person has no cover here."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person with cover and pockets in one tenant."""

    id: str
    birth_date: date | None = None
    sex: str = ""
    """`female`, `male`, `other` or empty."""
    family: str = ""
    """Family id for shared accumulators; empty: the person alone."""
    shard: int = 0
    """Given at enrolment, never changed; stands in every hot key."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What plans may ask: `member_category`, `income_band`, `family_size`, `household_income` ..."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One member's cover under one plan for a period."""

    id: str
    member: str
    plan: str
    """Plan document id, or `NO_PLAN`."""
    period: Period
    rank: int = 1
    """1 is primary; a higher rank takes over what the lower ones leave."""
    policy: str = ""
    """Policy id for accumulators of scope `policy`; empty: the coverage id."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What this cover adds: `tier`, `policy_start`, `subsidy`, `franchise` ..."""


@dataclass(frozen=True, slots=True)
class Party:
    """Provider, payer, funder, employer, practitioner or site inside a tenant."""

    id: str
    roles: tuple[str, ...]
    name: str = ""
    zone: str = "UTC"
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """`facility_level`, `locality`, `facility` (true inside a hospital), `npi` ..."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What a provider and a payer agreed: which price book, and whether the provider is in the payer's network."""

    provider: str
    payer: str
    """Payer party id; empty: self-pay schedule of the provider."""
    price_book: str
    """Price book document id; ``as-submitted`` takes what was asked."""
    period: Period
    network: str = "in"
    """`in` or `out`; becomes the fact `network` of the line."""
