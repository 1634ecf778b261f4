"""What happened?

Everything that costs money enters as a `ServiceEvent`: a visit fee, a lab test, a refill, a minute of video, one
sensor upload. One event is one line; lines that belong together share `visit`, `claim` and `admission`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

Kind = Literal["charge", "reversal", "replacement", "hold", "stop"]
KINDS: Final[tuple[Kind, ...]] = ("charge", "reversal", "replacement", "hold", "stop")
"""charge: delivered care. reversal: undo what `replaces` names. replacement: this instead of what `replaces` names (for
a hold: its capture). hold: a request that reserves money before care. stop: release the hold that `replaces` names."""

Fact = str | int | bool
"""What a rule may look at: a word, a whole number (money facts in micros) or a flag. Dates are ISO 8601 text."""

UNIT: Final = 1_000_000
"""A quantity of one: quantities are integers of millionths, so half a vial is 500_000."""


@dataclass(frozen=True, slots=True)
class Code:
    """What was done, in whose code system (`http://snomed.info/sct`, `HCPCS`, `CVX`, `RxNorm`, `local`)."""

    system: str
    value: str

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is copied and pickled: compiled, it would be made without its fields."""
        return Code, (self.system, self.value)


@dataclass(slots=True, init=False)
class ServiceEvent:
    """One moment of care as its source reported it; (tenant, `source`, `event_id`) is its key for ever."""

    source: str
    """The sending system inside the tenant."""
    event_id: str
    """The sender's own id, unique within `source`, never reused."""
    kind: Kind
    member: str
    """Member id within the tenant."""
    code: Code
    currency: str
    """ISO 4217."""
    started_at: datetime
    """Aware UTC; the local service date follows from the plan's zone."""
    ended_at: datetime | None = None
    modifiers: tuple[str, ...] = ()
    quantity: int = UNIT
    """Millionths of `unit`."""
    unit: str = "each"
    """`each`, `minute`, `mL`, `day` ..."""
    billed: int | None = None
    """Asked amount of the whole line in micros; None: the price book says."""
    billing_party: str = ""
    """Party id of the provider that is paid."""
    rendering_party: str = ""
    """Party id of the practitioner."""
    site: str = ""
    """Party id of the place; decides locality and facility level."""
    place_of_service: str = ""
    """CMS place-of-service code, two digits, or empty."""
    visit: str = ""
    admission: str = ""
    claim: str = ""
    line: str = ""
    authorisation: str = ""
    """Payer's prior-authorisation reference, empty when there is none."""
    tax_ppm: int = 0
    tax_category: str = ""
    diagnoses: tuple[str, ...] = ()
    """Diagnosis codes of the visit, most important first."""
    diagnosis_pointers: tuple[int, ...] = ()
    """1-based positions in `diagnoses` that this line treats (X12 SV107)."""
    replaces: str = ""
    """`event_id` (same source) that a reversal, replacement or stop refers to."""
    emergency: bool = False
    essential: bool = False
    """Emergency and essential requests are never refused for money."""
    display: str = ""
    """Plain words for the receipt; health data, so it lives in the encrypted body only."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What the source says beyond the fields: `category`, `visit_class`, named amounts such as `usual_charge` ..."""

    # Written out because the one that is made takes four times as long.
    def __init__(
        self,
        source: str,
        event_id: str,
        kind: Kind,
        member: str,
        code: Code,
        currency: str,
        started_at: datetime,
        ended_at: datetime | None = None,
        modifiers: tuple[str, ...] = (),
        quantity: int = UNIT,
        unit: str = "each",
        billed: int | None = None,
        billing_party: str = "",
        rendering_party: str = "",
        site: str = "",
        place_of_service: str = "",
        visit: str = "",
        admission: str = "",
        claim: str = "",
        line: str = "",
        authorisation: str = "",
        tax_ppm: int = 0,
        tax_category: str = "",
        diagnoses: tuple[str, ...] = (),
        diagnosis_pointers: tuple[int, ...] = (),
        replaces: str = "",
        emergency: bool = False,
        essential: bool = False,
        display: str = "",
        facts: Mapping[str, Fact] | None = None,
    ) -> None:
        self.source = source
        self.event_id = event_id
        self.kind = kind
        self.member = member
        self.code = code
        self.currency = currency
        self.started_at = started_at
        self.ended_at = ended_at
        self.modifiers = modifiers
        self.quantity = quantity
        self.unit = unit
        self.billed = billed
        self.billing_party = billing_party
        self.rendering_party = rendering_party
        self.site = site
        self.place_of_service = place_of_service
        self.visit = visit
        self.admission = admission
        self.claim = claim
        self.line = line
        self.authorisation = authorisation
        self.tax_ppm = tax_ppm
        self.tax_category = tax_category
        self.diagnoses = diagnoses
        self.diagnosis_pointers = diagnosis_pointers
        self.replaces = replaces
        self.emergency = emergency
        self.essential = essential
        self.display = display
        self.facts = {} if facts is None else facts

    def flat(self) -> tuple[Any, ...]:
        """Every field by position, with the two parts of the code in its place: the form in which an event is kept."""
        return (
            self.source, self.event_id, self.kind, self.member, self.code.system, self.code.value, self.currency,
            self.started_at, self.ended_at, self.modifiers, self.quantity, self.unit, self.billed, self.billing_party,
            self.rendering_party, self.site, self.place_of_service, self.visit, self.admission, self.claim, self.line,
            self.authorisation, self.tax_ppm, self.tax_category, self.diagnoses, self.diagnosis_pointers,
            self.replaces, self.emergency, self.essential, self.display, self.facts,
        )  # fmt: skip
